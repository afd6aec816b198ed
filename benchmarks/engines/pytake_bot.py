"""The reference conversation on PyTake's own engine."""

from pathlib import Path

from pytake.engine import Contact, Context, Flow, Input, State, compile_flow, take_turn
from pytake.whatsapp.outbound import OutboundMessage, ReplyButtons, Text

FLOWS = Path(__file__).parents[2] / "examples" / "flows"
CONTACT = Contact("5511999990001", "+5511999990001", "Ana")
CONTEXT = Context(1_770_000_000.0, "turn", CONTACT)


class ReferenceBot:
    """States are the bytes of `State.encode`."""

    def __init__(self) -> None:
        self._stored: dict[str, bytes] = {}
        self._flow = self._compile()

    def turn(self, conversation: str, text: str) -> list[str]:
        """One turn, as the flow runner takes it."""
        stored = self._stored.get(conversation)
        state = State.decode(stored) if stored else None
        turn = take_turn(self._flow, state, Input("text", text), CONTEXT)
        self._stored[conversation] = turn.state.encode() if turn.state is not None else b""
        return [message.text if type(message) is Text else _text_of(message) for message in turn.messages]

    def drop(self, conversation: str) -> None:
        """Delete a conversation."""
        self._stored.pop(conversation, None)

    def rebuild(self) -> None:
        """Compile the flow again."""
        self._flow = self._compile()

    def stored_bytes(self, conversation: str) -> int:
        """The length of the stored state."""
        return len(self._stored.get(conversation, b""))

    @staticmethod
    def _compile() -> Flow:
        names = ("reference_workload", "reference_workload_order")
        return compile_flow({name: (FLOWS / f"{name}.json").read_bytes() for name in names}, names[0])


def _text_of(message: OutboundMessage) -> str:
    if not isinstance(message, ReplyButtons):
        raise TypeError(f"the reference flow sends no {type(message).__name__}")
    return f"{message.text} [{'|'.join(f'{button.id}={button.title}' for button in message.buttons)}]"
