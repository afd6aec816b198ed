"""Meta's rules for interactive messages: buttons, lists, links, forms, products, carousels."""

from collections.abc import Callable

from local.graph_errors import GraphApiError
from local.graph_fields import (
    BAD_VALUE,
    INVALID,
    Json,
    check_keys,
    check_media,
    check_unique,
    check_url,
    list_at,
    object_at,
    text_at,
)
from pytake.whatsapp import limits

_WITHOUT_HEADER_AND_FOOTER = ("location_request_message", "carousel", "request_contact_info", "call_permission_request")


def check_interactive(payload: Json) -> None:
    """Check an interactive message. Raises `GraphApiError`."""
    interactive = object_at(payload, "interactive", "")
    kind = text_at(interactive, "type", "interactive", longest=64)
    check = _INTERACTIVE.get(kind)
    if check is None:
        raise GraphApiError(
            INVALID, f"Param interactive['type'] must be one of {{{', '.join(sorted(_INTERACTIVE))}}}, got {kind}"
        )
    plain = kind in _WITHOUT_HEADER_AND_FOOTER
    check_keys(interactive, "interactive", ("type", "body", "action", *(() if plain else ("header", "footer"))))
    if "body" in interactive or kind != "product":
        body = object_at(interactive, "body", "interactive")
        longest = limits.LIST_BODY if kind == "list" else limits.INTERACTIVE_BODY
        text_at(body, "text", "interactive.body", longest=longest)
    if "footer" in interactive:
        footer = object_at(interactive, "footer", "interactive")
        text_at(footer, "text", "interactive.footer", longest=limits.FOOTER)
    if "header" in interactive or kind == "product_list":
        _header(object_at(interactive, "header", "interactive"), text_only=kind in {"list", "product_list"})
    check(object_at(interactive, "action", "interactive"))


def _header(header: Json, *, text_only: bool) -> None:
    path = "interactive.header"
    kind = text_at(header, "type", path, longest=16)
    allowed = ("text",) if text_only else ("text", "image", "video", "document")
    if kind not in allowed:
        raise GraphApiError(BAD_VALUE, f"{path}.type must be one of {', '.join(allowed)}")
    check_keys(header, path, ("type", kind, "sub_text"))
    if kind == "text":
        text_at(header, "text", path, longest=limits.HEADER_TEXT)
    else:
        keys = ("id", "link", "filename") if kind == "document" else ("id", "link")
        check_media(object_at(header, kind, path), f"{path}.{kind}", keys)


def _buttons(action: Json) -> None:
    path = "interactive.action.buttons"
    replies = []
    for at, button in enumerate(list_at(action, "buttons", "interactive.action", most=limits.BUTTONS)):
        if button.get("type") != "reply":
            raise GraphApiError(BAD_VALUE, f'{path}[{at}].type must be "reply"')
        reply = object_at(button, "reply", f"{path}[{at}]")
        text_at(reply, "id", f"{path}[{at}].reply", longest=limits.BUTTON_ID)
        text_at(reply, "title", f"{path}[{at}].reply", longest=limits.BUTTON_TITLE)
        replies.append(reply)
    check_unique(replies, "id", path)
    check_unique(replies, "title", path)


def _options(action: Json) -> None:
    text_at(action, "button", "interactive.action", longest=limits.LIST_BUTTON)
    sections = list_at(action, "sections", "interactive.action", most=limits.LIST_ROWS)
    rows = []
    for at, section in enumerate(sections):
        path = f"interactive.action.sections[{at}]"
        text_at(section, "title", path, longest=limits.ROW_TITLE, required=len(sections) > 1)
        for number, row in enumerate(list_at(section, "rows", path)):
            check_keys(row, f"{path}.rows[{number}]", ("id", "title", "description"))
            text_at(row, "id", f"{path}.rows[{number}]", longest=limits.ROW_ID)
            text_at(row, "title", f"{path}.rows[{number}]", longest=limits.ROW_TITLE)
            text_at(row, "description", f"{path}.rows[{number}]", longest=limits.ROW_DESCRIPTION, required=False)
            rows.append(row)
    if len(rows) > limits.LIST_ROWS:
        raise GraphApiError(
            BAD_VALUE, f"Total row count exceeds the allowed maximum: {limits.LIST_ROWS}, got {len(rows)}"
        )
    check_unique(rows, "id", "interactive.action.sections")


def _cta_url(action: Json) -> None:
    parameters = _named(action, "cta_url")
    text_at(parameters, "display_text", "interactive.action.parameters", longest=limits.CTA_DISPLAY_TEXT)
    check_url(parameters, "url", "interactive.action.parameters")


def _flow(action: Json) -> None:
    path = "interactive.action.parameters"
    parameters = _named(action, "flow")
    if parameters.get("flow_message_version") != "3":
        raise GraphApiError(BAD_VALUE, f'{path}.flow_message_version must be "3"')
    if ("flow_id" in parameters) == ("flow_name" in parameters):
        raise GraphApiError(INVALID, f"Give exactly one of flow_id and flow_name in {path}")
    text_at(parameters, "flow_id" if "flow_id" in parameters else "flow_name", path, longest=200)
    text_at(parameters, "flow_cta", path, longest=limits.FLOW_CTA)
    text_at(parameters, "flow_token", path, longest=1024, required=False)
    kind = parameters.get("flow_action", "navigate")
    if kind not in ("navigate", "data_exchange"):
        raise GraphApiError(BAD_VALUE, f"{path}.flow_action must be navigate or data_exchange")
    if "flow_action_payload" in parameters:
        start = object_at(parameters, "flow_action_payload", path)
        text_at(start, "screen", f"{path}.flow_action_payload", longest=200, required=False)
        if "data" in start and (not isinstance(start["data"], dict) or not start["data"]):
            raise GraphApiError(BAD_VALUE, f"{path}.flow_action_payload.data must be a non-empty object")


def _named(action: Json, name: str) -> Json:
    if action.get("name") != name:
        raise GraphApiError(BAD_VALUE, f'interactive.action.name must be "{name}"')
    return object_at(action, "parameters", "interactive.action")


def _product(action: Json) -> None:
    check_keys(action, "interactive.action", ("catalog_id", "product_retailer_id"))
    for key in ("catalog_id", "product_retailer_id"):
        text_at(action, key, "interactive.action", longest=limits.PRODUCT_ID)


def _products(action: Json) -> None:
    check_keys(action, "interactive.action", ("catalog_id", "sections"))
    text_at(action, "catalog_id", "interactive.action", longest=limits.PRODUCT_ID)
    sections = list_at(action, "sections", "interactive.action", most=limits.PRODUCT_SECTIONS)
    count = 0
    for at, section in enumerate(sections):
        path = f"interactive.action.sections[{at}]"
        text_at(section, "title", path, longest=limits.SECTION_TITLE, required=len(sections) > 1)
        items = list_at(section, "product_items", path)
        for item in items:
            text_at(item, "product_retailer_id", f"{path}.product_items", longest=limits.PRODUCT_ID)
        count += len(items)
    if count > limits.PRODUCTS:
        raise GraphApiError(
            BAD_VALUE, f"Total product count exceeds the allowed maximum: {limits.PRODUCTS}, got {count}"
        )


def _catalog(action: Json) -> None:
    check_keys(action, "interactive.action", ("name", "parameters"))
    if action.get("name") != "catalog_message":
        raise GraphApiError(BAD_VALUE, 'interactive.action.name must be "catalog_message"')
    if "parameters" in action:
        parameters = object_at(action, "parameters", "interactive.action")
        text_at(parameters, "thumbnail_product_retailer_id", "interactive.action.parameters", longest=limits.PRODUCT_ID)


def _carousel(action: Json) -> None:
    check_keys(action, "interactive.action", ("cards",))
    cards = list_at(action, "cards", "interactive.action", least=limits.CARDS_LEAST, most=limits.CARDS)
    shapes: set[tuple[object, ...]] = set()
    for at, card in enumerate(cards):
        path = f"interactive.action.cards[{at}]"
        if card.get("card_index") != at:
            raise GraphApiError(BAD_VALUE, f"{path}.card_index must be {at}")
        inner = object_at(card, "action", path)
        if card.get("type") == "product":
            _product(inner)
            shapes.add(("product", inner["catalog_id"]))
            continue
        header = object_at(card, "header", path)
        kind = text_at(header, "type", f"{path}.header", longest=16)
        if kind not in ("image", "video"):
            raise GraphApiError(BAD_VALUE, f"{path}.header.type must be image or video")
        check_media(object_at(header, kind, f"{path}.header"), f"{path}.header.{kind}", ("id", "link"))
        if "body" in card:
            body = text_at(object_at(card, "body", path), "text", f"{path}.body", longest=limits.CARD_BODY)
            if body.count("\n") > limits.CARD_LINE_BREAKS:
                raise GraphApiError(BAD_VALUE, f"{path}.body.text has more than {limits.CARD_LINE_BREAKS} line breaks")
        shapes.add((kind, *_card_buttons(inner, f"{path}.action")))
    if len(shapes) > 1:
        raise GraphApiError(BAD_VALUE, "All cards need the same header, the same buttons and the same catalog")


def _card_buttons(action: Json, path: str) -> tuple[str, int]:
    """The kind and the number of a card's buttons."""
    if "buttons" not in action:
        _cta_url(action)
        return "cta_url", 1
    buttons = list_at(action, "buttons", path, most=limits.BUTTONS)
    for at, button in enumerate(buttons):
        if button.get("type") != "quick_reply":
            raise GraphApiError(BAD_VALUE, f'{path}.buttons[{at}].type must be "quick_reply"')
        reply = object_at(button, "quick_reply", f"{path}.buttons[{at}]")
        text_at(reply, "id", f"{path}.buttons[{at}].quick_reply", longest=limits.BUTTON_ID)
        text_at(reply, "title", f"{path}.buttons[{at}].quick_reply", longest=limits.BUTTON_TITLE)
    return "quick_reply", len(buttons)


def _only_named(name: str, *, parameters: bool = False) -> Callable[[Json], None]:
    def check(action: Json) -> None:
        check_keys(action, "interactive.action", ("name", "parameters") if parameters else ("name",))
        if action.get("name") != name:
            raise GraphApiError(BAD_VALUE, f'interactive.action.name must be "{name}"')

    return check


_INTERACTIVE: dict[str, Callable[[Json], None]] = {
    "button": _buttons,
    "list": _options,
    "cta_url": _cta_url,
    "location_request_message": _only_named("send_location"),
    "flow": _flow,
    "product": _product,
    "product_list": _products,
    "catalog_message": _catalog,
    "carousel": _carousel,
    "request_contact_info": _only_named("request_contact_info"),
    "call_permission_request": _only_named("call_permission_request"),
    "voice_call": _only_named("voice_call", parameters=True),
}
