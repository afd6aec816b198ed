from typing import Any, ClassVar

from pytake.engine.execution import CompiledNode, Execution, NodeHandlers
from pytake.engine.node_build import NodeBuild
from pytake.engine.registry import NodeData, node_type


@node_type("handoff")
class Handoff(NodeData):
    """Hands the conversation over to a human agent: the bot sends `message` and is silent from then on.

    Agents see `department`, `priority` and `note` with the conversation, and the variables collected so far. Templates work in
    all three. The list of conversations is filtered and sorted by `department` and `priority` (`urgent`, `high`, `normal`, `low`,
    or numbers from 1, the most urgent).

    When an agent returns the conversation, the path continues at `next_node_id`. Without it the flow ends with the handoff, and
    the person's next message starts over.
    """

    TEXTS: ClassVar = ("message", "note?")

    message: str | None = None
    department: str | None = None
    priority: str | int | None = None
    note: str | None = None
    next_node_id: str | None = None

    def compile(self, build: NodeBuild) -> NodeHandlers:
        """Compile the message and the handoff."""
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

        if not self.next_node_id:
            return NodeHandlers(enter)
        following, next_step = build.target(self.next_node_id, "next_node_id"), build.step("next")

        def go_on(run: Execution) -> CompiledNode | None:
            run.path.append(next_step)
            return following

        # The person may write between the agent's return and the turn that it starts: the path continues then.
        return NodeHandlers(enter, answer=go_on, timer=go_on, timer_input="handed_back")
