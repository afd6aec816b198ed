from collections.abc import Callable
from typing import Any

from pytake.engine.execution import CompiledNode, Execution, Handler, NodeHandlers
from pytake.engine.facts import Constant
from pytake.engine.limits import DELAY_SECONDS
from pytake.engine.node_build import NodeBuild
from pytake.engine.registry import NodeData, node_type
from pytake.engine.state import Frame
from pytake.engine.turn import Step

Store = Callable[[Execution, Any], None]


@node_type("jump")
class Jump(NodeData):
    """Enters another flow at `target_node_id`, or at its start.

    With `return_to_parent` the path returns when the sub-flow ends and continues at `next_node_id`. Without it the other flow
    takes over the conversation for good. With `pass_variables` both flows share one set of variables. Without it the sub-flow
    starts with none, and its variables are merged into the parent's when it returns.

    A person may leave a sub-flow without an answer. After `timeout_seconds` in it, or when a question in it times out without a
    `timeout_next_node_id` of its own, the path returns to the jump and continues at `timeout_next_node_id`. `outcome_variable`
    stores how the sub-flow ended: `completed`, `timeout`, or `attempts_exceeded` (a question without a
    `max_attempts_next_node_id`); without a target of its own the path then continues at `next_node_id`. A jump with none of
    these fields does not return from an abandoned sub-flow: the conversation ends.
    """

    target_flow_id: str
    target_node_id: str | None = None
    pass_variables: bool = True
    return_to_parent: bool = True
    next_node_id: str | None = None
    timeout_seconds: float | None = None
    timeout_next_node_id: str | None = None
    outcome_variable: str | None = None

    def jumps_to(self) -> str | None:
        """The id of the flow it enters."""
        return self.target_flow_id

    def compile(self, build: NodeBuild) -> NodeHandlers:
        """Compile the jump and the return."""
        returns, shares = self.return_to_parent, self.pass_variables
        target = build.jump(self.target_flow_id, self.target_node_id, returns=returns, shares=shares)
        jump_step, next_step = build.step("jump"), build.step("next", possible=returns)
        shared_frame = Frame(build.flow_id, build.node_id)
        timeout = self._timeout(build)

        def enter(run: Execution) -> CompiledNode | None:
            run.path.append(jump_step)
            if not returns:
                run.stack.clear()
                if not shares:
                    run.variables = {}
            elif shares and timeout is None:
                run.push(shared_frame)
            else:
                due_at = run.context.now + timeout if timeout is not None else None
                run.push(Frame(shared_frame.flow_id, shared_frame.node_id, None if shares else run.variables, due_at))
                if not shares:
                    run.variables = {}
            return target

        if not returns:
            for name in ("next_node_id", "timeout_next_node_id", "timeout_seconds", "outcome_variable"):
                if getattr(self, name):
                    message = (
                        f"This jump never returns, so `{name}` has no effect. Remove it, or set `return_to_parent`."
                    )
                    build.problem("conflicting_fields", name, message)
            return NodeHandlers(enter)
        following = build.target(self.next_node_id, "next_node_id")
        store = self._outcome(build, "next", "completed")

        def returned(run: Execution) -> CompiledNode | None:
            if store is not None:
                store(run, "completed")
            run.path.append(next_step)
            return following

        return NodeHandlers(enter, returned=returned, abandoned=self._abandoned(following, build))

    def _abandoned(self, following: CompiledNode, build: NodeBuild) -> dict[str, Handler] | None:
        """What follows when the sub-flow is abandoned, by how it ended; None if the jump does not go on then."""
        exits = {
            "timeout": self.timeout_seconds is not None or bool(self.timeout_next_node_id or self.outcome_variable),
            "attempts_exceeded": bool(self.outcome_variable),
        }
        outcomes = [outcome for outcome, goes_on in exits.items() if goes_on]
        found: dict[str, Handler] = {}
        for outcome in outcomes:
            field = f"{outcome}_next_node_id"
            target = build.optional_target(getattr(self, field, None), field, outcome) or following
            build.facts.abandoned_exits.append(outcome)
            found[outcome] = _go_on(build.step(outcome), target, self._outcome(build, outcome, outcome), outcome)
        return found or None

    def _outcome(self, build: NodeBuild, exit: str, outcome: str) -> Store | None:
        if not self.outcome_variable:
            return None
        return build.variable(self.outcome_variable, "outcome_variable", exit, Constant(outcome))

    def _timeout(self, build: NodeBuild) -> float | None:
        if self.timeout_seconds is not None and not 0 < self.timeout_seconds <= DELAY_SECONDS:
            message = f"Enter a number of seconds greater than 0 and at most {DELAY_SECONDS} (30 days)."
            build.problem("invalid_value", "timeout_seconds", message)
        return self.timeout_seconds


def _go_on(step: Step, target: CompiledNode, store: Store | None, outcome: str) -> Handler:
    def go_on(run: Execution) -> CompiledNode | None:
        if store is not None:
            store(run, outcome)
        run.path.append(step)
        return target

    return go_on
