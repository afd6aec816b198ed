"""`pytake flow test` and `pytake flow fuzz`."""

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from cli.ending import fail
from cli.flow_testing import report
from cli.flow_testing.documents import Documents, UsageError, find_document, is_test_file, read_documents
from cli.flow_testing.files import find_suites, read_suite, write_suite
from pytake.conversation.flow_tests.coverage import Coverage
from pytake.conversation.flow_tests.errors import FlowTestError
from pytake.conversation.flow_tests.runner import ConversationResult, run_conversation
from pytake.engine import FlowError, compile_flow

Flows = Annotated[
    list[Path],
    typer.Argument(metavar="FLOW.json...", exists=True, help="Flows, their test files, or folders with test files."),
]


def run_tests(
    flows: Flows,
    coverage: Annotated[
        bool, typer.Option("--coverage", help="Show which nodes and exits no conversation takes.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of the report.")] = False,
    generate: Annotated[
        bool,
        typer.Option("--generate", help="First write FLOW.generated.test.json with conversations through every exit."),
    ] = False,
) -> None:
    """Run the conversations of the test files beside flows (FLOW.test.json or .yaml). Exits with 1 if one fails.

    A test file contains inputs and what is expected to follow: see docs/flow-tests.md.
    """
    try:
        if generate:
            _generate(flows)
        suites = list(dict.fromkeys(path.resolve() for path in find_suites(flows)))
        if not suites:
            raise UsageError("there are no test files beside these flows; --generate writes one")
        results, covered = _run(suites)
    except FlowTestError as error:
        fail(str(error), 2)
    except FlowError as error:
        fail(str(error), 1)
    found = covered.flows() if covered is not None else []
    if as_json:
        summary = report.as_json([(_shown(path), result) for path, result in results], found if coverage else None)
        sys.stdout.write(msgspec.json.encode(summary).decode() + "\n")
    else:
        _show(results)
        if coverage:
            typer.echo("\n" + "\n".join(report.coverage_lines(found)))
    if any(result.failures for _, result in results):
        raise typer.Exit(1)


def fuzz(
    flows: Annotated[
        list[Path],
        typer.Argument(metavar="FLOW.json...", exists=True, dir_okay=False, help="A flow and its sub-flows."),
    ],
    conversations: Annotated[int, typer.Option(min=1, help="The number of conversations.")] = 200,
    seed: Annotated[int, typer.Option(help="Another seed gives other conversations.")] = 0,
) -> None:
    """Run random conversations, and print the shortest one that breaks a rule as a test file. Exits with 1 if one does.

    The rules: every turn ends within its budget and does not fail, Meta accepts every message, the state survives being
    stored, the same input gives the same turn, and the person is never left without an answer.
    """
    from cli.flow_testing.fuzzer import find_counterexample

    try:
        documents, root = read_documents(flows)
        found = find_counterexample(compile_flow(documents, root), documents, conversations, seed)
    except FlowTestError as error:
        fail(str(error), 2)
    except FlowError as error:
        fail(str(error), 1)
    if found is None:
        typer.echo(f"{conversations} conversations broke no rule.", err=True)
        return
    typer.secho(f"{found.reason}\nThe shortest such conversation, as a test file:", err=True, fg="red")
    sys.stdout.write(write_suite(found.suite).decode())
    raise typer.Exit(1)


def _generate(flows: Iterable[Path]) -> None:
    from cli.flow_testing.generator import generate

    for path in flows:
        if path.is_dir() or is_test_file(path):
            raise UsageError(f"{path}: --generate needs flow documents")
        documents, root = read_documents([path])
        target = path.with_name(f"{path.stem}.generated.test.json")
        target.write_bytes(write_suite(generate(documents, root)))
        typer.echo(f"wrote {_shown(target)}", err=True)


def _run(suites: Iterable[Path]) -> tuple[list[tuple[Path, ConversationResult]], Coverage | None]:
    results: list[tuple[Path, ConversationResult]] = []
    covered: Coverage | None = None
    for path in suites:
        suite = read_suite(path)
        documents, root = _documents(path, str(suite.flow))
        flow, coverage = compile_flow(documents, root), Coverage(documents, root)
        for script in suite.conversations:
            try:
                result = run_conversation(suite, script, flow)
            except FlowTestError as error:
                raise UsageError(f"{path}: {script.name}: {error}") from error
            coverage.add(result.steps)
            results.append((path, result))
        if covered is not None:
            coverage.merge(covered)
        covered = coverage
    return results, covered


def _documents(suite: Path, flow_id: str) -> tuple[Documents, str]:
    path = find_document(suite.parent, flow_id)
    if path is None:
        raise UsageError(f"{suite}: there is no flow `{flow_id}` beside it")
    return read_documents([path])


def _show(results: list[tuple[Path, ConversationResult]]) -> None:
    previous: Path | None = None
    for path, result in results:
        if path != previous:
            typer.echo(_shown(path))
        previous = path
        typer.echo("\n".join(report.lines_of(result)))
    passed = sum(not result.failures for _, result in results)
    colour = "green" if passed == len(results) else "red"
    typer.secho(f"{passed} of {len(results)} conversations passed", fg=colour)


def _shown(path: Path) -> str:
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)
