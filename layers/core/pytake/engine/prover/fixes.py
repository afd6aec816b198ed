"""Fixes: the mechanical corrections of problems, as JSON patches (RFC 6902) of the flow document.

A fix is offered where one correction is obvious: a name that is nearly right, a text that is too long, a node that nothing
reaches. Each patch first tests the places that it changes, so that it fails as a whole on a document that has changed since.
"""

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from pytake.engine.problems import Problem
from pytake.engine.prover.fix_places import Fix, Place, escaped, id_of, test
from pytake.engine.registry import node_types, validators
from pytake.engine.template import NAMESPACES, is_unclosed
from pytake.engine.texts import language_code
from pytake.whatsapp.limits import BUTTON_TITLE, MEDIA_ENDINGS

SHORTEST_VALUE = 4
"""A value is not cut to fewer characters than this: nothing useful would be left of it."""
_NEAR = 0.75
_BRACES = re.compile(r"\{\{(.*?)\}\}")


def fix_of(document: Mapping[str, Any], problem: Problem) -> Fix | None:
    """The correction of a problem of this document; None if there is none that is mechanical. Never raises."""
    fix = _FIXES.get(problem.code)
    if fix is None or (problem.flow_id or document.get("id")) != document.get("id"):
        return None
    if not isinstance(document.get("nodes"), list):
        return None
    return fix(Place(dict(document), problem))


def _nearest(name: str, names: list[str]) -> str | None:
    return next(iter(get_close_matches(name, names, n=1, cutoff=_NEAR)), None)


def _fresh(name: str, taken: Collection[str], gap: str = "_") -> str:
    """The name with a number that nothing else has; it stays within the length of a button's label."""
    number = 2
    while True:
        ending = f"{gap}{number}"
        fresh = name[: BUTTON_TITLE - len(ending)] + ending if gap == " " else name + ending
        if fresh not in taken:
            return fresh
        number += 1


def _shortened(text: str, limit: int) -> str:
    """The beginning of a text, up to the end of a word if that keeps half of it."""
    words = text[: limit + 1].rpartition(" ")[0].rstrip(" ,;:.-")
    return words if len(words) * 2 >= limit else text[:limit].rstrip()


def _unknown_field(place: Place) -> Fix | None:
    if place.pointer is None:
        return None
    near, parent = place.problem.nearest, place.pointer.rpartition("/")[0]
    if near is None or near in place.data:
        return place.remove("remove_field")
    removed = place.remove("use_name")
    return Fix(
        "use_name", [*removed.patch, {"op": "add", "path": f"{parent}/{escaped(near)}", "value": place.value}], near
    )


def _missing_field(place: Place) -> Fix | None:
    node_id, field = str(place.problem.node_id), str(place.problem.field)
    values = {"language": place.document.get("language") or "pt_BR", "operator": "=="}
    if re.fullmatch(r"\w+", node_id):
        values |= {"variable": node_id, "output_variable": node_id}
    if place.index is None or field not in values or "data" not in place.node:
        return None
    if field == "variable" and place.node.get("type") not in ("question", "whatsapp_flow"):
        return None  # which variable a condition reads cannot be known
    return place.add("use_name", f"/nodes/{place.index}/data/{field}", values[field])


def _invalid_value(place: Place) -> Fix | None:
    """A number or a text that is written as the other."""
    expected = re.match(r"Expected `(int|float|str|bool)\b", place.problem.message)
    if expected is None or place.pointer is None:
        return None
    kind, value = expected[1], place.value
    if kind == "str" and type(value) in (int, float):
        return place.replace("use_name", str(value))
    if kind in ("int", "float") and isinstance(value, str) and re.fullmatch(r"-?\d{1,15}(\.\d+)?", value.strip()):
        number = float(value)
        return place.replace("use_name", int(number) if number.is_integer() else number)
    if kind == "bool" and value in ("true", "false"):
        return place.replace("use_name", value == "true")
    return None


def _unknown_type(place: Place) -> Fix | None:
    known = {"type": list(node_types()), "validation.type": list(validators())}.get(str(place.problem.field), [])
    near = _nearest(str(place.value), known)
    return place.replace("use_name", near) if near and place.pointer else None


def _missing_start(place: Place) -> Fix | None:
    starts = [id_of(node) for node in place.nodes if isinstance(node, dict) and node.get("type") == "start"]
    first = next((found for found in [*starts, *place.ids] if found), None)
    return place.add("begin_at", "/start_node_id", first) if first else None


def _duplicate_id(place: Place) -> Fix | None:
    same = [index for index, node in enumerate(place.nodes) if id_of(node) == place.problem.node_id]
    if len(same) < 2:
        return None
    name = str(place.problem.node_id)
    return place.replace("use_name", _fresh(name, place.ids), f"/nodes/{same[-1]}/id", name)


def _unknown_target(place: Place) -> Fix | None:
    if place.pointer is None or place.problem.field == "target_node_id":
        return None  # a node of another flow
    near = _nearest(str(place.value), place.ids)
    return place.replace("lead_to", near) if near else place.remove("end_here")


def _invalid_variable(place: Place) -> Fix | None:
    if place.pointer is None or not isinstance(place.value, str):
        return None
    name = re.sub(r"\W+", "_", place.value).strip("_")
    if name in NAMESPACES:
        name += "_value"
    return place.replace("use_name", name) if name else None


def _unclosed_template(place: Place) -> Fix | None:
    if not isinstance(place.value, str):
        return None
    start = place.value.rfind("{{") + 2
    name = re.match(r"\s*[\w.]+", place.value[start:])
    if name is None:
        return None
    end = start + name.end()
    text = f"{place.value[:end]}}}}}{place.value[end:].removeprefix('}')}"
    return None if is_unclosed(text) else place.replace("use_text", text)


def _too_long(place: Place) -> Fix | None:
    if place.problem.limit is None or not isinstance(place.value, str):
        return None
    return place.replace("shorten", _shortened(place.value, place.problem.limit))


def _cut_values(place: Place) -> Fix | None:
    """`truncate` on each value of the text, so that the whole stays within the limit."""
    limit, text = place.problem.limit, place.value
    if limit is None or not isinstance(text, str):
        return None
    found = _BRACES.findall(text)
    if not found or any("|" in one for one in found):
        return None
    room = (limit - len(_BRACES.sub("", text))) // len(found)
    if room < SHORTEST_VALUE:
        return None
    return place.replace("use_text", _BRACES.sub(lambda one: f"{{{{{one[1].strip()} | truncate({room})}}}}", text))


def _siblings(place: Place) -> tuple[str, list[dict[str, Any]], int] | None:
    """The options among which the problem's one is: their pointer, the options, and its index."""
    at = re.fullmatch(r"buttons\[(\d+)\]\.(?:value|label)", str(place.problem.field))
    options = place.data.get("buttons") if at and place.index is not None else None
    if at is None or not isinstance(options, list) or not all(isinstance(option, dict) for option in options):
        return None
    return f"/nodes/{place.index}/data/buttons", options, int(at[1])


def _duplicate_option(place: Place) -> Fix | None:
    """Another value for the second of two options; another label if it has no value of its own."""
    found = _siblings(place)
    if found is None:
        return None
    pointer, options, index = found
    field = "value" if place.problem.code == "duplicate_value" and options[index].get("value") else "label"
    taken = {str(option.get(name)) for option in options for name in ("value", "label")}
    before = str(options[index].get(field))
    return place.replace(
        "use_name", _fresh(before, taken, " " if field == "label" else "_"), f"{pointer}/{index}/{field}", before
    )


def _duplicate_value(place: Place) -> Fix | None:
    if place.problem.field != "paths" or not isinstance(place.value, list):
        return _duplicate_option(place)
    seen: set[str] = set()
    for index, path in enumerate(place.value):
        name = str(path.get("id"))
        if name in seen:
            taken = {str(one.get("id")) for one in place.value}
            return place.replace("use_name", _fresh(name, taken), f"{place.pointer}/{index}/id", name)
        seen.add(name)
    return None


def _conflicting_fields(place: Place) -> Fix | None:
    """A field of one value is removed; which of two lists or objects is meant cannot be known."""
    if place.pointer is None or isinstance(place.value, list | dict):
        return None
    return place.remove("remove_field")


def _unlisted_language(place: Place) -> Fix | None:
    field = str(place.problem.field)
    name = field.removeprefix("texts.") if field.startswith("texts.") else place.value
    code = language_code(name) if isinstance(name, str) else None
    if code is None:
        return None
    languages = place.document.get("languages") or []
    return place.add("add_language", "/languages", [*languages, code], code)


def _unreachable_node(place: Place) -> Fix | None:
    """Without the node go the exits that lead to it and its translations."""
    if place.index is None or len(place.nodes) < 2:
        return None
    node_id, patch = str(place.problem.node_id), list(place.guards)
    for pointer in _exits_to(node_id, place.nodes):
        patch += [test(pointer, node_id), {"op": "remove", "path": pointer}]
    for code, texts in (place.document.get("texts") or {}).items():
        for key in texts if isinstance(texts, dict) else ():
            if key.startswith(f"{node_id}."):
                patch.append({"op": "remove", "path": f"/texts/{escaped(code)}/{escaped(key)}"})
    patch.append({"op": "remove", "path": f"/nodes/{place.index}"})
    return Fix("remove_node", patch)


def _exits_to(node_id: str, value: Any, pointer: str = "/nodes") -> Iterator[str]:
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from _exits_to(node_id, item, f"{pointer}/{index}")
    elif isinstance(value, dict):
        for name, item in value.items():
            if name.endswith("next_node_id") and item == node_id:
                yield f"{pointer}/{escaped(name)}"
            else:
                yield from _exits_to(node_id, item, f"{pointer}/{escaped(name)}")


def _arithmetic_outside_braces(place: Place) -> Fix | None:
    if not isinstance(place.value, str):
        return None
    inside = re.sub(r"\{\{|\}\}", "", place.value).strip()
    return place.replace("use_text", f"{{{{{inside}}}}}")


def _contradictory_validation(place: Place) -> Fix | None:
    """The least and the most are swapped if they are the wrong way round."""
    validation = place.data.get("validation")
    ends = {"min": "max", "min_length": "max_length"}
    name = str(place.problem.field).removeprefix("validation.")
    if name not in ends or not isinstance(validation, dict):
        return None
    least, most = validation.get(name), validation.get(ends[name])
    both_numbers = isinstance(least, int | float) and isinstance(most, int | float)
    if not (both_numbers or (isinstance(least, str) and isinstance(most, str))) or least <= most:  # type: ignore[operator]
        return None
    lower, upper = (f"/nodes/{place.index}/data/validation/{one}" for one in (name, ends[name]))
    patch = [*place.guards, test(lower, least), test(upper, most)]
    patch += [{"op": "replace", "path": lower, "value": most}, {"op": "replace", "path": upper, "value": least}]
    return Fix("swap", patch)


def _other_variable(place: Place) -> Fix | None:
    """The variable that was probably meant."""
    near, text = place.problem.nearest, place.value
    if near is None or not isinstance(text, str):
        return None
    name = next((one for one in re.findall(r"[\w-]+", text) if _nearest(near, [one])), None)
    if name is None or name == near:
        return None
    if "{{" not in text:
        return place.replace("use_name", near) if name == text else None
    word = re.compile(rf"(?<![\w.-]){re.escape(name)}(?![\w-])")
    fixed = _BRACES.sub(lambda one: "{{" + word.sub(near, one[1]) + "}}", text)
    return Fix("use_name", place.replace("use_name", fixed).patch, near) if fixed != text else None


def _branch_never_taken(place: Place) -> Fix | None:
    field = str(place.problem.field)
    if field == "max_attempts_next_node_id":
        return place.remove("remove_field") if place.pointer is not None else None
    at = re.fullmatch(r"branches\[(\d+)\]\.next_node_id", field)
    branches = place.data.get("branches") if at else None
    if at is None or not isinstance(branches, list) or len(branches) < 2 or int(at[1]) >= len(branches):
        return None
    return place.remove("remove_branch", f"/nodes/{place.index}/data/branches/{at[1]}", branches[int(at[1])])


def _unsupported_media(place: Place) -> Fix | None:
    ending = str(place.value).partition("?")[0].partition("#")[0].rpartition(".")[2].lower()
    of_link = next((kind for kind, endings in MEDIA_ENDINGS.items() if ending in endings), "document")
    field = str(place.problem.field)
    if place.pointer is None or field.startswith("components"):  # a template's header has its type
        return None
    pointer = place.pointer.rpartition("/")[0] + "/type"
    _, before = place.found(field.rpartition(".")[0] + ".type")
    return place.replace("send_as", place.problem.nearest or of_link, pointer, before)


def _removed(action: str) -> Callable[[Place], Fix | None]:
    return lambda place: place.remove(action) if place.pointer is not None else None


_FIXES: dict[str, Callable[[Place], Fix | None]] = {
    "unknown_field": _unknown_field,
    "missing_field": _missing_field,
    "invalid_value": _invalid_value,
    "unknown_type": _unknown_type,
    "missing_start": _missing_start,
    "duplicate_id": _duplicate_id,
    "unknown_target": _unknown_target,
    "invalid_variable": _invalid_variable,
    "unclosed_template": _unclosed_template,
    "too_long": _too_long,
    "too_long_after_substitution": _cut_values,
    "may_be_too_long": _cut_values,
    "duplicate_value": _duplicate_value,
    "duplicate_label": _duplicate_option,
    "conflicting_fields": _conflicting_fields,
    "unlisted_language": _unlisted_language,
    "unknown_text": _removed("remove_text"),
    "unreachable_node": _unreachable_node,
    "never_returns": _removed("remove_field"),
    "arithmetic_outside_braces": _arithmetic_outside_braces,
    "contradictory_validation": _contradictory_validation,
    "variable_from_outside": _other_variable,
    "branch_never_taken": _branch_never_taken,
    "unsupported_media": _unsupported_media,
}

ACTIONS = frozenset({
    "add_language", "begin_at", "end_here", "lead_to", "remove_branch", "remove_field", "remove_node", "remove_text",
    "send_as", "shorten", "swap", "use_name", "use_text",
})  # fmt: skip
"""Every `action` of a fix."""
