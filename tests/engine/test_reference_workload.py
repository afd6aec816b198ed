"""The reference workload: a conversation that every compared engine must produce word for word."""

import json
from pathlib import Path

import pytest

from pytake.engine import Contact, Context, Flow, Input, State, compile_flow, take_turn, validate
from pytake.whatsapp.outbound import OutboundMessage, ReplyButtons, Text

FLOWS = Path(__file__).parents[2] / "examples" / "flows"
BUTTONS = "[sales=Sales|support=Support|other=Other]"
CONTEXT = Context(now=0.0, seed="seed", contact=Contact("5511999990000"))
Conversation = list[tuple[str, list[str]]]


def documents() -> dict[str, object]:
    names = ("reference_workload", "reference_workload_order")
    return {name: json.loads((FLOWS / f"{name}.json").read_bytes()) for name in names}


def main_path(number: int) -> Conversation:
    name, email, order = f"Ana{number % 1000}", f"user{number}@example.com", f"A-{number % 10000:04d}"
    return [
        ("hi", ["Welcome to Acme!", "What is your name?"]),
        (name, [f"Nice to meet you, {name}.", "What is your e-mail?"]),
        (f"user{number}@", ["That is not a valid e-mail. Please try again."]),
        (email, ["How old are you?"]),
        (str(18 + number % 60), [f"What do you need? {BUTTONS}"]),
        ("support", [f"Connecting you to support, {name}.", "What is your order number?"]),
        (order, [f"Order {order} noted for {email}.", f"Thank you, {name}. Goodbye!"]),
    ]


MINOR: Conversation = [
    ("hi", ["Welcome to Acme!", "What is your name?"]),
    ("A", ["Please give a name of at least 2 characters."]),
    ("Bo", ["Nice to meet you, Bo.", "What is your e-mail?"]),
    ("bo@x.io", ["How old are you?"]),
    ("abc", ["Please send a number."]),
    ("17", ["Sorry, you must be 18 or older.", "Thank you, Bo. Goodbye!"]),
]
SALES: Conversation = [
    ("hi", ["Welcome to Acme!", "What is your name?"]),
    ("Zoe", ["Nice to meet you, Zoe.", "What is your e-mail?"]),
    ("zoe@mail.org", ["How old are you?"]),
    ("40", [f"What do you need? {BUTTONS}"]),
    ("foo", ["Please choose one of the options."]),
    ("sales", ["Thank you, Zoe. Goodbye!"]),
]


@pytest.fixture(scope="module")
def flow() -> Flow:
    return compile_flow(documents(), "reference_workload")


def shown(message: OutboundMessage) -> str:
    if isinstance(message, Text):
        return message.text
    assert isinstance(message, ReplyButtons)
    return f"{message.text} [{'|'.join(f'{button.id}={button.title}' for button in message.buttons)}]"


def say(flow: Flow, stored: bytes | None, answer: Input) -> tuple[bytes | None, list[str]]:
    turn = take_turn(flow, State.decode(stored) if stored else None, answer, CONTEXT)
    return (turn.state.encode() if turn.state else None), [shown(message) for message in turn.messages]


@pytest.mark.parametrize(
    "conversation", [main_path(0), main_path(7), MINOR, SALES], ids=["main 0", "main 7", "minor", "sales"]
)
def test_every_text_is_exact(flow: Flow, conversation: Conversation) -> None:
    stored = None
    for text, expected in conversation:
        stored, sent = say(flow, stored, Input(text=text))
        assert sent == expected
        assert len(stored or b"") <= 300
    assert stored is None


def test_interleaved_conversations_stay_separate_when_everything_is_rebuilt() -> None:
    stored: list[bytes | None] = [None, None]
    paths = main_path(101), main_path(202)
    for step in range(7):
        for person, path in enumerate(paths):
            text, expected = path[step]
            rebuilt = compile_flow(documents(), "reference_workload")
            stored[person], sent = say(rebuilt, stored[person], Input(text=text))
            assert sent == expected


def test_a_tapped_button_answers_like_its_value(flow: Flow) -> None:
    stored = None
    for text, _ in main_path(3)[:5]:
        stored, _ = say(flow, stored, Input(text=text))
    _, sent = say(flow, stored, Input(type="reply", text="Support", reply_id="support"))
    assert sent == ["Connecting you to support, Ana3.", "What is your order number?"]


def test_the_prover_finds_no_problem() -> None:
    assert validate(documents(), "reference_workload") == []
