"""`docs/prover.md`: every code of the prover with the example that its tests use."""

import json
from pathlib import Path
from typing import Any

from pytake.engine import CODES, validate

_HEAD = """\
<!-- Made from the code by `make docs`; the examples are those of tests/engine/prover. -->

# What the prover finds

Every draft is proved before it can be published: in the drafts API, by `pytake flow validate`, and once more when it is
published. An **error** forbids publishing, a **warning** does not. A problem is
`{code, severity, flow_id, node_id, field, message}`; codes are stable.

The prover follows every path through the flow and its sub-flows, and what is known of every variable on the way: whether
it was assigned, which values a validation or an earlier condition leaves, how long a text can be. What it says never
happens, never happens. It does not guess: a condition it cannot decide, it takes both ways.

Where a flow is validated alone, another flow might jump into it and pass variables: what nothing in it assigns is then a
warning (`variable_from_outside`). Validate it together with the flows that jump into it, and only what they do not pass
is reported.

A secret of an api_call is looked up among the organization's when a draft is saved or published (`unknown_secret`);
`pytake flow validate`, which knows no organization, does not ask.

"""


def prover_page(cases: Path) -> str:
    """The page. `cases` is the folder with one example a code."""
    table = ["| code | severity | |", "|---|---|---|"]
    sections = []
    for code, meaning in CODES.items():
        table.append(f"| [`{code}`](#{code}) | {meaning.severity} | {meaning.summary} |")
        sections.append(_section(code, json.loads((cases / f"{code}.json").read_bytes())))
    return _HEAD + "\n".join(table) + "\n\n" + "\n".join(sections)


def _section(code: str, case: dict[str, Any]) -> str:
    meaning = CODES[code]
    wrong, mended = case["wrong"], case["mended"]
    found = next(one for one in validate(_bundle(wrong), "main", case.get("secrets")) if one.code == code)
    place = " / ".join(filter(None, (found.flow_id if len(wrong) > 1 else None, found.node_id, found.field)))
    lines = [
        f"## {code}\n",
        f"{meaning.severity.capitalize()}. {meaning.summary}\n",
        _fragment(wrong, mended),
        f"> {place + ': ' if place else ''}{found.message}\n",
        "Mended:\n",
        _fragment(mended, wrong),
    ]
    return "\n".join(lines)


def _bundle(documents: list[Any]) -> dict[str, Any]:
    return {"main" if isinstance(one, str) else one["id"]: one for one in documents}


def _fragment(documents: list[Any], others: list[Any]) -> str:
    """What differs from the twin: the nodes, and the fields of a document."""
    if any(isinstance(one, str) for one in documents):
        return "```\n" + "\n".join(documents) + "\n```\n"
    twins = _bundle(others)
    shown: list[Any] = []
    for document in documents:
        twin = twins.get(document["id"])
        if twin == document and len(documents) > 2:
            continue
        nodes = [node for node in document["nodes"] if twin is None or node not in twin["nodes"]] or document["nodes"]
        fields = {
            name: value for name, value in document.items() if name != "nodes" and (twin or {}).get(name) != value
        }
        head = {"id": document["id"]} if len(documents) > 1 else {}
        shown.append({**head, **fields, "nodes": nodes[:6]})
    shown = shown or documents[-1:]
    return "```json\n" + "\n".join(_json(one) for one in shown[:3]) + "\n```\n"


def _json(document: dict[str, Any]) -> str:
    """A document with one node a line."""
    fields = [
        f"{json.dumps(name)}: {json.dumps(value, ensure_ascii=False)}"
        for name, value in document.items()
        if name != "nodes"
    ]
    nodes = ",\n".join(f"  {json.dumps(node, ensure_ascii=False)}" for node in document["nodes"])
    return "{" + "".join(f"{field}, " for field in fields) + f'"nodes": [\n{nodes}\n]}}'
