"""How a command ends with an error."""

import sys
from typing import NoReturn

import typer


def fail(message: str, status: int = 1) -> NoReturn:
    """End the command with a text on stderr, red on a terminal, and an exit status."""
    typer.secho(message, err=True, fg=typer.colors.RED if sys.stderr.isatty() else None)
    raise typer.Exit(status)
