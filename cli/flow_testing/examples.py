"""Inputs worth trying, derived from a flow: what its questions accept and reject, and what its conditions compare with."""

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from functools import cache
from itertools import chain
from typing import Any

import msgspec

from pytake.conversation.flow_tests.offline_conversation import OfflineConversation
from pytake.engine import Effect, EffectResult, EmailRequest, FlowDocument, HttpRequest, StartFlowRequest, State
from pytake.engine.compiler import Compilation
from pytake.engine.opening_times import OpeningTimes
from pytake.engine.options import DONE
from pytake.engine.options_from import ITEM
from pytake.engine.template import parse_template, paths_in
from pytake.engine.timetable import Hours, Timetable
from pytake.engine.values import as_number

UserInput = str | dict[str, Any]

STALE = {"reply_id": "no-such-option"}
STICKER = {"media": {"id": "media-1", "type": "sticker"}}
_ORDER = {
    "catalog_id": "7",
    "text": "No onions",
    "product_items": [{"product_retailer_id": "sku1", "quantity": 2, "item_price": 30, "currency": "BRL"}],
}
_HOURS_AHEAD = 15 * 24  # how far ahead an open or closed hour is looked for
_SENTENCE = "I would like to know more about this, please. "
_FOUND: dict[str, list[Any]] = {
    "has_number": [7],
    "has_phone": ["+5511987654321"],
    "has_email": ["ana@example.com"],
    "has_date": ["2026-12-31"],
}
_REJECTED: tuple[UserInput, ...] = ("?", "???", STICKER, " ", STALE)


class Examples:
    """The inputs worth trying at any node of a bundle, in the order in which to try them."""

    def __init__(self, documents: Mapping[str, Mapping[str, Any]], root: str) -> None:
        self._documents: dict[str, FlowDocument] = Compilation(documents, root).documents
        self._data = {
            (flow_id, node.id): msgspec.to_builtins(node.data)
            for flow_id, document in self._documents.items()
            for node in document.nodes
        }
        self._constants = self._derived(_constants(self._data.values()))

    @property
    def relevant(self) -> set[str]:
        """The variables that conditions depend on."""
        return {path.split(".")[0] for path in self._constants}

    @property
    def contact_fields(self) -> dict[str, list[Any]]:
        """The values that conditions compare fields of the contact with."""
        return {
            path.removeprefix("contact."): values
            for path, values in self._constants.items()
            if path.startswith("contact.")
        }

    @property
    def timetables(self) -> dict[str, Timetable]:
        """The timetables that schedules name: office hours, because the flow does not say what they are."""
        hours = [data["hours"] for data in self._data.values() if "closed_next_node_id" in data and "hours" in data]
        office = Timetable(hours=[Hours(days=["mon", "tue", "wed", "thu", "fri"], opens="09:00", closes="18:00")])
        return {name: office for name in hours if isinstance(name, str)}

    def moments(self, now: float) -> list[float]:
        """Times from `now` at which each schedule is open, and at which it is closed."""
        found = [now]
        for data in self._data.values():
            if "hours" not in data or "closed_next_node_id" not in data:
                continue
            named = isinstance(data["hours"], str)
            inline = {"hours": data["hours"], "timezone": data.get("timezone"), "holidays": data.get("holidays") or []}
            times = OpeningTimes(self.timetables[data["hours"]] if named else msgspec.convert(inline, Timetable))
            for wanted in (True, False):
                hours = (now + 3600 * hour for hour in range(_HOURS_AHEAD))
                moment = next((one for one in hours if times.is_open(one, "UTC") is wanted), now)
                found += [moment] if moment not in found else []
        return found

    @property
    def uses_chance(self) -> bool:
        """Whether the bundle has a random node."""
        return any(node.type == "random" for document in self._documents.values() for node in document.nodes)

    def inputs(self, conversation: OfflineConversation) -> list[UserInput]:
        """The inputs to try next."""
        state = conversation.state
        if state is None:
            return _unique(["hi", *self._texts("input.text", {})])
        if conversation.handed_off:
            return [{"type": "handed_back"}]
        data = self._data[state.sub_flow_id or state.flow_id, state.node_id]
        buttons = [*(data.get("buttons") or ())]
        buttons += [button for card in data.get("carousel") or () for button in card.get("buttons") or ()]
        found: list[UserInput] = [{"reply_id": button.get("value") or button["label"]} for button in buttons]
        if data.get("options_from"):
            found.append("1")
        if data.get("multiple"):
            found.append({"reply_id": DONE})
        if self._is_question(state):
            found += [{"reaction": emoji} for emoji in data.get("reactions") or ()]
            found += self._answers(data)
        if "cta" in data and "flow_id" in data:
            plain = {"answer": "yes"}
            found += [{"response": form} for form in self._bodies(data["variable"], plain) if isinstance(form, dict)]
        if "timeout_seconds" in data and "name" in data:
            found += [
                {"type": "event", "text": data["name"], "payload": body}
                for body in self._bodies(data.get("output_variable") or "", {})
            ]
        if state.due_at is not None:
            found.append({"type": "timeout"})
        found += [command.words[0] for command in self._documents[state.sub_flow_id or state.flow_id].commands]
        return _unique([*found, *self._texts("input.text", {}), *_REJECTED, *self._too_long(data)])

    def _is_question(self, state: State) -> bool:
        document = self._documents[state.sub_flow_id or state.flow_id]
        return any(node.id == state.node_id and node.type == "question" for node in document.nodes)

    def results(self, effect: Effect) -> list[EffectResult]:
        """The results to try for an effect."""
        if isinstance(effect, StartFlowRequest):
            return [EffectResult(ok=True), EffectResult(ok=False, error="window_closed")]
        if isinstance(effect, EmailRequest):
            return [EffectResult(ok=True), EffectResult(ok=False, error="refused")]
        data = self._data[_place(effect)]
        bodies: list[Any] = []
        if isinstance(effect, HttpRequest):
            body: dict[str, Any] = {}
            for variable, path in (data.get("response_map") or {}).items():
                for value in self._constants.get(variable, [])[:1] or ["text"]:
                    _put(body, path.strip().removeprefix("$").strip("."), value)
            bodies.append(body)
            for variable, path in (data.get("response_map") or {}).items():
                for value in self._constants.get(variable, []):
                    bodies.append(_put(_copy(body), path.strip().removeprefix("$").strip("."), value))
        if data.get("fields") and not isinstance(effect, HttpRequest):
            samples = {"text": "Some text.", "number": 1, "boolean": True}
            bodies.append({name: samples[kind] for name, kind in data["fields"].items()})
            bodies += [{name: value} for name in data["fields"] for value in self._constants.get(name, [])]
        elif data.get("output_variable"):
            bodies += self._bodies(data["output_variable"], "Some text." if not isinstance(effect, HttpRequest) else {})
        failed = EffectResult(ok=False, status=500, error="http_500")
        if not isinstance(effect, HttpRequest):
            failed = EffectResult(ok=False, error="failed")
        return [*(EffectResult(ok=True, status=200, body=body) for body in _unique(bodies or [{}])), failed]

    def _bodies(self, variable: str, base: Any) -> Iterator[Any]:
        yield base
        for path, values in self._constants.items():
            name, _, rest = path.partition(".")
            if name != variable:
                continue
            for value in values:
                yield _put(_copy(base) if isinstance(base, dict) else {}, rest, value) if rest else value

    def _answers(self, data: dict[str, Any]) -> Iterator[UserInput]:
        """Answers that the question accepts, and those that conditions compare with."""
        validation = data.get("validation") or {}
        kind = validation.get("type", "text")
        if (data.get("buttons") or data.get("options_from")) and not data.get("validation"):
            return
        yield from VALID_ANSWERS.get(kind, _some_text)(validation)
        yield from self._texts(data["variable"], validation)

    def _texts(self, path: str, validation: dict[str, Any]) -> Iterator[str]:
        for value in self._constants.get(path, ()):
            text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
            if text:
                yield _fitting(text, validation)

    def _too_long(self, data: dict[str, Any]) -> Iterator[UserInput]:
        longest = (data.get("validation") or {}).get("max_length")
        if longest and longest < 4096:
            yield (_SENTENCE * (longest // len(_SENTENCE) + 1))[: longest + 1]

    def _derived(self, constants: dict[str, list[Any]]) -> dict[str, list[Any]]:
        """The constants, also for the variables from which a compared variable is computed."""
        made = list(chain.from_iterable(map(_computed_from, self._data.values())))
        for _ in made:
            for written, read in made:
                known = constants.setdefault(read, []) if written in constants else []
                known += [value for value in constants.get(written, ()) if value not in known]
        return constants


def _constants(nodes: Collection[Any]) -> dict[str, list[Any]]:
    """The values that each variable is compared with, chosen so that comparisons hold or fail."""
    found: dict[str, list[Any]] = {}
    for comparison in chain.from_iterable(map(_comparisons, nodes)):
        path = str(comparison["variable"]).strip().removeprefix("{{").removesuffix("}}").strip()
        known = found.setdefault(path, [])
        known += [
            value for value in _distinguishing(comparison["operator"], comparison.get("value")) if value not in known
        ]
    for path, lists in chain.from_iterable(map(_lists, nodes)):
        found.setdefault(path, []).extend(lists)
    for path, sentence in chain.from_iterable(map(_sentences, nodes)):
        found.setdefault(path, []).append(sentence)
    return found


def _lists(data: Any) -> Iterator[tuple[str, list[Any]]]:
    """The variables from which questions take their options, with lists to try: an empty one, and one with an item."""
    spec = data.get("options_from")
    if spec:
        texts = [spec.get(name) or "" for name in ("label", "value", "description", "section")]
        terms = [part for text in texts for part in parse_template(text) if not isinstance(part, str)]
        item: dict[str, Any] = {}
        for path in [path.path[1:] for term in terms for path in paths_in(term) if path.path[0] == ITEM]:
            if path:
                _put(item, ".".join(path), f"{path[-1]} 1")
        yield spec["list"].strip("{} "), [[item or "item 1"], []]


def _sentences(value: Any) -> Iterator[tuple[str, str]]:
    """Variables, and texts in which everything is found that one branch looks for in them."""
    if isinstance(value, dict):
        sought: dict[str, list[str]] = {}
        for one in value.get("all") or ():
            if one["operator"].startswith("has_"):
                sought.setdefault(one["variable"], []).append(
                    str(next(iter(_distinguishing(one["operator"], one.get("value"))), ""))
                )
        yield from ((path, " ".join(parts)) for path, parts in sought.items() if len(parts) > 1)
        for item in value.values():
            yield from _sentences(item)
    elif isinstance(value, list):
        for item in value:
            yield from _sentences(item)


def _comparisons(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        if value.get("variable") and value.get("operator"):
            yield value
        for item in value.values():
            yield from _comparisons(item)
    elif isinstance(value, list):
        for item in value:
            yield from _comparisons(item)


def _computed_from(value: Any) -> Iterator[tuple[str, str]]:
    """Pairs of a variable that is set and a variable that its value is computed from."""
    if isinstance(value, dict):
        made = value.get("value")
        if value.get("variable") and not value.get("operator") and isinstance(made, str):
            parts = [part for part in parse_template(made) if not isinstance(part, str)]
            paths = {".".join(path.path) for part in parts for path in paths_in(part)}
            yield from ((value["variable"], path) for path in sorted(paths) if path != value["variable"])
        if value.get("keep_as"):
            yield value["keep_as"], value["variable"]
        for item in value.values():
            yield from _computed_from(item)
    elif isinstance(value, list):
        for item in value:
            yield from _computed_from(item)


def _distinguishing(operator: str, value: Any) -> list[Any]:
    if isinstance(value, str) and "{{" in value:
        return []
    if operator.strip() == "matches":
        return list(_matching(str(value)))
    if operator.strip() in _FOUND:
        return _FOUND[operator.strip()]
    if operator.strip() in ("in", "not_in", "has_words"):
        return list(value) if isinstance(value, list) else [item.strip() for item in str(value).split(",")]
    if operator.strip() in ("is_empty", "is_not_empty") or value is None:
        return []
    number = as_number(value)
    if number is not None and operator.strip() in (">", "<", ">=", "<="):
        return [number, number - 1, number + 1]
    return [value]


@cache
def _matching(pattern: str) -> tuple[str, ...]:
    """The simplest text that matches a pattern, if there is one."""
    from hypothesis import find, settings
    from hypothesis import strategies as st
    from hypothesis.errors import HypothesisException

    try:
        texts = st.from_regex(pattern, fullmatch=True, alphabet=st.characters(codec="ascii"))
        plain = settings(derandomize=True, database=None, deadline=None)
        return (find(texts, lambda text: text.strip() == text != "", settings=plain),)
    except (HypothesisException, re.error, ValueError):  # a pattern that only RE2 supports
        return ()


def _fitting(text: str, validation: dict[str, Any]) -> str:
    """The text, extended or shortened to the length that the validation requires."""
    least, most = validation.get("min_length") or 0, validation.get("max_length")
    if len(text) < least:
        text = (f"{text} " + _SENTENCE * (least // len(_SENTENCE) + 1))[:least]
        text = text.rstrip() + "." * (least - len(text.rstrip()))
    return text[:most]


def _numbers(validation: dict[str, Any]) -> Iterator[str]:
    least, most = validation.get("min"), validation.get("max")
    for number in (least, most, 7):
        if number is not None:
            yield str(int(number) if float(number).is_integer() else number)
    if least is not None:
        yield str(int(least) - 1)
    if most is not None:
        yield str(int(most) + 1)


def _dates(validation: dict[str, Any]) -> Iterator[str]:
    bounds = [validation.get(bound) for bound in ("min", "max")]
    yield from (str(day) for day in bounds if day and day != "today")
    yield from ("2026-11-22", "2030-06-15", "1990-01-31")


def _phones(validation: dict[str, Any]) -> Iterator[str]:
    from phonenumbers import PhoneNumberFormat, PhoneNumberType, example_number_for_type, format_number

    number = example_number_for_type(validation.get("country") or "BR", PhoneNumberType.MOBILE)
    yield format_number(number, PhoneNumberFormat.E164) if number is not None else "+5511987654321"


def _choices(validation: dict[str, Any]) -> Iterator[str]:
    for choice in validation.get("choices") or ():
        yield choice["value"] if isinstance(choice, dict) else choice


def _files(validation: dict[str, Any]) -> Iterator[UserInput]:
    for type_ in validation.get("choices") or ["image"]:
        if isinstance(type_, str):
            yield {"media": {"id": "media-1", "type": type_}}


def _some_text(validation: dict[str, Any]) -> Iterator[str]:
    yield _fitting(_SENTENCE[:12].strip(), validation)


VALID_ANSWERS: dict[str, Callable[[dict[str, Any]], Iterable[UserInput]]] = {
    "email": lambda _: ["ana@example.com"],
    "phone": _phones,
    "number": _numbers,
    "date": _dates,
    "choice": _choices,
    "regex": lambda validation: _matching(validation.get("pattern") or ""),
    "media": _files,
    "order": lambda _: [{"type": "order", "payload": _ORDER}],
    "contacts": lambda _: [{"type": "contacts", "text": "Ana", "payload": [{"name": {"formatted_name": "Ana"}}]}],
    "location": lambda _: [{"location": {"latitude": -23.56, "longitude": -46.65, "name": "Avenida Paulista"}}],
}
"""Answers that a validation accepts, by its type. Types without an entry get a text."""


def _place(effect: Effect) -> tuple[str, str]:
    """The flow and the node that requested the effect."""
    _, flow_id, node_id, _ = effect.key.rsplit("/", 3)
    return flow_id, node_id


def _put(body: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """Set the value at a path such as `order.items[0].title`. Missing lists are created with one item."""
    parts = [part for part in path.replace("[", ".").replace("]", "").split(".") if part]
    at: Any = body
    for part, following in zip(parts, [*parts[1:], None], strict=True):
        empty: Any = value if following is None else [] if following.isdecimal() else {}
        if isinstance(at, list):
            at[:] = at or [empty]
            at = at[0]
        else:
            at[part] = empty if following is None else at.get(part, empty)
            at = at[part]
    return body


def _copy(body: dict[str, Any]) -> dict[str, Any]:
    copied: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(body))
    return copied


def _unique(values: Iterable[Any]) -> list[Any]:
    """The values without duplicates, in order."""
    found: dict[bytes, Any] = {}
    for value in values:
        found.setdefault(msgspec.json.encode(value, order="deterministic"), value)
    return list(found.values())
