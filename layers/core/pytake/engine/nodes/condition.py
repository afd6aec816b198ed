from typing import Any

from msgspec import Struct

from pytake.engine.conditions import Test, all_hold, compile_comparison
from pytake.engine.execution import CompiledNode, Execution, NodeHandlers
from pytake.engine.facts import BranchCondition
from pytake.engine.field_types import Comparison
from pytake.engine.node_build import NodeBuild
from pytake.engine.registry import NodeData, node_type
from pytake.engine.turn import Step


class Branch(Struct, kw_only=True, forbid_unknown_fields=True):
    """A branch that is taken when `all` of its comparisons hold, or when `any` of them does."""

    next_node_id: str | None = None
    all: list[Comparison] | None = None
    any: list[Comparison] | None = None


@node_type("condition")
class Condition(NodeData):
    """Decides where the path continues.

    Use either one comparison (`variable`, `operator`, `value`, `keep_as`) with `true_next_node_id` and `false_next_node_id`, or
    `branches`: the first branch that holds is taken, or else `default_next_node_id`. What `keep_as` keeps is stored only when the
    path takes that exit.
    """

    variable: str | None = None
    operator: str | None = None
    value: Any = None
    keep_as: str | None = None
    true_next_node_id: str | None = None
    false_next_node_id: str | None = None
    branches: list[Branch] | None = None
    default_next_node_id: str | None = None

    def compile(self, build: NodeBuild) -> NodeHandlers:
        """Compile the comparisons and the targets."""
        if self.branches is not None:
            if self.variable is not None or self.operator is not None or self.keep_as is not None:
                message = "A condition has either `variable` and `operator`, or `branches`. Remove one of the two."
                build.problem("conflicting_fields", "branches", message)
            return self._branches(self.branches, build)
        for name in ("variable", "operator"):
            if getattr(self, name) is None:
                build.problem("missing_field", name, f"A condition needs `{name}` (or `branches`). Add it.")
        if self.variable is None or self.operator is None:
            return NodeHandlers(lambda _: None)
        comparison = Comparison(variable=self.variable, operator=self.operator, value=self.value, keep_as=self.keep_as)
        test = compile_comparison(comparison, build)
        yes = build.target(self.true_next_node_id, "true_next_node_id", "true")
        no = build.target(self.false_next_node_id, "false_next_node_id", "false")
        build.facts.branch_conditions.append(BranchCondition("true", "true_next_node_id", [comparison]))
        yes_step, no_step = build.step("true"), build.step("false")

        def enter(run: Execution) -> CompiledNode | None:
            if test(run):
                run.path.append(yes_step)
                return yes
            run.path.append(no_step)
            return no

        return NodeHandlers(enter)

    def _branches(self, branches: list[Branch], build: NodeBuild) -> NodeHandlers:
        compiled: list[tuple[Test, Step, CompiledNode]] = []
        for index, branch in enumerate(branches):
            field = f"branches[{index}]"
            target = build.target(branch.next_node_id, f"{field}.next_node_id", f"branch:{index + 1}")
            step = build.step(f"branch:{index + 1}")
            compiled.append((_test(branch, build, field, step.exit), step, target))
        otherwise = build.target(self.default_next_node_id, "default_next_node_id", "default")
        default = build.step("default")

        def enter(run: Execution) -> CompiledNode | None:
            for test, step, target in compiled:
                if test(run):
                    run.path.append(step)
                    return target
            run.path.append(default)
            return otherwise

        return NodeHandlers(enter)


def _test(branch: Branch, build: NodeBuild, field: str, exit: str) -> Test:
    if (branch.all is None) == (branch.any is None):
        message = "A branch needs a list of comparisons, in either `all` or `any`. Enter exactly one of them."
        build.problem("conflicting_fields", field, message)
        return lambda _: False
    name, comparisons = ("all", branch.all) if branch.all is not None else ("any", branch.any or [])
    build.facts.branch_conditions.append(BranchCondition(exit, f"{field}.next_node_id", comparisons, name == "any"))
    tests = [compile_comparison(one, build, f"{field}.{name}[{index}]") for index, one in enumerate(comparisons)]
    if not tests:
        build.problem("missing_field", f"{field}.{name}", "The list of comparisons is empty. Add one.")
    if len(tests) == 1:
        return tests[0]
    if name == "all":
        return all_hold(tests, keeps=any(one.keep_as for one in comparisons))
    return lambda run: any(test(run) for test in tests)
