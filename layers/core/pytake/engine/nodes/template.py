from typing import TYPE_CHECKING, Any

from pytake.engine.execution import CompiledNode, Execution, NodeHandlers
from pytake.engine.registry import NodeData, node_type
from pytake.whatsapp.outbound import Template

if TYPE_CHECKING:
    from pytake.engine.compiler import NodeBuild


@node_type("template")
class TemplateNode(NodeData):
    """Sends an approved WhatsApp template, which also works outside the 24 hours after the person's last message.

    `components` are Meta's own (header, body and button parameters); templates work in all their texts.
    """

    name: str
    language: str
    components: list[dict[str, Any]] | None = None
    next_node_id: str | None = None

    def compile(self, build: "NodeBuild") -> NodeHandlers:
        """Compile the components and go on."""
        if not self.name.strip():
            build.problem("invalid_value", "name", "Write the name of an approved template.")
        components = build.value(self.components or [], "components", as_text=True)
        name, language = self.name, self.language
        following, step = build.target(self.next_node_id, "next_node_id", required=True), build.step("next")

        def enter(run: Execution) -> CompiledNode | None:
            run.send(Template(name, language, components(run)))
            run.path.append(step)
            return following

        return NodeHandlers(enter)
