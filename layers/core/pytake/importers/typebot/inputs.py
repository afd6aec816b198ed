"""Typebot's inputs as questions."""

from collections.abc import Callable
from typing import Any

from pytake.importers.draft import Chain
from pytake.importers.options import fit_options, with_lines
from pytake.importers.reading import as_dict, as_float, as_text, dicts
from pytake.importers.sources import changed, see
from pytake.importers.typebot.bot import Bot
from pytake.importers.typebot.cards import card_options, show_cards
from pytake.importers.typebot.conditions import branch
from pytake.whatsapp import limits as meta

_URL = r"^(https?://)?[\w-]+(\.[\w-]+)+([/?#].*)?$"
_TIME = r"^([01]?\d|2[0-3])[:hH.]?[0-5]?\d?\s?([aApP][mM])?$"
_NO_TEXT = "―"  # what Typebot sends above options without a text
Build = Callable[[Bot, Chain, dict[str, Any], dict[str, Any]], dict[str, Any]]


def ask(bot: Bot, chain: Chain, block: dict[str, Any]) -> None:
    """Add the question of an input. What was just said in this group becomes the question's text or picture."""
    kind = as_text(block.get("type"))
    options = as_dict(block.get("options"))
    data: dict[str, Any] = {**_taken(chain), "variable": bot.store(options.get("variableId"))}
    if kind == "cards":
        _ask_cards(bot, chain, block, data)
        return
    if kind in ("choice input", "picture choice input"):
        _ask_choice(bot, chain, block, data)
        return
    data["validation"] = _VALIDATIONS[kind](bot, chain, block, options)
    retry = as_text(options.get("retryMessageContent"))
    if retry:
        data["validation"]["error_message"] = bot.text(chain, block, retry)
    node = chain.add("question", data, f"ask_{data['variable']}")
    shown = bot.text(chain, block, as_text(as_dict(options.get("labels")).get("placeholder")))
    bot.draft.report.silent_texts[bot.draft.id, node["id"]] = shown or "Type your answer..."
    audio = as_dict(options.get("audioClip"))
    if audio.get("isEnabled"):
        bot.written.add(bot.variable(audio.get("saveVariableId")))
        chain.set(bot.variable(audio.get("saveVariableId")), "{{input.media_id}}")
        bot.lose(
            chain, block, "audio_clip", "loss", "A voice message is stored as a file of WhatsApp, not as an address."
        )


def _taken(chain: Chain) -> dict[str, Any]:
    """The text and the picture of the message before, which becomes part of the question."""
    last = chain.last
    if last is None or last["type"] != "message" or set(last["data"]) - {"text", "media"}:
        return {}
    data = last["data"]
    if as_dict(data.get("media")).get("type") in ("audio", "sticker") or not chain.remove_last():
        return {}
    found = {"question": data["text"]} if "text" in data else {}
    return {**found, "media": data["media"]} if "media" in data else found


def _text(bot: Bot, chain: Chain, block: dict[str, Any], options: dict[str, Any]) -> dict[str, Any]:
    attachments = as_dict(options.get("attachments"))
    audio = as_dict(options.get("audioClip"))
    if attachments.get("isEnabled") or audio.get("isEnabled"):
        if attachments.get("isEnabled"):
            bot.store(attachments.get("saveVariableId"))
            bot.lose(chain, block, "attachments", "loss", "PyTake takes a text or a file, not both together.")
        return {"type": "any"}
    return {"type": "text"}


def _number(bot: Bot, chain: Chain, block: dict[str, Any], options: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {"type": "number"}
    for name in ("min", "max"):
        number = as_float(options.get(name))
        if number is not None:
            found[name] = int(number) if number.is_integer() else number
        elif as_text(options.get(name)).strip():
            bot.lose(
                chain, block, "bound", "loss", f"The bound `{name}` is a variable. Check the number by a condition."
            )
    step = as_float(options.get("step"))
    if step and step != 1:
        message = f"A web page counts in steps of {step:g}. PyTake takes every number: check it by a condition."
        bot.lose(chain, block, "number_step", "note", message, ahead=True)
    look = [as_text(options.get(name)) for name in ("style", "currency", "unit", "locale")]
    if any(look):
        message = (
            f"A web page writes the number as {', '.join(filter(None, look))}. Write it so in the texts that show it."
        )
        bot.lose(chain, block, "number_format", "note", message, ahead=True)
    return found


def _rating(_: Bot, __: Chain, ___: dict[str, Any], options: dict[str, Any]) -> dict[str, Any]:
    most = as_float(options.get("length"))
    least = as_float(options.get("startsAt"))
    one_by_one = as_text(options.get("buttonType")) == "Icons" or least is None
    return {"type": "number", "min": 1 if one_by_one and least is None else int(least or 0), "max": int(most or 10)}


def _date(bot: Bot, chain: Chain, block: dict[str, Any], options: dict[str, Any]) -> dict[str, Any]:
    if options.get("isRange") or options.get("hasTime"):
        message = "PyTake reads one day. Ask for the end or for the time in another question."
        bot.lose(chain, block, "date_range", "loss", message)
    found: dict[str, Any] = {"type": "date"}
    for name in ("min", "max"):
        value = as_text(options.get(name))[:10]
        if len(value) == 10 and value[4] == "-":
            found[name] = value
    return found


def _phone(_: Bot, __: Chain, ___: dict[str, Any], options: dict[str, Any]) -> dict[str, Any]:
    country = as_text(options.get("defaultCountryCode"))
    return {"type": "phone", "country": country} if len(country) == 2 else {"type": "phone"}


def _file(bot: Bot, chain: Chain, block: dict[str, Any], options: dict[str, Any]) -> dict[str, Any]:
    if options.get("isMultipleAllowed"):
        bot.lose(chain, block, "several_files", "loss", "PyTake takes one file at a time. Ask again for the next one.")
    if options.get("isRequired") is False:
        return {"type": "any"}
    return {"type": "media"}


def _payment(bot: Bot, chain: Chain, block: dict[str, Any], _: dict[str, Any]) -> dict[str, Any]:
    see(block)
    message = "PyTake takes no payments. Send a payment link, and wait for the event of your payment provider."
    bot.lose(chain, block, "payment", "blocker", message)
    return {"type": "any"}


_VALIDATIONS: dict[str, Build] = {
    "text input": _text,
    "number input": _number,
    "email input": lambda *_: {"type": "email"},
    "url input": lambda *_: {"type": "regex", "pattern": _URL},
    "time input": lambda *_: {"type": "regex", "pattern": _TIME},
    "date input": _date,
    "phone number input": _phone,
    "rating input": _rating,
    "file input": _file,
    "payment input": _payment,
}
INPUTS = frozenset(_VALIDATIONS) | {"choice input", "picture choice input", "cards"}


def _ask_cards(bot: Bot, chain: Chain, block: dict[str, Any], data: dict[str, Any]) -> None:
    if "media" in data:
        chain.add("message", {"media": data.pop("media")}, "picture")
    if show_cards(bot, chain, block, data.get("question", _NO_TEXT), data["variable"]):
        return
    message = (
        "WhatsApp shows 2 to 10 cards, each with a picture and equally many buttons, at most 3. These cards became options, "
        "and what the block saves of them has to be stored by hand."
    )
    bot.lose(chain, block, "cards", "loss", message, ahead=True)
    see(block)
    _ask_choice(bot, chain, changed(block, {"type": "choice input", "items": card_options(block)}), data)


def _ask_choice(bot: Bot, chain: Chain, block: dict[str, Any], data: dict[str, Any]) -> None:
    options = as_dict(block.get("options"))
    pictures = block.get("type") == "picture choice input"
    dynamic = as_dict(options.get("dynamicItems")) if pictures else options
    if dynamic.get("isEnabled") is True if pictures else bool(options.get("dynamicVariableId")):
        _ask_from_list(bot, chain, block, data)
        return
    items = [item for item in dicts(block.get("items")) if _label(item).strip()]
    if pictures:
        _show_pictures(bot, chain, block, items)
    labels = [bot.text(chain, block, _label(item)) for item in items]
    targets: list[str | None] = [bot.target(item.get("outgoingEdgeId")) for item in items]
    if not items:
        bot.lose(chain, block, "no_options", "loss", "The choice has no options. Any answer is taken.")
        chain.add("question", {**data, "validation": {"type": "any"}}, f"ask_{data['variable']}")
        return
    several = bool(options.get("isMultipleChoice"))
    choices = fit_options(labels, None if several else targets)
    for item, button in zip(items, choices.buttons, strict=False):
        _decorate(bot, chain, block, item, button)
    if choices.lines:
        data["question"] = with_lines(data.get("question", ""), choices)
    if choices.buttons:
        data["buttons"] = choices.buttons
    if several and choices.buttons:
        data["multiple"] = {}
    elif choices.buttons:
        data["validation"] = {"type": "choice"}
    else:
        data["validation"] = {"type": "choice", "choices": choices.values}
        if several:
            bot.lose(
                chain,
                block,
                "several_choices",
                "loss",
                "Several of more than 10 options: one can be chosen.",
                ahead=True,
            )
    if len(data.get("question", "")) > (meta.LIST_BODY if len(choices.buttons) > 3 else meta.INTERACTIVE_BODY):
        chain.add("message", {"text": data.pop("question")}, "message")
    for label in choices.shortened:
        bot.lose(chain, block, "label_shortened", "note", f"WhatsApp shows at most 72 characters: `{label[:60]}…`.")
    node = chain.add("question", data, f"ask_{data['variable']}")
    bot.draft.report.silent_texts[bot.draft.id, node["id"]] = _NO_TEXT
    if not choices.buttons and any(targets):
        _route_lines(chain, data["variable"], choices.values, targets)


def _route_lines(chain: Chain, variable: str, values: list[str], targets: list[str | None]) -> None:
    branches = [
        {"all": [{"variable": variable, "operator": "==", "value": value}], "next_node_id": target}
        for value, target in zip(values, targets, strict=True)
        if target is not None
    ]
    data: dict[str, Any] = {"branches": branches}
    chain.add("condition", data, f"check_{variable}", follows=False)
    chain.reopen([(data, "default_next_node_id")])


def _label(item: dict[str, Any]) -> str:
    return (
        as_text(item.get("content"))
        or as_text(item.get("title"))
        or as_text(item.get("description"))
        or ("Option" if item.get("pictureSrc") or item.get("imageUrl") else "")
    )


def _decorate(bot: Bot, chain: Chain, block: dict[str, Any], item: dict[str, Any], button: dict[str, Any]) -> None:
    value = as_text(item.get("value"))
    if value.strip():
        button["value"] = bot.text(chain, block, value)[: meta.ROW_ID]
    description = as_text(item.get("description"))
    if description and "description" not in button and description != button["label"]:
        button["description"] = bot.text(chain, block, description)[: meta.ROW_DESCRIPTION]
    shown = as_dict(item.get("displayCondition"))
    if shown.get("isEnabled"):
        made = branch(bot, chain, block, shown.get("condition"))
        comparisons = next(iter(made.values())) if made else []
        if len(comparisons) == 1:
            button["show_if"] = comparisons[0]
        elif comparisons:
            message = f"The option `{button['label']}` has several conditions. It is shown always."
            bot.lose(chain, block, "display_condition", "loss", message)


def _show_pictures(bot: Bot, chain: Chain, block: dict[str, Any], items: list[dict[str, Any]]) -> None:
    for item in items:
        link = bot.text(chain, block, as_text(item.get("pictureSrc")))
        if link.strip():
            media = {"type": "image", "link": link, "caption": bot.text(chain, block, _label(item))[: meta.CAPTION]}
            chain.add("message", {"media": media}, "picture")


def _ask_from_list(bot: Bot, chain: Chain, block: dict[str, Any], data: dict[str, Any]) -> None:
    """Options that come from a list variable."""
    options = as_dict(block.get("options"))
    dynamic = as_dict(options.get("dynamicItems"))
    source = options.get("dynamicVariableId") or dynamic.get("titlesVariableId") or dynamic.get("pictureSrcsVariableId")
    name = bot.variable(source, "options")
    bot.read.add(name)
    if dynamic:
        bot.lose(chain, block, "dynamic_pictures", "loss", "The options of the list are shown without their pictures.")
    see(block.get("items"))
    data["options_from"] = {"list": name, "label": "{{item}}", "value": "{{item}}"}
    if options.get("isMultipleChoice"):
        data["multiple"] = {}
    node = chain.add("question", data, f"ask_{data['variable']}")
    bot.draft.report.silent_texts[bot.draft.id, node["id"]] = _NO_TEXT
    bot.lose(chain, block, "list_of_options", "note", "WhatsApp shows the first 10 items of the list.")
