from typing import TYPE_CHECKING

from pytake.engine.limits import DELAY_SECONDS
from pytake.engine.registry import NodeData, node_type
from pytake.engine.running import Cell, Handlers, Run

if TYPE_CHECKING:
    from pytake.engine.compiling import NodeBuild


@node_type("delay")
class Delay(NodeData):
    """Goes on after `seconds` (at most 30 days). Nothing runs meanwhile, and nothing is lost.

    What the person writes in the meantime is recorded and neither answered nor an end to the waiting; the words that
    always work do.
    """

    seconds: float
    next_node_id: str | None = None

    def compile(self, build: "NodeBuild") -> Handlers:
        """Compile the waiting and going on."""
        if not 0 <= self.seconds <= DELAY_SECONDS:
            message = f"Write a number of seconds from 0 to {DELAY_SECONDS} (30 days)."
            build.problem("invalid_value", "seconds", message)
        cell, seconds = build.cell, self.seconds
        following = build.target(self.next_node_id, "next_node_id", required=True)
        wait_step, next_step = build.step("wait", possible=seconds > 0), build.step("next")

        def enter(run: Run) -> Cell | None:
            run.path.append(wait_step)
            run.wait(cell, run.context.now + seconds)
            return None

        def go_on(run: Run) -> Cell | None:
            run.path.append(next_step)
            return following

        def answer(run: Run) -> Cell | None:
            run.path.append(wait_step)
            run.happened("input_ignored", type=run.input.type)
            run.wait(cell, run.due_at)
            return None

        return Handlers(enter, answer=answer, timer=go_on, timer_input="resume") if seconds else Handlers(go_on)
