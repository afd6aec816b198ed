"""The JSON schema of a flow document, for editors."""

from inspect import cleandoc
from typing import Any

import msgspec

from local.json_layout import lay_out
from pytake.engine.document import RawDocument
from pytake.engine.registry import node_types, validators

_REF = "#/$defs/{name}"


def schema() -> dict[str, Any]:
    """The schema of a flow document: its fields, and for each node type its data."""
    types = node_types()
    (document, *datas), defs = msgspec.json.schema_components([RawDocument, *types.values()], ref_template=_REF)
    found = defs.pop(document["$ref"].removeprefix("#/$defs/"))
    nodes = [_node(name, data) for name, data in zip(types, datas, strict=True)]
    defs["Validation"]["properties"]["type"]["enum"] = list(validators())
    found["properties"]["nodes"] = {"type": "array", "items": {"oneOf": nodes}}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **found,
        "title": "A PyTake flow",
        "description": "A flow document of format 1.",
        "$defs": {name: with_plain_description(defs[name]) for name in sorted(defs)},
    }


def with_plain_description(definition: dict[str, Any]) -> dict[str, Any]:
    """Remove the indentation of the docstring from a definition's description; Python 3.13 does so itself."""
    if "description" not in definition:
        return definition
    return {**definition, "description": cleandoc(definition["description"])}


def _node(name: str, data: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {
            "id": {"type": "string", "minLength": 1},
            "type": {"const": name},
            "label": {"type": ["string", "null"]},
            "position": {
                "type": ["object", "null"],
                "properties": {"x": {"type": "number"}, "y": {"type": "number"}},
                "required": ["x", "y"],
                "additionalProperties": False,
            },
            "data": data,
        },
        "required": ["id", "type", "data"] if name not in ("end", "handoff") else ["id", "type"],
        "additionalProperties": False,
    }


def schema_text() -> str:
    """The content of `docs/flow.schema.json`."""
    return lay_out(schema()) + "\n"
