"""The reference conversation on `transitions`: one machine, one model that is loaded with each conversation's state."""

import json
import re
from typing import Any

from transitions import Machine

EMAIL = re.compile(r"^[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,}$")
NUMBER = re.compile(r"[+-]?\d+(\.\d+)?")
NEEDS = ("sales", "support", "other")
BUTTONS = "[sales=Sales|support=Support|other=Other]"
STATES = (
    "new", "start", "q_name", "m_hello", "q_email", "q_age", "c_adult", "m_minor", "q_need", "c_need",
    "m_support", "j_order", "q_order", "m_order", "ret", "end",
)  # fmt: skip
# `answer` is what the person does, `proceed` what a node does that does not wait.
TRANSITIONS = [
    {"trigger": "answer", "source": "new", "dest": "start"},
    {"trigger": "proceed", "source": "start", "dest": "q_name"},
    {"trigger": "answer", "source": "q_name", "dest": "m_hello", "conditions": "is_name"},
    {"trigger": "answer", "source": "q_name", "dest": None, "after": "refuse_name"},
    {"trigger": "proceed", "source": "m_hello", "dest": "q_email"},
    {"trigger": "answer", "source": "q_email", "dest": "q_age", "conditions": "is_email"},
    {"trigger": "answer", "source": "q_email", "dest": None, "after": "refuse_email"},
    {"trigger": "answer", "source": "q_age", "dest": "c_adult", "conditions": "is_age"},
    {"trigger": "answer", "source": "q_age", "dest": None, "after": "refuse_age"},
    {"trigger": "proceed", "source": "c_adult", "dest": "q_need", "conditions": "is_adult"},
    {"trigger": "proceed", "source": "c_adult", "dest": "m_minor"},
    {"trigger": "proceed", "source": "m_minor", "dest": "end"},
    {"trigger": "answer", "source": "q_need", "dest": "c_need", "conditions": "is_need"},
    {"trigger": "answer", "source": "q_need", "dest": None, "after": "refuse_need"},
    {"trigger": "proceed", "source": "c_need", "dest": "m_support", "conditions": "is_support"},
    {"trigger": "proceed", "source": "c_need", "dest": "end"},
    {"trigger": "proceed", "source": "m_support", "dest": "j_order"},
    {"trigger": "proceed", "source": "j_order", "dest": "q_order"},
    {"trigger": "answer", "source": "q_order", "dest": "m_order", "conditions": "is_order"},
    {"trigger": "answer", "source": "q_order", "dest": None, "after": "refuse_order"},
    {"trigger": "proceed", "source": "m_order", "dest": "ret"},
    {"trigger": "proceed", "source": "ret", "dest": "end", "conditions": "returns_to_end"},
]


class Conversation:
    """The model: the machine adds `state`, `answer()` and `proceed()`."""

    answer: Any
    proceed: Any
    state: str

    def __init__(self) -> None:
        self.variables: dict[str, Any] = {}
        self.stack: list[str] = []
        self.said = ""
        self.texts: list[str] = []

    def is_name(self) -> bool:
        return self._long_enough("name")

    def is_order(self) -> bool:
        return self._long_enough("order")

    def _long_enough(self, variable: str) -> bool:
        text = self.said.strip()
        if len(text) < 2:
            return False
        self.variables[variable] = text
        return True

    def is_email(self) -> bool:
        if not EMAIL.search(self.said):
            return False
        self.variables["email"] = self.said
        return True

    def is_age(self) -> bool:
        if not NUMBER.fullmatch(self.said):
            return False
        number = float(self.said)
        self.variables["age"] = int(number) if number.is_integer() else number
        return True

    def is_need(self) -> bool:
        if self.said not in NEEDS:
            return False
        self.variables["need"] = self.said
        return True

    def is_adult(self) -> bool:
        return bool(self.variables["age"] >= 18)

    def is_support(self) -> bool:
        return bool(self.variables["need"] == "support")

    def returns_to_end(self) -> bool:
        return self.stack.pop() == "end"

    def refuse_name(self) -> None:
        self.texts.append("Please give a name of at least 2 characters.")

    def refuse_email(self) -> None:
        self.texts.append("That is not a valid e-mail. Please try again.")

    def refuse_age(self) -> None:
        self.texts.append("Please send a number.")

    def refuse_need(self) -> None:
        self.texts.append("Please choose one of the options.")

    def refuse_order(self) -> None:
        self.texts.append("Please give an order number of at least 2 characters.")

    def on_enter_start(self) -> None:
        self._say_and_proceed("Welcome to Acme!")

    def on_enter_q_name(self) -> None:
        self.texts.append("What is your name?")

    def on_enter_m_hello(self) -> None:
        self._say_and_proceed(f"Nice to meet you, {self.variables['name']}.")

    def on_enter_q_email(self) -> None:
        self.texts.append("What is your e-mail?")

    def on_enter_q_age(self) -> None:
        self.texts.append("How old are you?")

    def on_enter_c_adult(self) -> None:
        self.proceed()

    def on_enter_m_minor(self) -> None:
        self._say_and_proceed("Sorry, you must be 18 or older.")

    def on_enter_q_need(self) -> None:
        self.texts.append(f"What do you need? {BUTTONS}")

    def on_enter_c_need(self) -> None:
        self.proceed()

    def on_enter_m_support(self) -> None:
        self._say_and_proceed(f"Connecting you to support, {self.variables['name']}.")

    def on_enter_j_order(self) -> None:
        self.stack.append("end")
        self.proceed()

    def on_enter_q_order(self) -> None:
        self.texts.append("What is your order number?")

    def on_enter_m_order(self) -> None:
        self._say_and_proceed(f"Order {self.variables['order']} noted for {self.variables['email']}.")

    def on_enter_ret(self) -> None:
        self.proceed()

    def on_enter_end(self) -> None:
        self.texts.append(f"Thank you, {self.variables['name']}. Goodbye!")

    def _say_and_proceed(self, text: str) -> None:
        self.texts.append(text)
        self.proceed()


class ReferenceBot:
    """States are JSON, because the library does not store them."""

    def __init__(self) -> None:
        self._stored: dict[str, bytes] = {}
        self.rebuild()

    def turn(self, conversation: str, text: str) -> list[str]:
        """Load the model, answer, store the model."""
        model, stored = self._model, self._stored.get(conversation)
        if stored:
            model.state, model.variables, model.stack = json.loads(stored)
        else:
            model.state, model.variables, model.stack = "new", {}, []
        model.said, model.texts = text, []
        model.answer()
        over = model.state == "end"
        self._stored[conversation] = (
            b"" if over else json.dumps([model.state, model.variables, model.stack], separators=(",", ":")).encode()
        )
        return model.texts

    def drop(self, conversation: str) -> None:
        """Delete a conversation."""
        self._stored.pop(conversation, None)

    def rebuild(self) -> None:
        """Create the machine and the model again."""
        self._model = Conversation()
        self._machine = Machine(
            self._model, states=list(STATES), transitions=TRANSITIONS, initial="new", auto_transitions=False
        )

    def stored_bytes(self, conversation: str) -> int:
        """The length of the stored state."""
        return len(self._stored.get(conversation, b""))
