"""How a command writes a table, and how it ends with an error."""

import sys
from typing import TYPE_CHECKING, NoReturn

import typer

if TYPE_CHECKING:
    from rich.console import Console


def fail(message: str, status: int = 1) -> NoReturn:
    """End the command with a text on stderr, red on a terminal, and an exit status."""
    typer.secho(message, err=True, fg=typer.colors.RED if sys.stderr.isatty() else None)
    raise typer.Exit(status)


def terminal() -> "Console":
    """The terminal, for tables. If the output is not a terminal, it is so wide that no table row wraps, for grep."""
    from rich.console import Console  # slow to import, and the commands' help does not need it

    return Console(width=None if sys.stdout.isatty() else 240)
