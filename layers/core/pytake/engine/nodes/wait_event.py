from pytake.engine.execution import CompiledNode, Execution, NodeHandlers
from pytake.engine.limits import DELAY_SECONDS, EVENT_NAME_CHARACTERS
from pytake.engine.node_build import NodeBuild
from pytake.engine.registry import NodeData, node_type


@node_type("wait_event")
class WaitEvent(NodeData):
    """Waits until a program reports an event of this `name`, such as a payment, at most `timeout_seconds` (30 days).

    Programs report events with `POST /api/v1/conversations/{phone}/events`. The event's data is stored in `output_variable`.
    Without the event the path continues at `timeout_next_node_id`. What the person writes in the meantime is recorded, but it is
    not answered and does not end the wait. Commands still work.
    """

    name: str
    timeout_seconds: float
    output_variable: str | None = None
    next_node_id: str | None = None
    timeout_next_node_id: str | None = None

    def compile(self, build: NodeBuild) -> NodeHandlers:
        """Compile the wait."""
        name, seconds = self.name.strip(), self.timeout_seconds
        if not 0 < len(name) <= EVENT_NAME_CHARACTERS or "{{" in name:
            message = f"Enter a fixed name of 1 to {EVENT_NAME_CHARACTERS} characters."
            build.problem("invalid_value", "name", message)
        if not 0 < seconds <= DELAY_SECONDS:
            message = f"Enter a number of seconds greater than 0 and at most {DELAY_SECONDS} (30 days)."
            build.problem("invalid_value", "timeout_seconds", message)
        node, store = build.node, None
        if self.output_variable:
            store = build.variable(self.output_variable, "output_variable")
        following = build.target(self.next_node_id, "next_node_id")
        late = build.target(self.timeout_next_node_id, "timeout_next_node_id", "timeout")
        wait_step, next_step, timeout_step = build.step("wait"), build.step("next"), build.step("timeout")

        def enter(run: Execution) -> CompiledNode | None:
            run.path.append(wait_step)
            run.wait(node, run.context.now + seconds)
            return None

        def answer(run: Execution) -> CompiledNode | None:
            run.path.append(wait_step)
            run.emit("input_ignored", type=run.input.type)
            run.wait(node, run.due_at)
            return None

        def event(run: Execution) -> CompiledNode | None:
            if store is not None:
                store(run, run.input.payload)
            run.path.append(next_step)
            return following

        def timer(run: Execution) -> CompiledNode | None:
            run.path.append(timeout_step)
            run.emit("timed_out", node_id=node.node_id)
            return late

        return NodeHandlers(enter, answer=answer, timer=timer, events={name: event})
