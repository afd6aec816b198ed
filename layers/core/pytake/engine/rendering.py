"""Compiled templates: functions that read a value or render a text during a turn."""

from collections.abc import Callable, Mapping
from datetime import datetime
from operator import attrgetter
from typing import Any

from msgspec import Struct

from pytake.engine.calculation import CalculationError, calculate
from pytake.engine.dates import text_of, zone
from pytake.engine.execution import Execution
from pytake.engine.filters import IN_SETTING, Setting
from pytake.engine.template import BUILT_IN_VALUES, NAMESPACES, Calculation, Expression, Literal, Term
from pytake.engine.texts import Language
from pytake.engine.values import TEXT_PRESERVING_FORMATTERS, plain_text, value_at
from pytake.whatsapp.received import contacts_value, order_value

Getter = Callable[[Execution], Any]
Render = Callable[[Execution], str]


class Place(Struct, frozen=True):
    """Where an expression is written. `questions` holds, by variable, the text of the question whose answer it stores."""

    node_id: str = ""
    field: str = ""
    language: Language = "en"
    write: Callable[[Any], str] = plain_text
    questions: Mapping[str, Render] = {}


NOWHERE = Place()


def render(parts: list[str | Term], write: Callable[[Any], str], place: Place = NOWHERE) -> Render:
    """A function that renders these parts of a template to text. `write` formats each value."""
    pieces = [part if isinstance(part, str) else _written(part, write, place) for part in parts]
    if all(isinstance(piece, str) for piece in pieces):
        text = "".join(map(str, pieces))
        return lambda _: text
    names = [_variable_name(part) for part in parts if not isinstance(part, str)]
    if write in TEXT_PRESERVING_FORMATTERS and all(names):
        return _variables_only([part if isinstance(part, str) else None for part in parts], names, write)
    return lambda run: "".join([piece if isinstance(piece, str) else piece(run) for piece in pieces])


def _variable_name(term: Term) -> str:
    """The variable's name when the term is a bare variable, else an empty text."""
    if not isinstance(term, Expression) or len(term.path) != 1 or term.filters:
        return ""
    return "" if term.path[0] in NAMESPACES or term.path[0] in BUILT_IN_VALUES else term.path[0]


def _variables_only(texts: list[str | None], names: list[str], write: Callable[[Any], str]) -> Render:
    """The renderer of a template whose expressions are all bare variables: the most common case, so the fastest one."""
    if len(names) == 1:
        name, place = names[0], texts.index(None)
        before, after = "".join(filter(None, texts[:place])), "".join(filter(None, texts[place:]))

        def render_one(run: Execution) -> str:
            value = run.variables.get(name)
            return before + (value if type(value) is str else write(value)) + after

        return render_one
    pattern = "".join("%s" if text is None else text.replace("%", "%%") for text in texts)

    def render_all(run: Execution) -> str:
        get = run.variables.get
        return pattern % tuple([value if type(value := get(name)) is str else write(value) for name in names])

    return render_all


def _written(term: Term, write: Callable[[Any], str], place: Place) -> Render:
    get = getter(term, place)
    return lambda run: write(get(run))


def getter(term: Term, place: Place = NOWHERE) -> Getter:
    """A function that computes the value of a term. What has no result is None, and an event says why."""
    match term:
        case Expression():
            get = _path_getter(term.path, place)
        case Literal():
            value = term.value
            get = lambda _: value  # noqa: E731
        case Calculation():
            get = _calculated(term, place)
    for apply, arguments in term.filters:
        get = _filtered(get, apply, arguments, place)
    return get


def _calculated(term: Calculation, place: Place) -> Getter:
    operator, left, right = term.operator, getter(term.left, place), getter(term.right, place)

    def get(run: Execution) -> Any:
        try:
            return calculate(operator, left(run), right(run))
        except CalculationError as error:
            return _without_result(run, place, error)

    return get


def _without_result(run: Execution, place: Place, error: CalculationError) -> None:
    run.emit("calculation_failed", node_id=place.node_id, field=place.field, reason=error.reason)


def _filtered(get: Getter, apply: Callable[..., Any], arguments: tuple[Any, ...], place: Place) -> Getter:
    read = [getter(one, place) if isinstance(one, Expression) else None for one in arguments]
    reads, in_setting = any(read), apply in IN_SETTING

    def filtered(run: Execution) -> Any:
        values = [fixed if one is None else one(run) for fixed, one in zip(arguments, read, strict=True)]
        try:
            if not in_setting:
                return apply(get(run), *values)
            context = run.context
            at = Setting(context.now, context.timezone, context.country, place.language, place.write)
            return apply(get(run), *values, at=at)
        except CalculationError as error:
            return _without_result(run, place, error)

    def simple(run: Execution) -> Any:
        try:
            return apply(get(run), *arguments)
        except CalculationError as error:
            return _without_result(run, place, error)

    return filtered if reads or in_setting else simple


def _path_getter(path: tuple[str, ...], place: Place) -> Getter:
    root, rest = path[0], path[1:]
    if root == "contact":
        return _contact_getter(rest)
    if root == "input":
        return _input_getter(rest)
    if root == "secrets":
        return lambda _: None
    if root in BUILT_IN_VALUES:
        built_in = _built_in(root, place)
        return lambda run: value_at(run.variables[root] if root in run.variables else built_in(run), rest)
    if not rest:
        return lambda run: run.variables.get(root)
    return lambda run: value_at(run.variables.get(root), rest)


def _built_in(name: str, place: Place) -> Getter:
    if name == "answers":
        questions = place.questions

        def answers(run: Execution) -> list[dict[str, Any]]:
            found = [name for name in run.variables if name in questions]
            return [{"name": n, "question": questions[n](run).strip(), "value": run.variables[n]} for n in found]

        return answers

    if name == "constants":
        return lambda run: run.context.constants

    def clock(run: Execution) -> str:
        now = datetime.fromtimestamp(run.context.now, zone(run.context.timezone))
        return text_of(now.date() if name == "today" else now)

    return clock


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
        case ("message_id",):
            return lambda run: run.context.message_id
        case ("order", *rest):
            return _received("order", order_value, tuple(rest))
        case ("contacts", *rest):
            return _received("contacts", contacts_value, tuple(rest))
        case (("response" | "payload") as name, *rest):
            get, keys = attrgetter(f"input.{name}"), tuple(rest)
            return lambda run: value_at(get(run), keys)
    return lambda _: None


def _received(type_: str, value: Callable[[Any], Any], path: tuple[str, ...]) -> Getter:
    """A part of the order or the contact cards that the person sent."""
    return lambda run: value_at(value(run.input.payload), path) if run.input.type == type_ else None
