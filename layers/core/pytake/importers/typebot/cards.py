"""Typebot's cards as a carousel."""

from typing import Any

from pytake.importers.draft import Chain, Ref
from pytake.importers.options import distinct
from pytake.importers.reading import as_dict, as_text, dicts
from pytake.importers.typebot.bot import Bot
from pytake.whatsapp import limits as meta

_NO_LABEL = "Select"


def show_cards(bot: Bot, chain: Chain, block: dict[str, Any], text: str, variable: str) -> bool:
    """Add the cards under a text. False if WhatsApp cannot show them: they need pictures and equally many buttons."""
    cards = dicts(block.get("items"))
    paths = [dicts(card.get("paths")) or [{}] for card in cards]
    if (
        not meta.CARDS_LEAST <= len(cards) <= meta.CARDS
        or len({len(one) for one in paths}) != 1
        or len(paths[0]) > meta.BUTTONS
        or not all(as_text(card.get("imageUrl")).strip() for card in cards)
    ):
        return False
    mapping = [
        (as_text(one.get("field")), bot.store(one.get("variableId")))
        for one in dicts(as_dict(block.get("options")).get("saveResponseMapping"))
        if as_text(one.get("variableId"))
    ]
    values = iter(distinct([_name(card, path) for card, own in zip(cards, paths, strict=True) for path in own]))
    data: dict[str, Any] = {"text": text, "carousel": [], "variable": variable}
    chain.add("message", data, "cards", follows=False)
    places = [(data, "next_node_id")]
    for card, own in zip(cards, paths, strict=True):
        buttons = []
        for path in own:
            label = bot.text(chain, block, as_text(path.get("text"))).strip() or _NO_LABEL
            button: dict[str, Any] = {"label": _shortened(label, meta.BUTTON_TITLE), "value": next(values)}
            target = bot.target(path.get("outgoingEdgeId"))
            if mapping:
                button["next_node_id"] = Ref(f"card:{block.get('id')}:{button['value']}")
                stored = bot.draft.chain(button["next_node_id"])
                for field, name in mapping:
                    stored.set(name, _field(bot, chain, block, card, label, field))
                if target is not None:
                    stored.go(target)
                places += stored.take_open()
            elif target is not None:
                button["next_node_id"] = target
            buttons.append(button)
        data["carousel"].append(_card(bot, chain, block, card, buttons))
        if as_dict(as_dict(card.get("options")).get("displayCondition")).get("isEnabled"):
            message = f"The card `{_title(card)[:60]}` has a condition. It is shown always."
            bot.lose(chain, block, "display_condition", "loss", message)
    chain.reopen(places)
    return True


def card_options(block: dict[str, Any]) -> list[dict[str, Any]]:
    """The buttons of all cards as the items of a choice."""
    return [
        {"content": _name(card, path), "outgoingEdgeId": path.get("outgoingEdgeId")}
        for card in dicts(block.get("items"))
        for path in dicts(card.get("paths")) or [{}]
    ]


def _card(
    bot: Bot, chain: Chain, block: dict[str, Any], card: dict[str, Any], buttons: list[dict[str, Any]]
) -> dict[str, Any]:
    title, description = (bot.text(chain, block, as_text(card.get(name))) for name in ("title", "description"))
    lines = [f"*{title}*" if title.strip() else "", " ".join(description.split())]
    text = _shortened("\n".join(line for line in lines if line), meta.CARD_BODY)
    media = {"type": "image", "link": bot.text(chain, block, as_text(card.get("imageUrl"))).strip()}
    return {"media": media, **({"text": text} if text else {}), "buttons": buttons}


def _field(bot: Bot, chain: Chain, block: dict[str, Any], card: dict[str, Any], label: str, field: str) -> str:
    name = field.lower().replace(" ", "")
    if name.startswith("button"):
        return label
    values = {
        "title": card.get("title"),
        "description": card.get("description"),
        "imageurl": card.get("imageUrl"),
        "internalvalue": as_dict(card.get("options")).get("internalValue"),
    }
    return bot.text(chain, block, as_text(values.get(name)))


def _title(card: dict[str, Any]) -> str:
    return as_text(card.get("title")).strip() or as_text(card.get("description")).strip() or "Card"


def _name(card: dict[str, Any], path: dict[str, Any]) -> str:
    """What a button of a card is called among those of all cards."""
    several = len(dicts(card.get("paths"))) > 1
    text = as_text(path.get("text")).strip()
    return (f"{_title(card)}: {text}" if several and text else _title(card))[: meta.ROW_ID]


def _shortened(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"
