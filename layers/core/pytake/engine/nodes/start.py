from typing import Any, ClassVar

from msgspec import Struct

from pytake.engine.execution import CompiledNode, Execution, NodeHandlers
from pytake.engine.node_build import NodeBuild
from pytake.engine.registry import NodeData, node_type


class Parameter(Struct, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A declared input: the `name` of its variable, and the `default` of one that is not `required`."""

    name: str
    required: bool = False
    default: Any = None


@node_type("start")
class Start(NodeData):
    """The start of a flow, with an optional greeting.

    The message that starts a conversation is not taken as the answer to a question.

    `parameters` declares the variables that the flow gets from a jump into it, or from the program that starts it. The prover
    reports a jump that does not pass a required one. An optional one that is not passed has its `default`.

    `opened_by_template`: the flow begins with the answer to a message template. A first question without a text takes that
    answer: the template has asked it.
    """

    TEXTS: ClassVar = ("greeting",)

    greeting: str | None = None
    parameters: list[Parameter] | None = None
    opened_by_template: bool | None = None
    next_node_id: str | None = None

    def required_parameters(self) -> list[str]:
        """The variables that a jump into the flow must pass."""
        return [parameter.name for parameter in self.parameters or [] if parameter.required]

    def compile(self, build: NodeBuild) -> NodeHandlers:
        """Compile the greeting."""
        parameters = [
            (parameter, build.variable(parameter.name, f"parameters[{index}].name"))
            for index, parameter in enumerate(self.parameters or [])
        ]
        say = build.say(self.greeting, "greeting")
        build.facts.says = say is not None
        build.facts.opened_by_template = bool(self.opened_by_template)
        following = build.target(self.next_node_id, "next_node_id")
        step = build.step("next")

        def enter(run: Execution) -> CompiledNode | None:
            if parameters:
                # A sub-flow that is entered in the same turn gets its own parameters from the jump.
                given = run.parameters if not run.path else {}
                for parameter, store in parameters:
                    if parameter.name in given:
                        store(run, given[parameter.name])
                    elif not parameter.required and parameter.name not in run.variables:
                        store(run, parameter.default)
            if say is not None:
                say(run)
            run.path.append(step)
            return following

        return NodeHandlers(enter)
