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
        store_error = build.variable(f"{self.output_variable}_error", "output_variable", "error")
        following = build.target(self.next_node_id, "next_node_id", required=True)
        error_target = build.optional_target(self.error_next_node_id, "error_next_node_id", "error") or following
        node, next_step, error_step = build.node, build.step("next"), build.step("error")

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

        def result(run: Execution) -> CompiledNode | None:
            found = run.effect_result
            if found is None or not found.ok:
                reason = (found.error if found else None) or "failed"
                store_error(run, reason)
                run.emit("effect_failed", node_id=node.node_id, error=reason)
                run.path.append(error_step)
                return error_target
            store(run, found.body)
            run.path.append(next_step)
            return following

        return NodeHandlers(enter, answer=enter, result=result)
