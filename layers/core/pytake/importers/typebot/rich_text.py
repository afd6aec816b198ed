"""Typebot's rich texts with WhatsApp's marks: *bold*, _italic_, ~struck~, `code`."""

from typing import Any

from pytake.importers.reading import as_list, as_text, dicts

_MARKS = (("code", "`"), ("strikethrough", "~"), ("italic", "_"), ("bold", "*"))


def plain_rich_text(content: Any) -> str:
    """The text of a rich text: a line for each paragraph, with variables still in their braces."""
    lines = [line for element in dicts(content) for line in _lines(element, 0, "")]
    return "\n".join(lines).strip("\n")


def _lines(element: dict[str, Any], depth: int, mark: str) -> list[str]:
    kind = as_text(element.get("type"))
    children = dicts(element.get("children"))
    if depth > 20:
        return []
    if kind in ("ul", "ol"):
        lines = []
        for number, child in enumerate(children, 1):
            bullet = "• " if kind == "ul" else f"{number}. "
            lines += _lines(child, depth + 1, "  " * max(0, depth) + bullet)
        return lines
    if kind == "li":
        return [line for at, child in enumerate(children) for line in _lines(child, depth + 1, mark if not at else "")]
    if any(child.get("type") in ("p", "ul", "ol", "li", "lic") for child in children):
        return [line for child in children for line in _lines(child, depth, "")]
    return [mark + "".join(_inline(child, depth + 1) for child in as_list(element.get("children")))]


def _inline(element: Any, depth: int) -> str:
    if not isinstance(element, dict) or depth > 40:
        return ""
    if "text" in element:
        return _marked(element)
    inside = "".join(_inline(child, depth + 1) for child in as_list(element.get("children")))
    url = as_text(element.get("url"))
    if element.get("type") == "a" and url:
        return inside if inside.strip() in (url, url.removeprefix("https://")) else f"{inside} ({url})"
    return inside


def _marked(element: dict[str, Any]) -> str:
    text = as_text(element.get("text"))
    core = text.strip()
    if not core:
        return text
    before, after = text[: len(text) - len(text.lstrip())], text[len(text.rstrip()) :]
    for name, mark in _MARKS:
        if element.get(name):
            core = f"{mark}{core}{mark}"
    return before + core + after
