from typing import TYPE_CHECKING

from pytake.engine.execution import CompiledNode, Execution, NodeHandlers
from pytake.engine.limits import DELAY_SECONDS
from pytake.engine.registry import NodeData, node_type

if TYPE_CHECKING:
    from pytake.engine.compiler import NodeBuild


@node_type("delay")
class Delay(NodeData):
    """Goes on after `seconds` (at most 30 days). Nothing runs meanwhile, and nothing is lost.

    What the person writes in the meantime is recorded and neither answered nor an end to the waiting; the words that
    always work do.
    """

    seconds: float
    next_node_id: str | None = None

    def compile(self, build: "NodeBuild") -> NodeHandlers:
        """Compile the waiting and going on."""
        if not 0 <= self.seconds <= DELAY_SECONDS:
            message = f"Write a number of seconds from 0 to {DELAY_SECONDS} (30 days)."
            build.problem("invalid_value", "seconds", message)
        node, seconds = build.node, self.seconds
        following = build.target(self.next_node_id, "next_node_id", required=True)
        wait_step, next_step = build.step("wait", possible=seconds > 0), build.step("next")

        def enter(run: Execution) -> CompiledNode | None:
            run.path.append(wait_step)
            run.wait(node, run.context.now + seconds)
            return None

        def go_on(run: Execution) -> CompiledNode | None:
            run.path.append(next_step)
            return following

        def answer(run: Execution) -> CompiledNode | None:
            run.path.append(wait_step)
            run.emit("input_ignored", type=run.input.type)
            run.wait(node, run.due_at)
            return None

        return NodeHandlers(enter, answer=answer, timer=go_on, timer_input="resume") if seconds else NodeHandlers(go_on)
