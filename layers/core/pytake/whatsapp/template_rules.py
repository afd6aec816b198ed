"""What Meta accepts as a new template, as far as it is documented. Meta itself checks more: the words, the files, the category.

Source: WhatsApp Business Management API, "Template components" (November 2026).
"""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from pytake.whatsapp.templates import is_language, is_name, parts_of, variables_of

Json = dict[str, Any]
Found = Iterator[tuple[str, str]]

CATEGORIES = ("MARKETING", "UTILITY", "AUTHENTICATION")
BODY, HEADER, FOOTER, BUTTON, OFFER_BODY, CARD_BODY = 1024, 60, 60, 25, 600, 160
MOST_BUTTONS, MOST_CARD_BUTTONS = 10, 2
_TTL = {"AUTHENTICATION": (30, 900), "UTILITY": (30, 43_200), "MARKETING": (43_200, 2_592_000)}
_ANY_TTL = -1
_HEADER_FORMATS = ("TEXT", "IMAGE", "VIDEO", "DOCUMENT", "GIF", "LOCATION", "PRODUCT")
_MOST_OF_KIND = {"QUICK_REPLY": 10, "URL": 2, "PHONE_NUMBER": 1, "COPY_CODE": 1, "FLOW": 1}
_TYPES = ("HEADER", "BODY", "FOOTER", "BUTTONS", "LIMITED_TIME_OFFER", "CAROUSEL", "CALL_PERMISSION_REQUEST")


def definition_problems(definition: Json) -> list[tuple[str, str]]:
    """What is wrong with the definition of a new template (`name`, `language`, `category`, `parameter_format`, `components`,
    `message_send_ttl_seconds`): each place with what to do."""
    return list(_problems(definition))


def _problems(definition: Json) -> Found:
    category = definition.get("category")
    if not is_name(definition.get("name")):
        yield "name", "The name has lower-case letters, digits and `_`, at most 512."
    if not is_language(definition.get("language")):
        yield "language", "Write the language as Meta does: pt_BR, en_US, es."
    if category not in CATEGORIES:
        yield "category", f"The category is one of {', '.join(CATEGORIES)}."
    ttl = definition.get("message_send_ttl_seconds")
    if ttl is not None and category in _TTL:
        lowest, highest = _TTL[category]
        if not (isinstance(ttl, int) and lowest <= ttl <= highest) and (ttl != _ANY_TTL or category == "MARKETING"):
            yield "message_send_ttl_seconds", f"{category} templates live {lowest} to {highest} seconds."
    components = definition.get("components")
    if not isinstance(components, list) or not all(isinstance(part, dict) for part in components):
        yield "components", "The components are a list of objects."
        return
    for at, part in enumerate(components):
        if str(part.get("type", "")).upper() not in _TYPES:
            yield f"components.{at}.type", f"The type of a component is one of {', '.join(_TYPES)}."
    parts = parts_of(components)
    if len(parts) < len(components):
        yield "components", "Each type of component may be there once."
    if "BODY" not in parts:
        yield "components", "A template needs a BODY."
    if category == "AUTHENTICATION":
        yield from _authentication(parts)
        return
    is_named = definition.get("parameter_format") == "NAMED"
    yield from _texts(parts, OFFER_BODY if "LIMITED_TIME_OFFER" in parts else BODY, is_named)
    yield from _button_list(parts, MOST_BUTTONS)
    yield from _offer(parts, category)
    if "CAROUSEL" in parts:
        yield from _carousel(parts["CAROUSEL"], is_named)


def _texts(parts: dict[str, Json], body: int, is_named: bool) -> Found:
    """Header, body and footer, with an example for each variable."""
    header = parts.get("HEADER")
    if header is not None:
        format_ = str(header.get("format", "")).upper()
        if format_ not in _HEADER_FORMATS:
            yield "HEADER.format", f"The format of a header is one of {', '.join(_HEADER_FORMATS)}."
        elif format_ == "TEXT":
            yield from _text("HEADER", header, HEADER, 1, is_named)
        elif format_ not in ("LOCATION", "PRODUCT") and not _example(header).get("header_handle"):
            yield "HEADER.example", 'A file needs an example: {"header_handle": ["4::..."]}, from a resumable upload.'
    if "BODY" in parts:
        yield from _text("BODY", parts["BODY"], body, None, is_named)
    if "FOOTER" in parts:
        yield from _text("FOOTER", parts["FOOTER"], FOOTER, 0, is_named)


def _text(place: str, part: Json, longest: int, most_variables: int | None, is_named: bool) -> Found:
    text = part.get("text")
    if not isinstance(text, str) or not text.strip():
        yield f"{place}.text", "The text is missing."
        return
    if len(text) > longest:
        yield f"{place}.text", f"The text has at most {longest} characters; this one has {len(text)}."
    names = variables_of(text)
    if most_variables is not None and len(names) > most_variables:
        yield f"{place}.text", f"This text has at most {most_variables} variables."
        return
    if not is_named and names != [str(number) for number in range(1, len(names) + 1)]:
        yield f"{place}.text", "Number the variables in order: {{1}}, {{2}}. Names need `parameter_format` named."
    if is_named and any(name.isdigit() or not is_name(name) for name in names):
        yield f"{place}.text", "The names of variables have lower-case letters, digits and `_`."
    if names and _examples_of(place.lower(), part, is_named) != len(names):
        yield f"{place}.example", f"Give an example for each of the {len(names)} variables."


def _examples_of(place: str, part: Json, is_named: bool) -> int:
    example = _example(part)
    found = example.get(f"{place}_text_named_params" if is_named else f"{place}_text")
    if not is_named and place == "body":  # a list of sets of examples
        found = found[0] if isinstance(found, list) and found else None
    return len(found) if isinstance(found, list) else 0


def _example(part: Json) -> Json:
    found = part.get("example")
    return found if isinstance(found, dict) else {}


def _button_list(parts: dict[str, Json], most: int) -> Found:
    if "BUTTONS" not in parts:
        return
    buttons = parts["BUTTONS"].get("buttons")
    if not isinstance(buttons, list) or not buttons or not all(isinstance(button, dict) for button in buttons):
        yield "BUTTONS.buttons", "The buttons are a list of objects."
        return
    if len(buttons) > most:
        yield "BUTTONS.buttons", f"There are at most {most} buttons here."
    types = [str(button.get("type", "")).upper() for button in buttons]
    for type_, most_of_kind in _MOST_OF_KIND.items():
        if types.count(type_) > most_of_kind:
            yield "BUTTONS.buttons", f"There are at most {most_of_kind} buttons of the type {type_}."
    # Quick replies stand together, before or behind the others.
    changes = sum(1 for a, b in pairwise(types) if (a == "QUICK_REPLY") != (b == "QUICK_REPLY"))
    if changes > 1:
        yield "BUTTONS.buttons", "Put the quick replies together, before or behind the other buttons."
    for at, button in enumerate(buttons):
        yield from _button(f"BUTTONS.buttons.{at}", types[at], button)


def _button(field: str, type_: str, button: Json) -> Found:
    text = button.get("text")
    if type_ in ("QUICK_REPLY", "URL", "PHONE_NUMBER", "FLOW"):
        if not isinstance(text, str) or not text.strip():
            yield f"{field}.text", "The button needs a text."
        elif len(text) > BUTTON:
            yield f"{field}.text", f"The text of a button has at most {BUTTON} characters."
    if type_ == "URL":
        url = button.get("url")
        if not isinstance(url, str) or not url.startswith(("https://", "http://")) or len(url) > 2000:
            yield f"{field}.url", "The address begins with https:// and has at most 2,000 characters."
        elif variables_of(url) and (len(variables_of(url)) > 1 or not url.rstrip().endswith("}}")):
            yield f"{field}.url", "An address has one variable, at its end."
        elif variables_of(url) and not button.get("example"):
            yield f"{field}.example", "Give an example of the whole address."
    elif type_ == "PHONE_NUMBER":
        number = button.get("phone_number")
        if not isinstance(number, str) or not 0 < len(number) <= 20:
            yield f"{field}.phone_number", "The phone number has at most 20 characters."
    elif type_ == "COPY_CODE":
        example = button.get("example")
        code = example[0] if isinstance(example, list) and example else example
        if not isinstance(code, str) or not 0 < len(code) <= 15:
            yield f"{field}.example", "Give an example of the code, at most 15 characters."
    elif type_ == "FLOW" and not any(button.get(name) for name in ("flow_id", "flow_name", "flow_json")):
        yield f"{field}.flow_id", "Name the form: `flow_id`, `flow_name` or `flow_json`."


def _offer(parts: dict[str, Json], category: Any) -> Found:
    if "LIMITED_TIME_OFFER" not in parts:
        return
    offer = parts["LIMITED_TIME_OFFER"].get("limited_time_offer")
    text = offer.get("text") if isinstance(offer, dict) else None
    if not isinstance(text, str) or not 0 < len(text) <= 16:
        yield "LIMITED_TIME_OFFER.limited_time_offer.text", "The text of an offer has at most 16 characters."
    if category != "MARKETING":
        yield "category", "An offer is MARKETING."
    if "FOOTER" in parts:
        yield "FOOTER", "A template with an offer has no footer."
    if "HEADER" in parts and str(parts["HEADER"].get("format", "")).upper() not in ("IMAGE", "VIDEO"):
        yield "HEADER.format", "The header of an offer is an image or a video."


def _carousel(carousel: Json, is_named: bool) -> Found:
    cards = carousel.get("cards")
    if not isinstance(cards, list) or not 2 <= len(cards) <= 10:
        yield "CAROUSEL.cards", "A carousel has 2 to 10 cards."
        return
    shapes = set()
    for at, card in enumerate(cards):
        components = card.get("components") if isinstance(card, dict) else None
        if not isinstance(components, list) or not all(isinstance(part, dict) for part in components):
            yield f"CAROUSEL.cards.{at}.components", "The components of a card are a list of objects."
            return
        parts = parts_of(components)
        format_ = str(parts.get("HEADER", {}).get("format", "")).upper()
        if format_ not in ("IMAGE", "VIDEO", "PRODUCT"):
            yield f"CAROUSEL.cards.{at}.HEADER.format", "The header of a card is an image, a video or a product."
        for found in (_texts(parts, CARD_BODY, is_named), _button_list(parts, MOST_CARD_BUTTONS)):
            for field, message in found:
                yield f"CAROUSEL.cards.{at}.{field}", message
        buttons = parts.get("BUTTONS", {}).get("buttons") or []
        shapes.add((format_, "BODY" in parts, tuple(str(button.get("type")).upper() for button in buttons)))
    if len(shapes) > 1:
        yield "CAROUSEL.cards", "All cards have the same components, in the same order."


def _authentication(parts: dict[str, Json]) -> Found:
    """Meta writes the texts of authentication templates; the button copies or fills in the code."""
    if "HEADER" in parts or "CAROUSEL" in parts:
        yield "components", "An authentication template has a body, a footer and one button."
    if "text" in parts.get("BODY", {}):
        yield "BODY.text", "Meta writes the text: set `add_security_recommendation` instead."
    minutes = parts.get("FOOTER", {}).get("code_expiration_minutes")
    if minutes is not None and not (isinstance(minutes, int) and 1 <= minutes <= 90):
        yield "FOOTER.code_expiration_minutes", "A code is valid for 1 to 90 minutes."
    buttons = parts.get("BUTTONS", {}).get("buttons")
    button = buttons[0] if isinstance(buttons, list) and len(buttons) == 1 and isinstance(buttons[0], dict) else {}
    otp_type = str(button.get("otp_type", "")).upper()
    if str(button.get("type", "")).upper() != "OTP" or otp_type not in ("COPY_CODE", "ONE_TAP", "ZERO_TAP"):
        yield (
            "BUTTONS.buttons",
            "An authentication template has one button: `type` OTP, `otp_type` copy_code, one_tap or zero_tap.",
        )
    elif otp_type != "COPY_CODE":
        apps = button.get("supported_apps")
        if not isinstance(apps, list) or not 1 <= len(apps) <= 5:
            yield "BUTTONS.buttons.0.supported_apps", "Name 1 to 5 apps, each with `package_name` and `signature_hash`."
        if otp_type == "ZERO_TAP" and button.get("zero_tap_terms_accepted") is not True:
            yield "BUTTONS.buttons.0.zero_tap_terms_accepted", "Accept Meta's terms for zero-tap."
