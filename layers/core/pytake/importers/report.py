"""What an import could not bring along, and why a file is refused."""

from typing import Literal

from msgspec import Struct

Severity = Literal["blocker", "loss", "note"]


class Loss(Struct, frozen=True):
    """Something that the imported flow does not do as the source did, or that its builder should know.

    `blocker`: the conversation cannot go on as it did. `loss`: it goes on, but something is missing or different. `note`: it
    goes on as it did, and there is something to check, or WhatsApp's own limits changed how it looks. `source` is the place
    in the source file, `flow_id` and `node_id` the place in the imported flow, and `message` says what to do.
    """

    code: str
    severity: Severity
    source: str
    node_id: str | None
    message: str
    flow_id: str | None = None


class ImportRefusedError(Exception):
    """A file cannot be imported at all; the message says why."""


class Report:
    """Collects the losses of one import. The same loss at the same place is listed once."""

    def __init__(self) -> None:
        self._losses: dict[Loss, None] = {}
        self.silent_texts: dict[tuple[str, str], str] = {}
        """What a question without a text may say, by flow id and node id: the text in the input field of a web page."""

    def add(self, loss: Loss) -> None:
        """Add a loss."""
        self._losses[loss] = None

    def keep_nodes(self, flow_id: str, node_ids: set[str]) -> None:
        """Forget losses at nodes that a flow does not have: they belong to parts that no path reaches."""
        gone = [one for one in self._losses if one.flow_id == flow_id and one.node_id not in (None, *node_ids)]
        for loss in gone:
            del self._losses[loss]

    @property
    def losses(self) -> list[Loss]:
        """The losses, in the order in which they were found."""
        return list(self._losses)
