from typing import ClassVar

from pytake.engine.execution import CompiledNode, Execution, NodeHandlers
from pytake.engine.node_build import NodeBuild
from pytake.engine.registry import NodeData, node_type


@node_type("end")
class End(NodeData):
    """Ends the flow, with an optional last message.

    In a sub-flow that returns, the path goes back to the parent. With `trigger_handoff` a human agent takes over the
    conversation, also from inside a sub-flow.
    """

    TEXTS: ClassVar = ("message",)

    message: str | None = None
    trigger_handoff: bool = False

    def compile(self, build: NodeBuild) -> NodeHandlers:
        """Compile the message and the end."""
        say = build.say(self.message, "message")
        node, handoff = build.node, self.trigger_handoff
        build.facts.ends, build.facts.stops = not handoff, handoff
        end_step, return_step = build.step("end", possible=not handoff), build.step("return", possible=not handoff)
        handoff_step = build.step("handoff", possible=handoff)

        def enter(run: Execution) -> CompiledNode | None:
            if say is not None:
                say(run)
            if handoff:
                run.path.append(handoff_step)
                run.hand_over(node, {"node_id": node.node_id})
                return None
            run.path.append(return_step if run.stack else end_step)
            return run.complete(node)

        return NodeHandlers(enter)
