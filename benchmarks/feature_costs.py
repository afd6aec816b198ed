"""What a turn costs more with an expression, a list, a language or a command, in one process, interleaved."""

from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from time import process_time_ns
from typing import Any

from benchmarks.report import figure, table
from pytake.engine import Contact, Context, Flow, Input, State, compile_flow, take_turn

NOW = 1_790_000_000.0
ITEMS = 10
_PLAIN = "Thank you. Anything else?"
_CART = [{"name": f"Item {number}", "price": 1.25 * number} for number in range(1, ITEMS + 1)]


@dataclass(frozen=True)
class Feature:
    """A feature, as the text of the question or as further fields of the flow."""

    title: str
    text: str = _PLAIN
    document: tuple[tuple[str, Any], ...] = ()
    action: tuple[tuple[str, Any], ...] | None = None
    language: str = ""
    typed: str = "yes"


PLAIN = Feature("a plain text")
FEATURES = (
    Feature("a variable, `{{name}}`", "Thank you, {{name}}."),
    Feature("arithmetic, `{{(price + 2.5) * 3 | round(2)}}`", "{{(price + 2.5) * 3 | round(2)}}"),
    Feature("two filters, `{{name | first_name | upper}}`", "{{name | first_name | upper}}"),
    Feature('a date, `{{now | date("DD/MM/YYYY HH:mm")}}`', '{{now | date("DD/MM/YYYY HH:mm")}}'),
    Feature(f"the sum of a list of {ITEMS}", '{{cart | sum("price")}}'),
    Feature(f"the lines of a list of {ITEMS}", '{{cart | lines("{index}. {name}: {price}")}}'),
    Feature(
        f"setting a variable to a list of {ITEMS}",
        action=(("type", "set_variable"), ("variable", "copy"), ("value", "{{cart}}")),
    ),
    Feature(
        "another language than the document's",
        document=(("languages", ["en", "pt_BR"]), ("texts", {"pt_BR": {"ask.question": "Obrigado. Algo mais?"}})),
        language="pt_BR",
    ),
    Feature(
        "a flow with 20 words as commands",
        document=(("commands", [{"words": [f"word {number}"], "next_node_id": "ask"} for number in range(20)]),),
    ),
    Feature(
        "a command that returns",
        document=(("commands", [{"words": ["help"], "next_node_id": "help", "returns": True}]),),
        typed="help",
    ),
)


class Measured:
    """A conversation that takes the same turn again and again."""

    def __init__(self, feature: Feature) -> None:
        self.title = feature.title
        self.times: list[float] = []
        self._flow, self._input = _flow(feature), Input(text=feature.typed)
        contact = Contact("5511999990001", "+5511999990001", "Ana", language=feature.language)
        self._context = Context(NOW, "turn", contact, timezone="America/Sao_Paulo")
        self._stored = b""
        self._turn(None)

    def run(self, turns: int) -> None:
        """Take turns, with load and save of the state, and note the CPU time of one in microseconds."""
        begun = process_time_ns()
        for _ in range(turns):
            self._turn(State.decode(self._stored))
        self.times.append((process_time_ns() - begun) / turns / 1000)

    def _turn(self, state: State | None) -> None:
        turn = take_turn(self._flow, state, self._input, self._context)
        if turn.state is None:
            raise RuntimeError(f"{self.title}: the turn ended the conversation: {turn.events}")
        self._stored = turn.state.encode()


def _flow(feature: Feature) -> Flow:
    setup = [
        {"type": "set_variable", "variable": name, "value": value}
        for name, value in (("name", "Maria da Silva"), ("price", 12.5), ("cart", _CART))
    ]
    entry = "act" if feature.action is not None else "ask"
    action = {"actions": [dict(feature.action)] if feature.action is not None else [], "next_node_id": "ask"}
    nodes: list[dict[str, Any]] = [
        {"id": "start", "type": "action", "data": {"actions": setup, "next_node_id": entry}},
        {
            "id": "ask",
            "type": "question",
            "data": {"question": feature.text, "variable": "answer", "next_node_id": entry},
        },
        {"id": "help", "type": "message", "data": {"text": "We open at nine."}},
    ]
    nodes += [{"id": "act", "type": "action", "data": action}] if feature.action is not None else []
    document = {"format": 1, "id": "main", "language": "en", "start_node_id": "start", "nodes": nodes}
    return compile_flow({"main": document | dict(feature.document)}, "main")


def measure(rounds: int, turns: int, log: Callable[[str], None]) -> list[tuple[str, float, float]]:
    """Title, microseconds of CPU of a turn, and how much more than the plain turn of the same round: medians."""
    log("features of the engine")
    plain, *others = measured = [Measured(feature) for feature in (PLAIN, *FEATURES)]
    for one in measured:
        one.run(turns)  # warms up
        one.times.clear()
    for _ in range(rounds):
        for one in measured:
            one.run(turns)
    return [(plain.title, median(plain.times), 0.0)] + [
        (one.title, median(one.times), median(a - b for a, b in zip(one.times, plain.times, strict=True)))
        for one in others
    ]


def features_table(found: list[tuple[str, float, float]]) -> str:
    """A row per feature."""
    rows = [[title.replace("|", "\\|"), figure(time), f"{more:+.1f}" if more else ""] for title, time, more in found]
    return table(["the answer to a question has", "CPU µs/turn", "more"], rows)
