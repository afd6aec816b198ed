"""The reference conversation on LangGraph: a graph whose questions `interrupt`, checkpoints serialised by its own saver.

Checkpoints are written once per turn (`durability="exit"`), which is the fastest way LangGraph offers.
"""

import re
from collections.abc import Callable
from typing import Any, TypedDict

from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, StateGraph
from langgraph.types import Command, interrupt

EMAIL = re.compile(r"^[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,}$")
NUMBER = re.compile(r"[+-]?\d+(\.\d+)?")
NEEDS = ("sales", "support", "other")
BUTTONS = "[sales=Sales|support=Support|other=Other]"

Parse = Callable[[str], Any]
Node = Callable[["Memory"], Any]


class Memory(TypedDict, total=False):
    """The channels of the main graph; the sub-graph shares them."""

    texts: list[str]
    refused: bool
    name: str
    email: str
    age: float
    need: str
    order: str


def question(node: str, variable: str, ask: str, error: str, parse: Parse, following: str) -> Node:
    """A node that waits for an answer and repeats itself after an invalid one."""

    def run(memory: Memory) -> Command[str]:
        value = parse(interrupt(error if memory.get("refused") else ask))
        if value is None:
            return Command(goto=node, update={"refused": True, "texts": []})
        return Command(goto=following, update={"refused": False, "texts": [], variable: value})

    return run


def long_enough(text: str) -> str | None:
    return text.strip() if len(text.strip()) >= 2 else None


def email(text: str) -> str | None:
    return text if EMAIL.search(text) else None


def number(text: str) -> float | None:
    if not NUMBER.fullmatch(text):
        return None
    value = float(text)
    return int(value) if value.is_integer() else value


def need(text: str) -> str | None:
    return text if text in NEEDS else None


def order_graph() -> Any:
    """The sub-flow as a sub-graph."""
    graph: Any = StateGraph(Memory)
    short = "Please give an order number of at least 2 characters."
    graph.add_node("q_order", question("q_order", "order", "What is your order number?", short, long_enough, "m_order"))
    graph.add_node(
        "m_order", lambda memory: {"texts": [*memory["texts"], f"Order {memory['order']} noted for {memory['email']}."]}
    )
    graph.add_edge(START, "q_order")
    graph.add_edge("m_order", END)
    return graph.compile()


def main_graph(saver: InMemorySaver) -> Any:
    """The flow."""
    graph: Any = StateGraph(Memory)
    short = "Please give a name of at least 2 characters."
    no_email, no_number = "That is not a valid e-mail. Please try again.", "Please send a number."
    choose = "Please choose one of the options."

    def say(text: str) -> Node:
        return lambda memory: {"texts": [*memory.get("texts", []), text.format(**memory)]}

    graph.add_node("start", say("Welcome to Acme!"))
    graph.add_node("q_name", question("q_name", "name", "What is your name?", short, long_enough, "m_hello"))
    graph.add_node("m_hello", say("Nice to meet you, {name}."))
    graph.add_node("q_email", question("q_email", "email", "What is your e-mail?", no_email, email, "q_age"))
    graph.add_node("q_age", question("q_age", "age", "How old are you?", no_number, number, "c_adult"))
    graph.add_node("c_adult", lambda memory: Command(goto="q_need" if memory["age"] >= 18 else "m_minor"))
    graph.add_node("m_minor", say("Sorry, you must be 18 or older."))
    graph.add_node("q_need", question("q_need", "need", f"What do you need? {BUTTONS}", choose, need, "c_need"))
    graph.add_node("c_need", lambda memory: Command(goto="m_support" if memory["need"] == "support" else "end"))
    graph.add_node("m_support", say("Connecting you to support, {name}."))
    graph.add_node("j_order", order_graph())
    graph.add_node("end", say("Thank you, {name}. Goodbye!"))
    for source, target in (
        (START, "start"),
        ("start", "q_name"),
        ("m_hello", "q_email"),
        ("m_minor", "end"),
        ("m_support", "j_order"),
        ("j_order", "end"),
        ("end", END),
    ):
        graph.add_edge(source, target)
    return graph.compile(checkpointer=saver)


class ReferenceBot:
    """States are LangGraph's checkpoints, serialised and kept by its in-memory saver."""

    def __init__(self) -> None:
        self._saver = InMemorySaver()
        self._known: set[str] = set()
        self.rebuild()

    def turn(self, conversation: str, text: str) -> list[str]:
        """Resume the thread with the answer, or open it."""
        config = {"configurable": {"thread_id": conversation}}
        opening = conversation not in self._known
        self._known.add(conversation)
        command: Any = {"texts": []} if opening else Command(resume=text)
        memory = self._graph.invoke(command, config, durability="exit")
        asked = [interruption.value for interruption in memory.get("__interrupt__", ())]
        return [*memory["texts"], *asked]

    def drop(self, conversation: str) -> None:
        """Delete a thread with all its checkpoints."""
        self._saver.delete_thread(conversation)
        self._known.discard(conversation)

    def rebuild(self) -> None:
        """Build and compile the graph again."""
        self._graph = main_graph(self._saver)

    def stored_bytes(self, conversation: str) -> int:
        """All serialised values of the thread: checkpoints, channel values and pending writes of this turn and before."""
        return _serialised(self._saver.storage.get(conversation)) + sum(
            _serialised(value)
            for store in (self._saver.blobs, self._saver.writes)
            for key, value in store.items()
            if key[0] == conversation
        )


def _serialised(value: Any) -> int:
    if isinstance(value, bytes):
        return len(value)
    if isinstance(value, dict):
        return sum(map(_serialised, value.values()))
    return sum(map(_serialised, value)) if isinstance(value, tuple | list) else 0
