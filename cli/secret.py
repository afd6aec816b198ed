"""`pytake secret`: the secrets that flows use in api_call. A value is prompted for or read from a file, never an argument."""

import sys
from pathlib import Path
from typing import Annotated
from urllib.parse import quote

import typer

from cli.api_client import Api, with_api_options
from cli.ending import fail

app = typer.Typer(no_args_is_help=True, help="Manage the secrets that flows use when they call APIs.")

Name = Annotated[str, typer.Argument(help="The NAME in {{secrets.NAME}}: letters, digits, _ and -.")]


@app.command(name="list")
@with_api_options
def list_(api: Api) -> None:
    """Print the names and the hosts that each secret may be sent to, one secret per line. Values are never shown."""
    with api.connect() as client:
        for secret in client.get("/api/v1/secrets"):
            typer.echo(f"{secret['name']}: {', '.join(secret['hosts'])}")


@app.command()
@with_api_options
def put(
    name: Name,
    host: Annotated[
        list[str], typer.Option(help="A host that the secret may be sent to, such as api.example.com; repeatable.")
    ],
    api: Api,
    source: Annotated[
        str | None, typer.Argument(metavar="[@FILE]", help="@FILE, or @- for standard input; else you are asked.")
    ] = None,
) -> None:
    """Store a secret, or replace its value and hosts. It is sent to no other host.

    Line breaks at the end of a file are removed.
    """
    try:
        value = read_value(name, source)
    except ValueError as error:
        fail(str(error), 2)
    with api.connect() as client:
        client.put(f"/api/v1/secrets/{quote(name, safe='')}", {"value": value, "hosts": host})
    typer.echo(f"Stored. Flows use it as {{{{secrets.{name}}}}} in calls to {', '.join(host)}.")


@app.command()
@with_api_options
def delete(name: Name, api: Api) -> None:
    """Delete a secret. Calls that use it fail from then on."""
    with api.connect() as client:
        client.delete(f"/api/v1/secrets/{quote(name, safe='')}")
    typer.echo(f"Deleted {name}.")


def read_value(name: str, source: str | None) -> str:
    """Return the value from `@FILE`, `@-` (standard input) or a prompt. Raises ValueError."""
    if source is None and sys.stdin.isatty():
        return str(typer.prompt(f"Value of {name}", hide_input=True))
    if source not in (None, "@-"):
        if not source.startswith("@"):  # it would appear in the shell's history and in the list of processes
            raise ValueError("Give the value as @FILE or on standard input, or omit it to be asked.")
        try:
            return Path(source[1:]).expanduser().read_text().rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            raise ValueError(f"{source}: {error}") from error
    return sys.stdin.read().rstrip("\r\n")
