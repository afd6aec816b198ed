from typing import Any, ClassVar

from pytake.engine.execution import CompiledNode, Execution, NodeHandlers
from pytake.engine.node_build import NodeBuild
from pytake.engine.registry import NodeData, node_type
from pytake.engine.sending import check_body
from pytake.engine.text_split import truncate
from pytake.whatsapp import limits as meta
from pytake.whatsapp.outbound import FlowForm


@node_type("whatsapp_flow")
class WhatsAppFlow(NodeData):
    """Sends a WhatsApp Flow, a form inside the chat, and waits for its response.

    The response is stored in `variable` as an object. After any other answer, and after the response to a form of an older
    message, the form is sent again.
    """

    TEXTS: ClassVar = ("text", "header", "footer", "cta", "flow_id?")

    flow_id: str
    cta: str
    variable: str
    text: str | None = None
    header: str | None = None
    footer: str | None = None
    screen: str | None = None
    data: dict[str, Any] | None = None
    next_node_id: str | None = None

    def compile(self, build: NodeBuild) -> NodeHandlers:
        """Compile the form and the handling of its response."""
        build.limit(self.cta, meta.FLOW_CTA, "cta", "The label of the form's button")
        build.limit(self.header, meta.HEADER_TEXT, "header", "A header")
        build.limit(self.footer, meta.FOOTER, "footer", "A footer")
        for name in ("flow_id", "cta"):
            if not getattr(self, name).strip():
                build.problem("invalid_value", name, f"`{name}` is empty. Enter it.")
        text, cta = (
            build.rendering(self.text or build.built_in_text("form_body"), "text"),
            build.rendering(self.cta, "cta"),
        )
        header, footer = build.rendering(self.header, "header"), build.rendering(self.footer, "footer")
        data = build.value(self.data, "data") if self.data else None
        store = build.variable(self.variable, "variable")
        check_body(self.text, meta.INTERACTIVE_BODY, "text", build)
        build.facts.says = True
        following, node = build.target(self.next_node_id, "next_node_id"), build.node
        wait_step, next_step, invalid = build.step("wait"), build.step("next"), build.step("invalid")
        flow_id, screen, otherwise = self.flow_id, self.screen, build.built_in_text("form_body")
        # The response contains the token, which identifies the node that sent the form.
        prefix = f"{build.flow_id}/{build.node_id}/"

        def offer(run: Execution) -> None:
            top = truncate(" ".join(header(run).split()), meta.HEADER_TEXT) or None
            body = text(run)
            run.send(
                FlowForm(
                    text=run.body(body if body.strip() else otherwise, meta.INTERACTIVE_BODY, merge=top is None),
                    flow_id=flow_id,
                    cta=truncate(cta(run).strip() or otherwise, meta.FLOW_CTA),
                    flow_token=f"{prefix}{run.context.seed}",
                    screen=screen,
                    data=data(run) if data is not None else None,
                    header=top,
                    footer=truncate(" ".join(footer(run).split()), meta.FOOTER) or None,
                )
            )
            run.wait(node)

        def enter(run: Execution) -> CompiledNode | None:
            offer(run)
            run.path.append(wait_step)
            return None

        def answer(run: Execution) -> CompiledNode | None:
            response = run.input.response
            if response is not None and str(response.get("flow_token") or prefix).startswith(prefix):
                store(run, {key: value for key, value in response.items() if key != "flow_token"})
                run.path.append(next_step)
                return following
            run.path.append(invalid)
            offer(run)
            return None

        return NodeHandlers(enter, answer=answer)
