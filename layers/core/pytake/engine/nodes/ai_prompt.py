from collections.abc import Callable
from typing import Any, ClassVar, Literal

from msgspec import Struct

from pytake.engine.effects import FieldType, ModelMessage, ModelRequest
from pytake.engine.execution import CompiledNode, Execution, NodeHandlers
from pytake.engine.limits import MEMORY_TURNS, MODEL_FIELDS
from pytake.engine.node_build import NodeBuild
from pytake.engine.registry import NodeData, node_type
from pytake.engine.values import as_number, plain_text, value_at


class Memory(Struct, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """The earlier dialogue: the variable that holds it, and how many turns (a prompt and its answer) are kept."""

    variable: str
    turns: int = 10


@node_type("ai_prompt")
class AiPrompt(NodeData):
    """Sends a prompt to a language model (Amazon Bedrock Converse) and stores the text it writes in `output_variable`.

    With `memory` the model also gets the earlier prompts of this node and its answers: the list `variable` holds the
    latest `turns` of them. With `fields` the model fills in an object, as in `{"city": "text", "people": "number"}`: each
    field is stored in the variable of its name (empty if the model does not know it), and the object in
    `output_variable`. The types are `text`, `number` and `boolean`.

    If the model fails, `output_variable` and the variables of `fields` become empty, the reason is stored in
    `OUTPUT_VARIABLE_error`, and the path continues at `error_next_node_id`, or at `next_node_id` if that is not set.
    """

    TEXTS: ClassVar = ("prompt?", "system?")

    model: str
    prompt: str
    output_variable: str
    system: str | None = None
    temperature: float | None = None
    max_tokens: int | None = None
    memory: Memory | None = None
    fields: dict[str, FieldType] | None = None
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
        recall, remember = self._memory(build)
        fields = self.fields or {}
        store_fields = self._fields(build)

        def keep(run: Execution, body: Any) -> None:
            if fields:
                body = {name: _typed(kind, value_at(body, (name,))) for name, kind in fields.items()}
            remember(run, prompt(run), body)  # before the prompt's own variables change
            for name, store_field in store_fields.items():
                store_field(run, body[name])
            store(run, body)

        error_variable, node = f"{self.output_variable}_error", build.node
        result = build.effect_result(
            keep, [self.output_variable, *fields], error_variable, self.next_node_id, self.error_next_node_id
        )

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
                    history=recall(run),
                    fields=fields,
                ),
            )
            return None

        return NodeHandlers(enter, answer=enter, result=result)

    def _memory(self, build: NodeBuild) -> tuple[Callable[[Execution], list[ModelMessage]], Callable[..., None]]:
        """Functions that give the remembered dialogue, and that remember a prompt and its answer."""
        memory = self.memory
        if memory is None:
            return (lambda _: []), (lambda *_: None)
        if not 0 < memory.turns <= MEMORY_TURNS:
            build.problem("invalid_value", "memory.turns", f"Enter a number from 1 to {MEMORY_TURNS}.")
        store, name, most = build.variable(memory.variable, "memory.variable"), memory.variable, memory.turns

        def recall(run: Execution) -> list[ModelMessage]:
            pairs = [pair for pair in _listed(run.variables.get(name)) if _is_pair(pair)][-most:]
            roles: list[tuple[Literal["user", "assistant"], str]] = [("user", "prompt"), ("assistant", "answer")]
            return [ModelMessage(role, pair[part]) for pair in pairs for role, part in roles]

        def remember(run: Execution, prompt: str, answer: Any) -> None:
            pair = {"prompt": prompt, "answer": plain_text(answer)}
            store(run, [*_listed(run.variables.get(name)), pair][-most:])

        return recall, remember

    def _fields(self, build: NodeBuild) -> dict[str, Callable[[Execution, Any], None]]:
        if self.fields is not None and not 0 < len(self.fields) <= MODEL_FIELDS:
            build.problem("invalid_value", "fields", f"Enter 1 to {MODEL_FIELDS} fields.")
        return {name: build.variable(name, f"fields.{name}") for name in self.fields or {}}


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _is_pair(value: Any) -> bool:
    """Whether an item of the memory can be sent: a model accepts no empty text."""
    return all(isinstance(text := value_at(value, (part,)), str) and text.strip() for part in ("prompt", "answer"))


def _typed(kind: FieldType, value: Any) -> Any:
    """The model's value of a field; None if it does not have the field's type."""
    match kind:
        case "number":
            return as_number(value)
        case "boolean":
            return value if isinstance(value, bool) else None
    return None if value is None else plain_text(value)
