from typing import ClassVar

from pytake.engine.effects import ModelRequest
from pytake.engine.execution import CompiledNode, Execution, NodeHandlers
from pytake.engine.node_build import NodeBuild
from pytake.engine.registry import NodeData, node_type


@node_type("ai_prompt")
class AiPrompt(NodeData):
    """Sends a prompt to a language model (Amazon Bedrock Converse) and stores the text it writes in `output_variable`.

    If the model fails, the reason is stored in `OUTPUT_VARIABLE_error` and the path continues at `error_next_node_id`, or at
    `next_node_id` if that is not set.
    """

    TEXTS: ClassVar = ("prompt?", "system?")

    model: str
    prompt: str
    output_variable: str
    system: str | None = None
    temperature: float | None = None
    max_tokens: int | None = None
    next_node_id: str | None = None
    error_next_node_id: str | None = None

    def compile(self, build: NodeBuild) -> NodeHandlers:
        """Compile the prompt and the handling of its result."""
        if self.temperature is not None and not 0 <= self.temperature <= 1:
            build.problem("invalid_value", "temperature", "Enter a number from 0 to 1.")
        if self.max_tokens is not None and self.max_tokens < 1:
            build.problem("invalid_value", "max_tokens", "Enter a number of 1 or more.")
        model, prompt = build.rendering(self.model, "model"), build.rendering(self.prompt, "prompt")
        system = build.rendering(self.system, "system")
        temperature, max_tokens = self.temperature, self.max_tokens
        store = build.variable(self.output_variable, "output_variable")
        error_variable, node = f"{self.output_variable}_error", build.node
        result = build.effect_result(store, error_variable, self.next_node_id, self.error_next_node_id)

        def enter(run: Execution) -> CompiledNode | None:
            run.request_effect(
                node,
                ModelRequest(
                    key=f"{run.context.seed}/{node.flow_id}/{node.node_id}/{len(run.path)}",
                    model=model(run),
                    prompt=prompt(run),
                    system=system(run) or None,
                    temperature=temperature,
                    max_tokens=max_tokens,
                ),
            )
            return None

        return NodeHandlers(enter, answer=enter, result=result)
