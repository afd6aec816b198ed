"""JSON paths: a small part of the syntax, whose cost is bounded by the size of the document it reads."""

import re
from collections.abc import Callable
from typing import Any

MAX_PATH_CHARACTERS = 512

_STEP = r"\.?(?P<name>[^\s.\[\]'\"`|&@(){}*,:!<>=?]+)|\[(?P<index>-?\d{1,9}|\*)\]|\[(?P<quote>['\"])(?P<key>[^'\"]+)(?P=quote)\]"

Step = str | int | None
"""A member's name, an element's index, or None for every element (`[*]`)."""


def parse_json_path(path: str) -> list[Step] | None:
    """The steps of a path such as `$.items[0].title`, `items.0.title`, `$.items[*].price` or `$["a name"]`.

    None when it is not one: there are no functions, filters, slices or pipes. A bare `$` has no steps.
    """
    text = path.strip()
    if len(text) > MAX_PATH_CHARACTERS:
        return None
    text = text.removeprefix("$")
    match = re.compile(_STEP).match  # compiled on first use: few flows have a JSON path
    steps: list[Step] = []
    position = 0
    while position < len(text):
        found = match(text, position)
        if found is None or (position and found["name"] and text[position] != "."):
            return None
        if found["index"] is not None:
            steps.append(None if found["index"] == "*" else int(found["index"]))
        else:
            name = found["name"] or found["key"]
            steps.append(int(name) if found["name"] and name.isdecimal() and name.isascii() else name)
        position = found.end()
    return steps


def json_path_reader(steps: list[Step]) -> Callable[[Any], Any]:
    """A function that reads what the steps lead to in a decoded JSON document, None where they lead nowhere.

    Behind `[*]` the result is a list of what was found in each element; elements without it are left out.
    """

    def read(value: Any, start: int = 0) -> Any:
        for position in range(start, len(steps)):
            step = steps[position]
            if step is None:
                found = [read(element, position + 1) for element in value] if isinstance(value, list) else None
                return [element for element in found if element is not None] if found is not None else None
            value = _member(value, step)
            if value is None:
                return None
        return value

    return read


def _member(value: Any, step: str | int) -> Any:
    if isinstance(step, int):
        if isinstance(value, list):
            return value[step] if -len(value) <= step < len(value) else None
        step = str(step)  # an object may have members named by numbers
    return value.get(step) if isinstance(value, dict) else None
