from pytake.engine.execution import CompiledNode, Execution, NodeHandlers
from pytake.engine.limits import DELAY_SECONDS
from pytake.engine.node_build import NodeBuild
from pytake.engine.registry import NodeData, node_type


@node_type("delay")
class Delay(NodeData):
    """Continues after `seconds` (at most 30 days). Nothing runs in the meantime, and nothing is lost.

    What the person writes in the meantime is recorded, but it is not answered and does not end the delay. Commands still work.
    """

    seconds: float
    next_node_id: str | None = None

    def compile(self, build: NodeBuild) -> NodeHandlers:
        """Compile the delay."""
        if not 0 <= self.seconds <= DELAY_SECONDS:
            message = f"Enter a number of seconds from 0 to {DELAY_SECONDS} (30 days)."
            build.problem("invalid_value", "seconds", message)
        node, seconds = build.node, self.seconds
        following = build.target(self.next_node_id, "next_node_id")
        wait_step, next_step = build.step("wait", possible=seconds > 0), build.step("next")

        def enter(run: Execution) -> CompiledNode | None:
            run.path.append(wait_step)
            run.wait(node, run.context.now + seconds)
            return None

        def resume(run: Execution) -> CompiledNode | None:
            run.path.append(next_step)
            return following

        def answer(run: Execution) -> CompiledNode | None:
            run.path.append(wait_step)
            run.emit("input_ignored", type=run.input.type)
            run.wait(node, run.due_at)
            return None

        return (
            NodeHandlers(enter, answer=answer, timer=resume, timer_input="resume") if seconds else NodeHandlers(resume)
        )
