from typing import ClassVar

from pytake.engine.execution import CompiledNode, Execution, NodeHandlers
from pytake.engine.node_build import NodeBuild
from pytake.engine.registry import NodeData, node_type


@node_type("start")
class Start(NodeData):
    """The start of a flow, with an optional greeting.

    The message that starts a conversation is not taken as the answer to a question.
    """

    TEXTS: ClassVar = ("greeting",)

    greeting: str | None = None
    next_node_id: str | None = None

    def compile(self, build: NodeBuild) -> NodeHandlers:
        """Compile the greeting."""
        say = build.say(self.greeting, "greeting")
        following = build.target(self.next_node_id, "next_node_id", required=True)
        step = build.step("next")

        def enter(run: Execution) -> CompiledNode | None:
            if say is not None:
                say(run)
            run.path.append(step)
            return following

        return NodeHandlers(enter)
