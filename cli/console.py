"""`pytake console`: open the web console of the local cloud or of a deployed stack."""

import webbrowser
from typing import Annotated

import typer

from cli.api_client import DEFAULT_URL, Url
from cli.ending import fail
from cli.stack import Region, StackName, find_stack

CONSOLE_PATH = "/console"


def console(
    url: Url = DEFAULT_URL,
    stack: StackName = None,
    region: Region = None,
    browser: Annotated[bool, typer.Option(help="Open a browser, or print the address only.")] = True,
) -> None:
    """Open the web console in the browser.

    Without a browser on this machine, it prints the address.
    """
    address = console_address(url, stack, region)
    typer.echo(address)
    if browser and not webbrowser.open(address):
        typer.echo("No browser was found on this machine. Open the address in one.", err=True)


def console_address(url: str, stack: str | None, region: str | None) -> str:
    """Return the console's address: the output `ConsoleUrl` of `stack`, or below `url`. Ends the command if there is none."""
    if stack is not None:
        found = find_stack(url, stack, region).outputs.get("ConsoleUrl")
        return found or fail(f"Stack {stack} has no output ConsoleUrl: deploy this release first.")
    if not url.startswith(("http://", "https://")):
        fail(
            f"{url!r} is not a URL. Give the stack's output ApiUrl, such as https://abc123.execute-api.us-east-1.amazonaws.com"
        )
    return url.rstrip("/").removesuffix("/api/v1") + CONSOLE_PATH
