"""The prover: static analysis of a flow before it is published.

It proves and does not guess: `graph` analyses the paths between nodes and flows, `dataflow` the values of every variable on them.
Only validation loads it; conversations do not need it.
"""

from collections.abc import Mapping

from pytake.engine.compiler import Compilation, Source
from pytake.engine.document import FlowDocument, jump_targets, read_document
from pytake.engine.problems import Problem
from pytake.engine.prover.completion import Completion, completion_of
from pytake.engine.prover.dataflow import Analysis, AnalysisBudgetError
from pytake.engine.prover.findings import Findings
from pytake.engine.prover.fix_places import Fix
from pytake.engine.prover.fixes import fix_of
from pytake.engine.prover.graph import Graph
from pytake.engine.prover.silence import silent_questions
from pytake.engine.prover.surroundings import Surroundings, missing_in
from pytake.engine.prover.translations import add_translated_facts, translation_problems
from pytake.engine.prover.turn_lengths import too_long_turns
from pytake.engine.prover.validations import contradictions

__all__ = ["Completion", "Fix", "Surroundings", "fix_of", "inspect_flow", "validate"]

UNKNOWN = Surroundings()
"""Nothing is known about the organization."""


def validate(
    documents: Mapping[str, Source],
    root: str,
    surroundings: Surroundings = UNKNOWN,
) -> list[Problem]:
    """Every problem of the flow `root` and the documents its jumps reach, errors first. Never raises.

    `documents` holds the documents by flow id. If one of them jumps into `root`, the variables that `root` reads without
    assigning them are assumed to come from there. `surroundings` are what the organization has besides the flow.
    """
    return _problems(Compilation(documents, root), documents, surroundings)[0]


def inspect_flow(
    documents: Mapping[str, Source],
    root: str,
    surroundings: Surroundings = UNKNOWN,
) -> tuple[list[Problem], Completion]:
    """The problems that `validate` finds, and what an editor can offer. Never raises."""
    compilation = Compilation(documents, root)
    problems, analysis = _problems(compilation, documents, surroundings)
    return problems, completion_of(compilation, analysis)


def _problems(
    compilation: Compilation,
    documents: Mapping[str, Source],
    surroundings: Surroundings,
) -> tuple[list[Problem], Analysis | None]:
    """All problems, errors first, and the analysis if the flow can be analysed to its end."""
    problems = list(compilation.problems)
    analysis: Analysis | None = None
    if not any(found.fatal for found in problems):
        problems += missing_in(surroundings, compilation)
        problems += translation_problems(compilation)
        add_translated_facts(compilation)
        analysis = _analyse(compilation, problems, entered=_is_entered(documents, compilation))
    unique = list(dict.fromkeys(problems))
    return sorted(unique, key=lambda found: found.severity != "error"), analysis


def _is_entered(documents: Mapping[str, Source], compilation: Compilation) -> bool:
    """Whether a given document that is not part of the bundle jumps into the root."""
    for flow_id, source in documents.items():
        if flow_id not in compilation.documents:
            document = source if isinstance(source, FlowDocument) else read_document(source)[0]
            if document is not None and compilation.root in jump_targets(document):
                return True
    return False


def _analyse(compilation: Compilation, problems: list[Problem], *, entered: bool) -> Analysis | None:
    """Adds what the analysis of paths and values finds to `problems`."""
    graph = Graph(compilation)
    problems += graph.unreachable()
    cycles = graph.jump_cycles()
    problems += cycles
    loops = graph.endless()
    problems += loops
    for facts in compilation.facts.values():
        problems += contradictions(facts)
    problems += silent_questions(graph)
    if cycles:
        return None  # flows that never return cannot be analysed to their end
    problems += graph.without_end()
    too_deep = graph.too_deep()
    problems += too_deep
    try:
        analysis = Analysis(compilation, graph)
    except AnalysisBudgetError:
        return None
    findings = Findings(analysis, entered=entered)
    problems += findings.problems()
    problems += graph.growing()
    if not loops and not too_deep:
        problems += too_long_turns(graph, findings.taken)
    return analysis
