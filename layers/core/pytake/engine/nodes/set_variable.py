from typing import Any

from pytake.engine.execution import CompiledNode, Execution, NodeHandlers
from pytake.engine.facts import Constant
from pytake.engine.node_build import NodeBuild
from pytake.engine.registry import NodeData, node_type


@node_type("set_variable")
class SetVariable(NodeData):
    """Stores a value in a variable: any JSON, with templates in its texts.

    A text that is exactly one `{{...}}` keeps the type of its value: `"{{age}}"` stays a number. Arithmetic belongs between the
    braces: `"{{score + 10}}"`.
    """

    variable: str
    value: Any = None
    next_node_id: str | None = None

    def compile(self, build: NodeBuild) -> NodeHandlers:
        """Compile the value."""
        get = build.stored_value(self.value, "value")
        store = build.variable(self.variable, "variable", source=Constant(self.value))
        following, step = build.target(self.next_node_id, "next_node_id"), build.step("next")

        def enter(run: Execution) -> CompiledNode | None:
            store(run, get(run))
            run.path.append(step)
            return following

        return NodeHandlers(enter)
