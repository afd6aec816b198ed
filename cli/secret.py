"""`pytake secret`: what flows may use in api_call. A value is asked for or read from a file, never typed as an argument."""

import sys
from pathlib import Path
from typing import Annotated
from urllib.parse import quote

import typer

from cli.api_client import (
    DEFAULT_ORGANIZATION,
    DEFAULT_URL,
    Organization,
    Token,
    TokenFile,
    Url,
    connect,
    fail,
)

app = typer.Typer(no_args_is_help=True, help="Keep the secrets that flows use when they call APIs.")

Name = Annotated[str, typer.Argument(help="What stands in {{secrets.NAME}}: letters, digits, _ and -.")]


@app.command(name="list")
def list_(
    url: Url = DEFAULT_URL,
    token: Token = None,
    token_file: TokenFile = None,
    org: Organization = DEFAULT_ORGANIZATION,
) -> None:
    """Print the names, one a line. Values are never shown."""
    with connect(url, token, token_file, org) as client:
        for secret in client.get("/api/v1/secrets"):
            typer.echo(secret["name"])


@app.command()
def put(
    name: Name,
    source: Annotated[
        str | None, typer.Argument(metavar="[@FILE]", help="@FILE, or @- for standard input; asked for without.")
    ] = None,
    url: Url = DEFAULT_URL,
    token: Token = None,
    token_file: TokenFile = None,
    org: Organization = DEFAULT_ORGANIZATION,
) -> None:
    """Store a secret, or another value for it. Line breaks at the end of a file are left out."""
    try:
        value = read_value(name, source)
    except ValueError as error:
        fail(str(error))
    with connect(url, token, token_file, org) as client:
        client.put(f"/api/v1/secrets/{quote(name, safe='')}", {"value": value})
    typer.echo(f"Stored. Flows use it as {{{{secrets.{name}}}}}.")


@app.command()
def delete(
    name: Name,
    url: Url = DEFAULT_URL,
    token: Token = None,
    token_file: TokenFile = None,
    org: Organization = DEFAULT_ORGANIZATION,
) -> None:
    """Forget a secret. Calls that use it fail from then on."""
    with connect(url, token, token_file, org) as client:
        client.delete(f"/api/v1/secrets/{quote(name, safe='')}")
    typer.echo(f"Deleted {name}.")


def read_value(name: str, source: str | None) -> str:
    """Return the value from `@FILE`, `@-` (standard input), or whoever sits at the terminal. Raises ValueError."""
    if source is None and sys.stdin.isatty():
        return str(typer.prompt(f"Value of {name}", hide_input=True))
    if source not in (None, "@-"):
        if not source.startswith("@"):  # it would be in the shell's history, and in the list of processes
            raise ValueError("Give the value as @FILE or on standard input, or leave it out to be asked for it.")
        try:
            return Path(source[1:]).expanduser().read_text().rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            raise ValueError(f"{source}: {error}") from error
    return sys.stdin.read().rstrip("\r\n")
