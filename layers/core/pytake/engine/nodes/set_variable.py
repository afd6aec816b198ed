from typing import TYPE_CHECKING, Any

from pytake.engine.execution import CompiledNode, Execution, NodeHandlers
from pytake.engine.facts import Constant
from pytake.engine.registry import NodeData, node_type

if TYPE_CHECKING:
    from pytake.engine.compiler import NodeBuild


@node_type("set_variable")
class SetVariable(NodeData):
    """Stores a value: any JSON, with templates in its texts.

    A text that is exactly one `{{...}}` keeps the type of what it names: `"{{age}}"` stays a number.
    """

    variable: str
    value: Any = None
    next_node_id: str | None = None

    def compile(self, build: "NodeBuild") -> NodeHandlers:
        """Compile the value and go on."""
        get = build.value(self.value, "value")
        store = build.variable(self.variable, "variable", source=Constant(self.value))
        following, step = build.target(self.next_node_id, "next_node_id", required=True), build.step("next")

        def enter(run: Execution) -> CompiledNode | None:
            store(run, get(run))
            run.path.append(step)
            return following

        return NodeHandlers(enter)
