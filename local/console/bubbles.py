"""Messages as a phone shows them: from Meta's JSON on a simulated phone, or from a transcript of the REST API."""

import html
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any, Literal

Json = Mapping[str, Any]
Ticks = Literal["", "waiting", "sent", "delivered", "read", "failed"]

MEDIA_ICONS = {
    "image": "image",
    "video": "movie",
    "audio": "mic",
    "document": "description",
    "sticker": "emoji_emotions",
    "location": "place",
    "contacts": "person",
}
_TICKS: dict[str, Ticks] = {"accepted": "sent", "sent": "sent", "delivered": "delivered", "read": "read"}
_FAILED = ("failed", "dead", "template_paused", "template_disabled", "template_rejected")


@dataclass(frozen=True)
class Choice:
    """A button or row that can be tapped."""

    id: str
    title: str
    description: str = ""


@dataclass(frozen=True)
class Media:
    """A file in a message: nothing is loaded from elsewhere, so it is shown as what it is called."""

    kind: str
    name: str = ""
    link: str = ""


@dataclass(frozen=True)
class Bubble:
    """One message on a screen.

    `mine` is on the right: the person's on the phone, the business's at an agent's desk. `menu` is the label that opens
    `rows`. `link` is a button to a page, label and address. `asks` is what the button of a message asks for: the person's
    place or a form. `note` and `problem` are for observers: where it came from, why it did not arrive.
    """

    key: str
    mine: bool
    speaker: Literal["user", "bot", "agent"]
    kind: str
    text: str
    at: float
    ticks: Ticks = ""
    header: str = ""
    footer: str = ""
    media: Media | None = None
    buttons: tuple[Choice, ...] = ()
    menu: str = ""
    rows: tuple[Choice, ...] = ()
    link: tuple[str, str] | None = None
    asks: Literal["", "location", "form"] = ""
    asks_label: str = ""
    note: str = ""
    problem: str = ""


def phone_bubble(entry: Json) -> Bubble:
    """Return a message of a simulated phone (`GET /_sim/phones/{phone}/messages`) as its owner sees it."""
    mine = entry["direction"] == "in"
    message = entry.get("message") or {}
    kind = str(entry.get("type", "text"))
    parts = _of_person(kind, message, entry) if mine else _of_business(kind, message, entry)
    return Bubble(
        **{
            "key": str(entry["id"]),
            "mine": mine,
            "speaker": "user" if mine else "bot",
            "kind": kind,
            "text": str(entry.get("text", "")),
            "at": float(entry["timestamp"]),
            "ticks": _ticks(entry.get("status")) if mine else "",
            **parts,
        }
    )


def transcript_bubble(message: Json, index: int, node: Callable[[str | None, str | None], str]) -> Bubble:
    """Return a message of a transcript as an agent sees it; `node` names a node of a flow."""
    speaker = message["speaker"]
    delivery = message.get("delivery")
    problem = ""
    if delivery in _FAILED or message.get("error_code"):
        problem = str(message.get("reason") or delivery)
        code = message.get("error_code")
        if code and str(code) not in problem:
            problem = f"{problem}:{code}"
    kind = str(message.get("type", "text"))
    options = tuple(Choice(title, title) for title in message.get("options") or ())
    return Bubble(
        key=f"{message['turn']}-{index}",
        mine=speaker != "user",
        speaker=speaker,
        kind=kind,
        text=str(message.get("text") or ""),
        at=datetime.fromisoformat(message["timestamp"]).timestamp(),
        ticks=_ticks(delivery) if speaker != "user" else "",
        media=Media(kind) if kind in MEDIA_ICONS else None,
        buttons=options,
        note=node(message.get("flow_id"), message.get("node_id")),
        problem=problem,
    )


def first_unsettled(entries: Iterable[Json]) -> int:
    """Return the `seq` before the first message that may still change: what follows has to be asked for again."""
    last = 0
    for entry in entries:
        if entry.get("status") not in ("read", "failed"):
            return int(entry["seq"]) - 1
        last = int(entry["seq"])
    return last


def as_html(text: str) -> str:
    """Return a text with WhatsApp's marks (`*bold*`, `_italic_`, `~struck~`, ```` ```code``` ````) and links as safe HTML."""
    parts = re.split(r"```(.+?)```", text, flags=re.DOTALL)
    shown = []
    for index, part in enumerate(parts):
        safe = html.escape(part, quote=True)
        if index % 2:
            shown.append(f"<code>{safe}</code>")
            continue
        for mark, tag in (("\\*", "b"), ("_", "i"), ("~", "s")):
            safe = re.sub(
                # What is between two marks contains none, so that the time is linear in the length of what a stranger wrote.
                rf"(?<![\w{mark}]){mark}(?=\S)([^\n{mark}]+)(?<=\S){mark}(?![\w{mark}])",
                rf"<{tag}>\1</{tag}>",
                safe,
            )
        shown.append(_LINK.sub(_linked, safe))
    return "".join(shown).replace("\n", "<br>")


_LINK = re.compile(r"(?<![\w/])https?://[^\s<>&\"']+(?:&amp;[^\s<>&\"']+)*")


def _linked(found: re.Match[str]) -> str:
    address = re.sub(r"</?[bis]>", "", found[0]).rstrip(".,;:!?)")
    rest = found[0][len(address) :] if found[0].startswith(address) else ""
    return f'<a href="{address}" target="_blank" rel="noopener noreferrer">{address}</a>{rest}'


def clock_time(at: float, zone: tzinfo | None = None) -> str:
    """Return the time of day as a phone shows it."""
    return datetime.fromtimestamp(at, zone).strftime("%H:%M")


def _ticks(status: object) -> Ticks:
    if status in _FAILED:
        return "failed"
    return _TICKS.get(str(status), "waiting")


def _of_person(kind: str, message: Json, entry: Json) -> dict[str, Any]:
    content = message.get(kind)
    content = content if isinstance(content, dict) else {}
    if kind in ("image", "video", "audio", "document", "sticker"):
        name = str(content.get("filename") or content.get("mime_type") or "")
        return {"media": Media(kind, name), "text": str(content.get("caption") or "")}
    if kind == "location":
        return {"media": Media(kind, _place(content)), "text": ""}
    reply = content.get("nfm_reply") if kind == "interactive" else None
    if isinstance(reply, dict):
        return {"media": Media("document", str(reply.get("body") or "")), "text": str(reply.get("response_json") or "")}
    return {"text": str(entry.get("text") or content.get("body") or "")}


def _place(content: Json) -> str:
    named = ", ".join(str(content[name]) for name in ("name", "address") if content.get(name))
    return named or f"{content.get('latitude')}, {content.get('longitude')}"


def _of_business(kind: str, message: Json, entry: Json) -> dict[str, Any]:
    content = message.get(kind)
    content = content if isinstance(content, dict) else {}
    if kind in ("image", "video", "audio", "document", "sticker"):
        return {"media": _file(kind, content), "text": str(content.get("caption") or "")}
    if kind == "location":
        return {"media": Media(kind, _place(content)), "text": ""}
    if kind == "contacts":
        return {"media": Media(kind, str(entry.get("text") or "")), "text": ""}
    if kind == "template":
        return {"buttons": _choices(entry.get("buttons")), "header": str(content.get("name") or "")}
    if kind != "interactive":
        return {}
    parts: dict[str, Any] = {"footer": str((content.get("footer") or {}).get("text") or "")}
    header = content.get("header") or {}
    if header.get("type") == "text":
        parts["header"] = str(header.get("text") or "")
    elif header.get("type"):
        parts["media"] = _file(str(header["type"]), header.get(header["type"]) or {})
    action = content.get("action") or {}
    parameters = action.get("parameters") or {}
    match content.get("type"):
        case "button" | "carousel":
            parts["buttons"] = _choices(entry.get("buttons"))
        case "list":
            parts["menu"], parts["rows"] = str(action.get("button") or ""), _choices(entry.get("rows"))
        case "cta_url":
            parts["link"] = (str(parameters.get("display_text") or ""), str(parameters.get("url") or ""))
        case "location_request_message":
            parts["asks"] = "location"
        case "flow":
            parts["asks"], parts["asks_label"] = "form", str(parameters.get("flow_cta") or "")
    return parts


def _file(kind: str, content: Json) -> Media:
    link = str(content.get("link") or "")
    return Media(kind, str(content.get("filename") or link.rpartition("/")[2] or content.get("id") or ""), link)


def _choices(listed: object) -> tuple[Choice, ...]:
    return tuple(
        Choice(str(one["id"]), str(one["title"]), str(one.get("description") or ""))
        for one in (listed if isinstance(listed, list) else ())
    )
