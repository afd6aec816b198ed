"""The reference conversation, engine-neutral: what the person writes and the exact answers of a bot.

Twelve nodes and a sub-flow of three: four questions (text, e-mail pattern, number, three buttons), two conditions, a
jump that comes back. The flow itself is `examples/flows/reference_workload.json`. All engines that pass `mismatches` do
the same work.
"""

from collections.abc import Callable, Iterator

Turn = tuple[str, list[str]]
"""A text of the person and the bot's texts."""

BUTTONS = "[sales=Sales|support=Support|other=Other]"
"""A question with buttons in this list of texts; the person answers with a button's id."""

_OPENING: Turn = ("hi", ["Welcome to Acme!", "What is your name?"])
_NEED = f"What do you need? {BUTTONS}"

MINOR: list[Turn] = [
    _OPENING,
    ("A", ["Please give a name of at least 2 characters."]),
    ("Bo", ["Nice to meet you, Bo.", "What is your e-mail?"]),
    ("bo@x.io", ["How old are you?"]),
    ("abc", ["Please send a number."]),
    ("17", ["Sorry, you must be 18 or older.", "Thank you, Bo. Goodbye!"]),
]
"""A short name and a word for an age are refused; seventeen is too young."""

SALES: list[Turn] = [
    _OPENING,
    ("Zoe", ["Nice to meet you, Zoe.", "What is your e-mail?"]),
    ("zoe@mail.org", ["How old are you?"]),
    ("40", [_NEED]),
    ("foo", ["Please choose one of the options."]),
    ("sales", ["Thank you, Zoe. Goodbye!"]),
]
"""An invalid choice is refused; the other branch ends at once, without the sub-flow."""


def conversation(number: int) -> list[Turn]:
    """The timed conversation of this number: seven turns, one of them refused, the sub-flow included."""
    name, email, order = f"Ana{number % 1000}", f"user{number}@example.com", f"A-{number % 10000:04d}"
    return [
        _OPENING,
        (name, [f"Nice to meet you, {name}.", "What is your e-mail?"]),
        (f"user{number}@", ["That is not a valid e-mail. Please try again."]),
        (email, ["How old are you?"]),
        (str(18 + number % 60), [_NEED]),
        ("support", [f"Connecting you to support, {name}.", "What is your order number?"]),
        (order, [f"Order {order} noted for {email}.", f"Thank you, {name}. Goodbye!"]),
    ]


def mismatches(
    turn: Callable[[str, str], list[str]], rebuild: Callable[[], None], drop: Callable[[str], None]
) -> Iterator[str]:
    """Yield one sentence per wrong answer of an engine.

    `turn(conversation, text)` takes one turn, `rebuild()` creates the engine's objects again while the stored states stay,
    `drop(conversation)` deletes a conversation.
    """

    def compare(key: str, number: int, said: str, expected: list[str]) -> Iterator[str]:
        answered = turn(key, said)
        if answered != expected:
            yield f"{key}, turn {number}: to {said!r} it says {answered!r}, not {expected!r}"

    for key, turns in (("first", conversation(0)), ("eighth", conversation(7)), ("minor", MINOR), ("sales", SALES)):
        for number, (said, expected) in enumerate(turns, 1):
            yield from compare(key, number, said, expected)
        drop(key)
    # Two at once, and nothing of the engine survives between two turns but what it stored.
    for number, pair in enumerate(zip(conversation(101), conversation(202), strict=True), 1):
        rebuild()
        for key, (said, expected) in zip(("one", "other"), pair, strict=True):
            yield from compare(key, number, said, expected)
    drop("one")
    drop("other")
