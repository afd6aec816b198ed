"""Meta's limits for outgoing messages, in characters unless a comment says otherwise.

Source: WhatsApp Cloud API reference, "Messages" (November 2026). Where Meta's pages contradict each other, the stricter limit
applies.
"""

TEXT_BODY = 4096
INTERACTIVE_BODY = 1024
LIST_BODY = 4096
FOOTER = 60
HEADER_TEXT = 60
BUTTONS = 3  # a count
BUTTON_TITLE = 20
BUTTON_ID = 256
LIST_BUTTON = 20
LIST_ROWS = 10  # a count, over all sections
ROW_TITLE = 24
ROW_ID = 200
ROW_DESCRIPTION = 72
CTA_DISPLAY_TEXT = 20
ADDRESS = 2048  # of a link; what browsers and Meta take is not documented, and no address needs more
FILENAME = 240  # not documented; file systems take 255 bytes
CARDS_LEAST, CARDS = 2, 10  # counts, of a carousel
CARD_BODY = 160
CARD_LINE_BREAKS = 2  # a count
PRODUCT_ID = 512  # a retailer's id of a product, or the id of a catalog
PRODUCT_SECTIONS = 10  # a count
PRODUCTS = 30  # a count, over all sections
SECTION_TITLE = 24
CONTACT_CARDS = 257  # a count
CONTACT_NAME = 1024
EMOJI = 32
META_ID = 512  # of a message or an upload
FLOW_CTA = 20
CAPTION = 1024
PLACE_TEXT = 1024  # the name or the address of a place; not documented
TEMPLATE_BODY = 1024  # of a parameter; Meta counts the whole body
TEMPLATE_HEADER = 60
TEMPLATE_PAYLOAD = 128  # of a quick reply
COUPON_CODE = 20
CALLBACK_DATA = 512

MEDIA_ENDINGS = {
    "image": ("jpg", "jpeg", "png"),
    "video": ("mp4", "3gp"),
    "audio": ("aac", "amr", "mp3", "m4a", "mp4", "ogg", "opus"),
    "sticker": ("webp",),
}
"""The endings of the files that Meta accepts for each type of media; a document may be any file."""
