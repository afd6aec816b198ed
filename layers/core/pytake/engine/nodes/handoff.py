from typing import TYPE_CHECKING, Any

from pytake.engine.execution import CompiledNode, Execution, NodeHandlers
from pytake.engine.registry import NodeData, node_type

if TYPE_CHECKING:
    from pytake.engine.compiler import NodeBuild


@node_type("handoff")
class Handoff(NodeData):
    """Hands the conversation to a person: the bot says `message` and is silent from then on.

    `department`, `priority` and `note` go to the agents with the event `handed_off`; templates work in them.
    """

    message: str | None = None
    department: str | None = None
    priority: str | int | None = None
    note: str | None = None

    def compile(self, build: "NodeBuild") -> NodeHandlers:
        """Say the message and hand over."""
        say = build.say(self.message, "message")
        node, step = build.node, build.step("handoff")
        build.facts.stops = True
        details = {
            name: build.value(value, name)
            for name in ("department", "priority", "note")
            if (value := getattr(self, name)) is not None
        }

        def enter(run: Execution) -> CompiledNode | None:
            if say is not None:
                say(run)
            run.path.append(step)
            data: dict[str, Any] = {"node_id": node.node_id}
            data.update((name, get(run)) for name, get in details.items())
            run.hand_over(node, data)
            return None

        return NodeHandlers(enter)
