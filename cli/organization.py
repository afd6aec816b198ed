"""`pytake organization`: delete an organization. For operators, with AWS credentials of the stack's account."""

from typing import Annotated

import typer

from cli.api_client import DEFAULT_URL
from cli.ending import fail
from cli.stack import ORGANIZATION_ID, Region, StackName, Url, aws_errors_as_text, find_stack

app = typer.Typer(no_args_is_help=True, help="Delete organizations. For operators: needs AWS credentials.")


@app.callback()
def _organization() -> None:
    """Keep the command in a group; typer needs a callback for that."""


@app.command()
def delete(
    organization_id: Annotated[str, typer.Argument(metavar="ORG", help="The organization's id.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    url: Url = DEFAULT_URL,
    stack: StackName = None,
    region: Region = None,
) -> None:
    """Delete an organization for good: numbers, secrets, flows, settings, conversations, its part of the lake, dead letters.

    The command reads the whole table once. Run it again after five minutes: it deletes what workers were still writing.
    """
    from cli.offboarding import DeleteOrganization

    if not ORGANIZATION_ID.fullmatch(organization_id):
        fail(f"{organization_id!r} is not an organization id: letters, digits, - and _, at most 64.", 2)
    with aws_errors_as_text():
        found = find_stack(url, stack, region)
        delete_organization = DeleteOrganization(found)
        if not yes:
            numbers = ", ".join(delete_organization.numbers(organization_id)) or "no numbers"
            typer.echo(f"Organization {organization_id} of {found.name} ({numbers}) and all its data will be deleted.")
            if typer.prompt("Type the organization's id to confirm") != organization_id:
                fail("Nothing was deleted.")
        deleted = delete_organization(organization_id)
    typer.echo("Deleted: " + ", ".join(f"{count} {name}" for name, count in deleted.items()))
    typer.echo("Run the command again after five minutes. Results of Athena queries expire within a week.")
