"""The prover: what can be known about a flow before anybody talks to it.

It proves, it does not guess: `graph` follows the ways between nodes and flows, `flowing` what is known of every
variable on them. Loaded only by those who validate; conversations do without it.
"""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from pytake.engine.compiler import Compilation
from pytake.engine.document import FlowDocument, jump_targets, read_document
from pytake.engine.problems import Problem, problem
from pytake.engine.prover.dataflow import Analysis, AnalysisBudgetError
from pytake.engine.prover.findings import Findings
from pytake.engine.prover.graph import Graph
from pytake.engine.prover.turn_lengths import too_long_turns
from pytake.engine.prover.validations import contradictions

__all__ = ["validate"]


def validate(
    documents: Mapping[str, bytes | str | Mapping[str, Any] | FlowDocument],
    root: str,
    secrets: Collection[str] | None = None,
) -> list[Problem]:
    """Everything wrong with the flow `root` and the documents its jumps reach, the errors first. Never raises.

    `documents` holds parsed documents, decoded JSON or JSON, by flow id. When one of them jumps into `root`, what `root`
    reads without assigning it is taken to come from there. `secrets` are the names that are stored; None: nobody knows.
    """
    compilation = Compilation(documents, root)
    problems = list(compilation.problems)
    if not any(found.fatal for found in problems):
        if secrets is not None:
            problems += _unknown_secrets(compilation, secrets)
        problems += _proved(compilation, entered=_is_entered(documents, compilation))
    unique = list(dict.fromkeys(problems))
    return sorted(unique, key=lambda found: found.severity != "error")


def _unknown_secrets(compilation: Compilation, known: Collection[str]) -> Iterator[Problem]:
    for (flow_id, node_id), facts in compilation.facts.items():
        for use in facts.secrets:
            if use.name not in known:
                message = (
                    f"There is no secret `{use.name}`, so the call fails before it is sent. "
                    f"Store it: `pytake secret put {use.name}`."
                )
                yield problem("unknown_secret", message, flow_id=flow_id, node_id=node_id, field=use.field)


def _is_entered(
    documents: Mapping[str, bytes | str | Mapping[str, Any] | FlowDocument], compilation: Compilation
) -> bool:
    """Whether a document that was given, but is no part of the bundle, jumps into the root."""
    for flow_id, source in documents.items():
        if flow_id not in compilation.documents:
            document = source if isinstance(source, FlowDocument) else read_document(source)[0]
            if document is not None and compilation.root in jump_targets(document):
                return True
    return False


def _proved(compilation: Compilation, *, entered: bool) -> Iterator[Problem]:
    graph = Graph(compilation)
    yield from graph.unreachable()
    cycles = graph.jump_cycles()
    yield from cycles
    loops = graph.endless()
    yield from loops
    for facts in compilation.facts.values():
        yield from contradictions(facts)
    if cycles:
        return  # what never returns cannot be followed to its end
    yield from graph.without_end()
    too_deep = graph.too_deep()
    yield from too_deep
    try:
        findings = Findings(Analysis(compilation, graph), entered=entered)
    except AnalysisBudgetError:
        return
    yield from findings.problems()
    yield from graph.growing()
    if not loops and not too_deep:
        yield from too_long_turns(graph, findings.taken)
