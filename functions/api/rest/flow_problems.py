"""Problems of flows as the API returns them, with their corrections."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import msgspec
from pydantic import Field

from pytake.engine import Problem, fix_of
from rest.models import ApiModel


class PatchOperation(ApiModel):
    """One operation of a JSON patch (RFC 6902)."""

    op: Literal["test", "add", "replace", "remove"]
    path: str = Field(description="A JSON pointer into the document")
    value: Any = None


class FlowFix(ApiModel):
    """A mechanical correction of a problem."""

    action: str = Field(description="What it does, such as `shorten` or `remove_node` (docs/prover.md)")
    value: str | None = Field(default=None, description="The new name or text, if there is one")
    patch: list[PatchOperation] = Field(
        description="A JSON patch of the document. It fails as a whole if what it changes has changed since"
    )


class FlowProblem(ApiModel):
    """A problem of a flow, or of a number's flows: where it is and how to correct it."""

    code: str
    severity: str
    message: str
    flow_id: str | None = None
    node_id: str | None = None
    field: str | None = None
    fix: FlowFix | None = Field(
        default=None, description="The correction of a draft's problem, if there is one that is mechanical"
    )


def flow_problems(problems: Sequence[Problem], document: Mapping[str, Any] | None = None) -> list[FlowProblem]:
    """Problems of the engine; with a document, each has its correction if there is one."""
    return [
        FlowProblem.model_validate(
            msgspec.to_builtins(problem)
            | {"fix": msgspec.to_builtins(fix_of(document, problem)) if document is not None else None}
        )
        for problem in problems
    ]
