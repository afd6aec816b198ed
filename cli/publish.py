"""`pytake flow publish`: save drafts and publish them, sub-flows first."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.api_client import (
    DEFAULT_ORGANIZATION,
    DEFAULT_URL,
    ApiClient,
    ApiError,
    Organization,
    Token,
    TokenFile,
    Url,
    connect,
    fail,
)
from cli.flow_testing.documents import UsageError, read_given_documents

Document = dict[str, Any]


def publish(
    flows: Annotated[
        list[Path],
        typer.Argument(metavar="FLOW.json ...", exists=True, dir_okay=False, help="Flow documents, in any order."),
    ],
    url: Url = DEFAULT_URL,
    token: Token = None,
    token_file: TokenFile = None,
    org: Organization = DEFAULT_ORGANIZATION,
) -> None:
    """Save flows as drafts and publish them, sub-flows first. Stops at the first one with an error.

    New conversations get the new version at once; those under way stay on theirs.
    """
    try:
        documents = read_given_documents(flows)
    except UsageError as error:
        fail(str(error))
    with connect(url, token, token_file, org) as client:
        for document in sub_flows_first(documents):
            publish_one(client, document)


def sub_flows_first(documents: Mapping[str, Document]) -> Iterator[Document]:
    """Yield every document after those it jumps to: publishing pins the sub-flows' published versions.

    Flows that jump to each other have no such order; the system itself refuses them with a reason.
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
    """Return the flows that a document jumps to, however wrong the rest of it is."""
    nodes = document.get("nodes")
    found = []
    for node in nodes if isinstance(nodes, list) else ():
        if isinstance(node, dict) and node.get("type") == "jump" and isinstance(node.get("data"), dict):
            found.append(node["data"].get("target_flow_id"))
    return [target for target in found if isinstance(target, str)]


def publish_one(client: ApiClient, document: Document) -> None:
    """Save and publish one flow and say what came of it. Raises `ApiError`; exits 1 for a flow with errors."""
    flow_id = document["id"]
    client.put(f"/api/v1/flows/{flow_id}", document)
    try:
        version = client.post(f"/api/v1/flows/{flow_id}/publish")
    except ApiError as error:
        if not error.problem.get("problems"):
            raise
        show_problems(error.problem["problems"])
        fail(f"{flow_id} is saved as a draft, but not published. Mend the errors above and try again.")
    if version.get("problems"):
        show_problems(version["problems"])
    pinned = ", ".join(version.get("sub_flows", ()))
    typer.echo(f"{flow_id}: published version {version['version']}" + (f", with {pinned}" if pinned else ""))


def show_problems(problems: list[dict[str, Any]]) -> None:
    """Show what the prover found as a table on stderr."""
    from rich.console import Console
    from rich.table import Table

    table = Table("", "Flow", "Node", "Field", "What is wrong", "Code")
    for problem in problems:
        colour = "red" if problem.get("severity") == "error" else "yellow"
        where = [str(problem.get(name) or "") for name in ("flow_id", "node_id", "field")]
        severity = f"[{colour}]{problem.get('severity', '')}[/]"
        table.add_row(severity, *map(_plain, [*where, problem.get("message", ""), problem.get("code", "")]))
    Console(stderr=True).print(table)


def _plain(text: str) -> str:
    from rich.markup import escape

    return escape(text)
