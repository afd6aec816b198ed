"""Compiled templates: functions that read a value or render a text during a turn."""

from collections.abc import Callable
from operator import attrgetter
from typing import Any

from pytake.engine.execution import Execution
from pytake.engine.template import NAMESPACES, Expression
from pytake.engine.values import TEXT_PRESERVING_FORMATTERS, value_at

Getter = Callable[[Execution], Any]
Render = Callable[[Execution], str]


def render(parts: list[str | Expression], write: Callable[[Any], str]) -> Render:
    """A function that renders these parts of a template to text. `write` formats each value."""
    pieces = [part if isinstance(part, str) else _written(part, write) for part in parts]
    if all(isinstance(piece, str) for piece in pieces):
        text = "".join(map(str, pieces))
        return lambda _: text
    names = [_variable_name(part) for part in parts if isinstance(part, Expression)]
    if write in TEXT_PRESERVING_FORMATTERS and all(names):
        return _variables_only([part if isinstance(part, str) else None for part in parts], names, write)
    return lambda run: "".join([piece if isinstance(piece, str) else piece(run) for piece in pieces])


def _variable_name(expression: Expression) -> str:
    """The variable's name when the expression is a bare variable, else an empty text."""
    bare = len(expression.path) == 1 and not expression.filters and expression.path[0] not in NAMESPACES
    return expression.path[0] if bare else ""


def _variables_only(texts: list[str | None], names: list[str], write: Callable[[Any], str]) -> Render:
    """The renderer of a template whose expressions are all bare variables: the most common case, so the fastest one."""
    pattern = "".join("%s" if text is None else text.replace("%", "%%") for text in texts)
    if len(names) == 1:
        name = names[0]

        def render_one(run: Execution) -> str:
            value = run.variables.get(name)
            return pattern % (value if type(value) is str else write(value),)

        return render_one

    def render_all(run: Execution) -> str:
        get = run.variables.get
        return pattern % tuple([value if type(value := get(name)) is str else write(value) for name in names])

    return render_all


def _written(expression: Expression, write: Callable[[Any], str]) -> Render:
    get = getter(expression)
    return lambda run: write(get(run))


def getter(expression: Expression) -> Getter:
    """A function that reads an expression's value and applies its filters."""
    get = _path_getter(expression.path)
    for apply, arguments in expression.filters:
        get = _filtered(get, apply, arguments)
    return get


def _filtered(get: Getter, apply: Callable[..., Any], arguments: tuple[Any, ...]) -> Getter:
    return lambda run: apply(get(run), *arguments)


def _path_getter(path: tuple[str, ...]) -> Getter:
    root, rest = path[0], path[1:]
    if root == "contact":
        return _contact_getter(rest)
    if root == "input":
        return _input_getter(rest)
    if root == "secrets":
        return lambda _: None
    if not rest:
        return lambda run: run.variables.get(root)
    return lambda run: value_at(run.variables.get(root), rest)


def _contact_getter(path: tuple[str, ...]) -> Getter:
    name, rest = (path[0] if path else ""), path[1:]
    match name:
        case "id" | "name" | "phone" | "tags" if not rest:
            return attrgetter(f"contact.{name}")
        case "language" if not rest:  # flows saved a field of this name before contacts had a language
            return lambda run: run.contact.language or run.contact.fields.get("language")
    return lambda run: value_at(run.contact.fields, path)


def _input_getter(path: tuple[str, ...]) -> Getter:
    match path:
        case (("text" | "type" | "reply_id") as name,):
            return attrgetter(f"input.{name}")
        case ("media_id",):
            return lambda run: getattr(run.input.media, "id", None)
        case ("media", ("id" | "type" | "mime_type" | "caption" | "filename") as name):
            return lambda run: getattr(run.input.media, name, None)
        case ("location", ("latitude" | "longitude" | "name" | "address") as name):
            return lambda run: getattr(run.input.location, name, None)
        case (("response" | "payload") as name, *rest):
            get, keys = attrgetter(f"input.{name}"), tuple(rest)
            return lambda run: value_at(get(run), keys)
    return lambda _: None
