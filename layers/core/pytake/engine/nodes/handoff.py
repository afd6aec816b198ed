from typing import TYPE_CHECKING, Any

from pytake.engine.registry import NodeData, node_type
from pytake.engine.running import Cell, Handlers, Run

if TYPE_CHECKING:
    from pytake.engine.compiling import NodeBuild


@node_type("handoff")
class Handoff(NodeData):
    """Hands the conversation to a person: the bot says `message` and is silent from then on.

    `department`, `priority` and `note` go to the agents with the event `handed_off`; templates work in them.
    """

    message: str | None = None
    department: str | None = None
    priority: str | int | None = None
    note: str | None = None

    def compile(self, build: "NodeBuild") -> Handlers:
        """Say the message and hand over."""
        speech = build.speech(self.message, "message")
        cell, step = build.cell, build.step("handoff")
        build.facts.stops = True
        details = {
            name: build.value(value, name)
            for name in ("department", "priority", "note")
            if (value := getattr(self, name)) is not None
        }

        def enter(run: Run) -> Cell | None:
            if speech is not None:
                speech(run)
            run.path.append(step)
            data: dict[str, Any] = {"node_id": cell.node_id}
            data.update((name, get(run)) for name, get in details.items())
            run.hand_over(cell, data)
            return None

        return Handlers(enter)
