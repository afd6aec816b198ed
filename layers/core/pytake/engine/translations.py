"""The translations of a document: which texts of its nodes it replaces in another language.

`texts` holds, for each language, the texts that replace those written in the nodes, by the id of the node and the place of the
text: `menu.text`, `menu.buttons.yes.label`. An option is named by its `value`, which no language replaces, so that every
condition holds in every language. A text without a translation stays as it is written.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct, structs

from pytake.engine.document import FlowDocument
from pytake.engine.field_types import Button, ChoiceSpec
from pytake.engine.registry import NodeData
from pytake.engine.texts import language_code


def own_language(document: FlowDocument) -> str:
    """The language in which the texts of a document's nodes are written."""
    return language_code(document.language) or document.language


def texts_by_node(document: FlowDocument, language: str) -> dict[str, dict[str, str]]:
    """A document's texts in one language: by the node's id, then by the place in its data. Texts of no node have the id ``."""
    ids = {node.id for node in document.nodes}
    found: dict[str, dict[str, str]] = {}
    for key, text in document.texts.get(language, {}).items():
        dots = [index for index, character in enumerate(key) if character == "."]
        cut = next((index for index in reversed(dots) if key[:index] in ids), None)
        place = ("", key) if cut is None else (key[:cut], key[cut + 1 :])
        found.setdefault(place[0], {})[place[1]] = text
    return found


class ShownText(Struct, frozen=True):
    """A text of a node that people may see. `key` is its place in `texts` without the node's id, `field` its place in the data.

    `optional`: the same text often serves every language, such as a link, so that a missing translation is not a problem.
    """

    key: str
    field: str
    text: str
    optional: bool


def shown_texts(data: NodeData) -> Iterator[ShownText]:
    """Every text of a node's data that `texts` can replace."""
    found: list[ShownText] = []
    for pattern in type(data).TEXTS:
        _replaced(data, pattern.removesuffix("?").split("."), _Place("", "", pattern.endswith("?")), {}, found)
    return iter(found)


def translated(data: NodeData, texts: Mapping[str, str]) -> tuple[NodeData, dict[str, str]]:
    """The node's data with these texts (by their `key`), and the key of each replaced text by its field."""
    found: list[ShownText] = []
    for pattern in type(data).TEXTS:
        data = _replaced(data, pattern.removesuffix("?").split("."), _Place("", "", optional=False), texts, found)
    return data, {one.field: one.key for one in found if one.key in texts}


class _Place(Struct, frozen=True):
    key: str
    field: str
    optional: bool

    def inside(self, name: str) -> "_Place":
        return _Place(_joined(self.key, name), _joined(self.field, name), self.optional)

    def item(self, name: str, index: int) -> "_Place":
        return _Place(_joined(self.key, name), f"{self.field}[{index}]", self.optional)


def _joined(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _replaced(value: Any, path: list[str], place: _Place, texts: Mapping[str, str], found: list[ShownText]) -> Any:
    """The value with the texts at a path replaced. Adds every text there to `found`."""
    if not path:
        if not isinstance(value, str) or not value:
            return value
        found.append(ShownText(place.key, place.field, value, place.optional))
        return texts.get(place.key, value)
    name, rest = path[0], path[1:]
    if name == "[]":
        if not isinstance(value, list):
            return value
        return [
            _item(item, rest, place.item(_name(item, index), index), texts, found) for index, item in enumerate(value)
        ]
    inner = value.get(name) if isinstance(value, dict) else getattr(value, name, None)
    if inner is None:
        return value
    changed = _replaced(inner, rest, place.inside(name), texts, found)
    if changed is inner or changed == inner:
        return value
    if isinstance(value, dict):
        return {**value, name: changed}
    if isinstance(value, Button) and value.value is None:
        return structs.replace(value, label=changed, value=value.label)  # the stored value stays the same
    return structs.replace(value, **{name: changed})


def _item(item: Any, path: list[str], place: _Place, texts: Mapping[str, str], found: list[ShownText]) -> Any:
    if isinstance(item, str) and path == ["label"]:  # a choice without a label of its own
        place = place.inside("label")
        found.append(ShownText(place.key, place.field, item, optional=True))
        return ChoiceSpec(item, texts[place.key]) if place.key in texts else item
    return _replaced(item, path, place, texts, found)


def _name(item: Any, index: int) -> str:
    """What an item of a list is called in `texts`: an option by its value, anything else by its index."""
    match item:
        case Button():
            return item.value or item.label
        case ChoiceSpec():
            return item.value
        case str():
            return item
    return str(index)
