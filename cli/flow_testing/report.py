"""The report of a test run, as text and (with `--json`) as JSON."""

import json
from collections.abc import Iterable, Iterator
from difflib import ndiff
from typing import Any

import msgspec
import typer

from pytake.conversation.flow_tests.coverage import FlowCoverage
from pytake.conversation.flow_tests.runner import ConversationResult, Failure


def lines_of(result: ConversationResult) -> Iterator[str]:
    """The lines of a conversation: its name, followed by the expected and actual values if it failed."""
    if not result.failures:
        yield f"  {typer.style('ok', fg='green')}    {result.name}"
        return
    yield f"  {typer.style('FAILED', fg='red')}  {result.name}"
    first = result.failures[0]
    yield f"    turn {first.turn}, after {json.dumps(first.input, ensure_ascii=False)}, now at {first.node_id}"
    for failure in result.failures:
        yield f"    {failure.part}:"
        yield from (f"      {line}" for line in difference(failure.expected, failure.actual))


def difference(expected: Any, actual: Any) -> Iterator[str]:
    """The difference of two values, line by line: `-` marks expected lines, `+` actual ones."""
    for line in ndiff(list(_lines(expected)), list(_lines(actual))):
        mark = line[0]
        if mark == "?":
            continue
        yield typer.style(line, fg={"-": "red", "+": "green"}[mark]) if mark in "-+" else line


def coverage_lines(flows: Iterable[FlowCoverage]) -> Iterator[str]:
    """A table of the coverage, with the exits that were not taken under each flow."""
    flows = list(flows)
    width = max((len(flow.flow_id) for flow in flows), default=0)
    yield f"{'coverage':<{width}}  {'nodes':>9}  {'exits':>9}"
    for flow in flows:
        nodes, exits = f"{flow.nodes_covered}/{flow.nodes}", f"{flow.exits_covered}/{flow.exits}"
        yield f"{flow.flow_id:<{width}}  {nodes:>9}  {exits:>9}"
        yield from (f"  not taken: {exit_}" for exit_ in flow.missing)


def as_json(results: list[tuple[str, ConversationResult]], flows: list[FlowCoverage] | None) -> dict[str, Any]:
    """The report as JSON."""
    shown: dict[str, Any] = {
        "passed": sum(not result.failures for _, result in results),
        "failed": sum(bool(result.failures) for _, result in results),
        "conversations": [
            {"file": file, "name": result.name, "failures": [_failure(failure) for failure in result.failures]}
            for file, result in results
        ],
    }
    if flows is not None:
        shown["coverage"] = msgspec.to_builtins(flows)
    return shown


def _failure(failure: Failure) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.to_builtins(failure)
    return found


def _lines(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for item in value:
            yield from _lines(item)
    elif isinstance(value, dict):
        yield from (f"{key}: {json.dumps(item, ensure_ascii=False)}" for key, item in value.items())
    elif isinstance(value, str):
        yield from value.splitlines() or [""]
    else:
        yield json.dumps(value, ensure_ascii=False)
