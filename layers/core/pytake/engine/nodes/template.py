from typing import Any, ClassVar

from pytake.engine.execution import CompiledNode, Execution, NodeHandlers
from pytake.engine.facts import SentTemplate
from pytake.engine.node_build import NodeBuild
from pytake.engine.registry import NodeData, node_type
from pytake.engine.template_parameters import UnusableParameterError, library_files, sendable_components
from pytake.whatsapp.outbound import Template, TemplateCategory


@node_type("template")
class TemplateNode(NodeData):
    """Sends an approved WhatsApp template, which is also possible outside the 24-hour customer service window.

    `components` has Meta's format (header, body and button parameters). `{{...}}` works in all its texts. Meta refuses a template
    with an empty parameter, so it is not sent then, and `content_missing` says which one it is; `default` can fill it in. Line
    breaks, tabs and more than four spaces in a text become one space, and a text that is too long is cut. In a flow with several
    `languages` the template is sent in the language that is spoken; `texts` can name another (`NODE.language`).

    `category` is the template's category at Meta, for accounts without a copy of their templates. A `marketing` template is sent
    only to people who have granted consent to marketing, a `utility` template not to those who have withdrawn consent to it, and
    one whose category is not known not to those who have withdrawn either. The flow continues in any case.
    """

    TEXTS: ClassVar = ("language?", "components.[].parameters.[].text?")

    name: str
    language: str
    components: list[dict[str, Any]] | None = None
    category: TemplateCategory | None = None
    next_node_id: str | None = None

    def compile(self, build: NodeBuild) -> NodeHandlers:
        """Compile the components."""
        if not self.name.strip():
            build.problem("invalid_value", "name", "Enter the name of an approved template.")
        components = build.value(self.components or [], "components", as_text=True)
        name, category = self.name, self.category
        language = self.language if build.spoken is None or "language" in build.translated else build.spoken
        build.facts.says = True
        build.facts.template = SentTemplate(name, language, self.components or [])
        build.facts.files.extend(library_files(self.components or []))
        following, step, node = build.target(self.next_node_id, "next_node_id"), build.step("next"), build.node

        def enter(run: Execution) -> CompiledNode | None:
            try:
                run.send(Template(name, language, sendable_components(components(run)), category))
            except UnusableParameterError as error:
                run.emit("content_missing", node_id=node.node_id, field=error.field)
            run.path.append(step)
            return following

        return NodeHandlers(enter)
