from typing import TYPE_CHECKING

from pytake.engine.registry import NodeData, node_type
from pytake.engine.running import Cell, Handlers, Run

if TYPE_CHECKING:
    from pytake.engine.compiling import NodeBuild


@node_type("end")
class End(NodeData):
    """Ends the flow, with a last message if there is one.

    In a sub-flow that was entered to return from it goes back to the parent. With `trigger_handoff` a person takes the
    conversation over, wherever the node stands.
    """

    message: str | None = None
    trigger_handoff: bool = False

    def compile(self, build: "NodeBuild") -> Handlers:
        """Say the message and end."""
        speech = build.speech(self.message, "message")
        cell, handoff = build.cell, self.trigger_handoff
        build.facts.ends, build.facts.stops = not handoff, handoff
        end_step, return_step = build.step("end", possible=not handoff), build.step("return", possible=not handoff)
        handoff_step = build.step("handoff", possible=handoff)

        def enter(run: Run) -> Cell | None:
            if speech is not None:
                speech(run)
            if handoff:
                run.path.append(handoff_step)
                run.hand_over(cell, {"node_id": cell.node_id})
                return None
            run.path.append(return_step if run.stack else end_step)
            return run.complete(cell)

        return Handlers(enter)
