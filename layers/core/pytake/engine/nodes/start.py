from typing import TYPE_CHECKING

from pytake.engine.execution import CompiledNode, Execution, NodeHandlers
from pytake.engine.registry import NodeData, node_type

if TYPE_CHECKING:
    from pytake.engine.compiler import NodeBuild


@node_type("start")
class Start(NodeData):
    """Where a flow begins, with a greeting if there is one.

    The message that opens a conversation only opens it: it answers no question.
    """

    greeting: str | None = None
    next_node_id: str | None = None

    def compile(self, build: "NodeBuild") -> NodeHandlers:
        """Say the greeting and go on."""
        say = build.say(self.greeting, "greeting")
        following = build.target(self.next_node_id, "next_node_id", required=True)
        step = build.step("next")

        def enter(run: Execution) -> CompiledNode | None:
            if say is not None:
                say(run)
            run.path.append(step)
            return following

        return NodeHandlers(enter)
