"""`pytake flow publish`: save drafts and publish them, sub-flows first."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.api_client import Api, ApiClient, ApiError, with_api_options
from cli.ending import fail
from cli.flow_testing.documents import UsageError, read_given_documents

Document = dict[str, Any]


@with_api_options
def publish(
    flows: Annotated[
        list[Path],
        typer.Argument(metavar="FLOW.json ...", exists=True, dir_okay=False, help="Flow documents, in any order."),
    ],
    api: Api,
) -> None:
    """Save flows as drafts and publish them, sub-flows first. Stop at the first flow with an error.

    New sessions use the new version at once; running sessions keep theirs.
    """
    try:
        documents = read_given_documents(flows)
    except UsageError as error:
        fail(str(error), 2)
    with api.connect() as client:
        for document in sub_flows_first(documents):
            publish_one(client, document)


def sub_flows_first(documents: Mapping[str, Document]) -> Iterator[Document]:
    """Yield every document after those it jumps to, because publishing pins the published versions of sub-flows.

    Flows that jump to each other have no such order; the API rejects them.
    """
    done: set[str] = set()

    def visit(flow_id: str) -> Iterator[Document]:
        if flow_id in done:
            return
        done.add(flow_id)
        for target in jump_targets(documents[flow_id]):
            if target in documents:
                yield from visit(target)
        yield documents[flow_id]

    for flow_id in documents:
        yield from visit(flow_id)


def jump_targets(document: Document) -> list[str]:
    """Return the ids of the flows that a document jumps to, even if the document is invalid otherwise."""
    nodes = document.get("nodes")
    found = []
    for node in nodes if isinstance(nodes, list) else ():
        if isinstance(node, dict) and node.get("type") == "jump" and isinstance(node.get("data"), dict):
            found.append(node["data"].get("target_flow_id"))
    return [target for target in found if isinstance(target, str)]


def publish_one(client: ApiClient, document: Document) -> None:
    """Save and publish one flow and print the result. Raises `ApiError`; exits with 1 for a flow with errors."""
    flow_id = document["id"]
    client.put(f"/api/v1/flows/{flow_id}", document)
    try:
        version = client.post(f"/api/v1/flows/{flow_id}/publish")
    except ApiError as error:
        if not error.problem.get("problems"):
            raise
        show_problems(error.problem["problems"])
        fail(f"{flow_id} was saved as a draft, but not published. Fix the errors above and try again.")
    if version.get("problems"):
        show_problems(version["problems"])
    pinned = ", ".join(version.get("sub_flows", ()))
    typer.echo(f"{flow_id}: published version {version['version']}" + (f", with {pinned}" if pinned else ""))


def show_problems(problems: list[dict[str, Any]]) -> None:
    """Print the prover's findings as a table on stderr."""
    from rich.console import Console
    from rich.table import Table

    table = Table("", "Flow", "Node", "Field", "Problem", "Code")
    for problem in problems:
        colour = "red" if problem.get("severity") == "error" else "yellow"
        where = [str(problem.get(name) or "") for name in ("flow_id", "node_id", "field")]
        severity = f"[{colour}]{problem.get('severity', '')}[/]"
        table.add_row(severity, *map(_plain, [*where, problem.get("message", ""), problem.get("code", "")]))
    Console(stderr=True).print(table)


def _plain(text: str) -> str:
    from rich.markup import escape

    return escape(text)
