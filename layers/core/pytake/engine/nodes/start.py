from typing import TYPE_CHECKING

from pytake.engine.registry import NodeData, node_type
from pytake.engine.running import Cell, Handlers, Run

if TYPE_CHECKING:
    from pytake.engine.compiling import NodeBuild


@node_type("start")
class Start(NodeData):
    """Where a flow begins, with a greeting if there is one.

    The message that opens a conversation only opens it: it answers no question.
    """

    greeting: str | None = None
    next_node_id: str | None = None

    def compile(self, build: "NodeBuild") -> Handlers:
        """Say the greeting and go on."""
        speech = build.speech(self.greeting, "greeting")
        following = build.target(self.next_node_id, "next_node_id", required=True)
        step = build.step("next")

        def enter(run: Run) -> Cell | None:
            if speech is not None:
                speech(run)
            run.path.append(step)
            return following

        return Handlers(enter)
