"""A template after the transform AWS::LanguageExtensions: without loops (`Fn::ForEach`), and without lookups in maps
whose keys are known.

`python -m local.expanded_template TEMPLATE` writes it as `expanded.yaml` beside the template, for `sam local start-api`. SAM's
own expansion also turns `!Sub integrations/${Integration}` into a plain text, and then it finds no function for any route.
"""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ministack.services.cloudformation import language_extensions  # type: ignore[import-untyped]
from samcli.yamlhelper import yaml_dump, yaml_parse  # type: ignore[import-untyped]


def expanded(template: Path) -> dict[str, Any]:
    """Return the template of a file, expanded; parameters and other references stay as they are."""
    document = language_extensions.apply(yaml_parse(template.read_text()), {})
    mappings = document.pop("Mappings", {})
    used = _looked_up(document)
    if used:  # by a parameter
        document["Mappings"] = {name: mappings[name] for name in sorted(used)}
    plain: dict[str, Any] = _with_short_subs({**document, "Transform": "AWS::Serverless-2016-10-31"})
    return plain


def _with_short_subs(value: Any) -> Any:
    """Write `Fn::Sub: [text, variables]` as `Fn::Sub: text`, or as a plain text when no variable is left in it."""
    if isinstance(value, Mapping):
        value = {name: _with_short_subs(inner) for name, inner in value.items()}
        if set(value) == {"Fn::Sub"} and isinstance(value["Fn::Sub"], list):
            text, variables = value["Fn::Sub"]
            if not all(isinstance(inner, str) for inner in variables.values()):
                return value
            for name, inner in variables.items():
                text = text.replace(f"${{{name}}}", inner)
            return {"Fn::Sub": text} if "${" in text else text
        return value
    return [_with_short_subs(inner) for inner in value] if isinstance(value, list) else value


def _looked_up(value: Any) -> set[str]:
    """The maps that the expansion left look-ups in."""
    if isinstance(value, Mapping):
        own = {value["Fn::FindInMap"][0]} if "Fn::FindInMap" in value else set()
        return own.union(*map(_looked_up, value.values()))
    return set().union(*map(_looked_up, value)) if isinstance(value, list) else set()


if __name__ == "__main__":
    source = Path(sys.argv[1])
    source.with_name("expanded.yaml").write_text(yaml_dump(expanded(source)))
