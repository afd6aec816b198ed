"""The `pytake` command.

A command's module is imported when the command is called, so that `pytake --help` is fast.
"""

from difflib import get_close_matches
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command, get_group

# What `pytake --help` shows, in this order: name, location (module:attribute), summary.
COMMANDS = {
    "local": ("cli.local:local", "Run the whole system on this machine: API, webhook and a simulated WhatsApp."),
    "console": ("cli.console:console", "Open the web console in the browser."),
    "chat": ("cli.chat:chat", "Chat with a running local cloud as a person on WhatsApp."),
    "flow": ("cli.main:flow_commands", "Run, check, test and publish flows."),
    "replay": (
        "cli.replay:replay",
        "Replay recorded conversations on a flow and show where each first differs.",
    ),
    "number": ("cli.number:app", "Connect, resume, remove and move WhatsApp numbers."),
    "organization": ("cli.organization:app", "Delete organizations. For operators: needs AWS credentials."),
    "secret": ("cli.secret:app", "Manage the secrets that flows use when they call APIs."),
    "dlq": ("cli.dlq:app", "Inspect and redrive dead-letter queues."),
    "erasures": ("cli.erasures:app", "Repeat erasures after the table was restored."),
    "doctor": (
        "cli.doctor:doctor",
        "Check what usually goes wrong, before and after a deployment, and say what to do.",
    ),
    "sql": ("cli.sql:sql", "Ask the lake in SQL, or with a saved query, and print the rows."),
    "cost": ("cli.cost:cost", "Estimate the monthly cost of messages at AWS and Meta."),
    "rate-card": ("cli.rate_card:app", "Show, check and replace the prices of Meta that reports and budgets use."),
    "token": ("cli.local:token", "Print a token for the REST API of the local cloud."),
}


def flow_commands() -> typer.Typer:
    """Return the commands for flow documents: those that need no cloud, and `publish`."""
    from cli.flow import app
    from cli.flow_testing.commands import fuzz, run_tests
    from cli.publish import publish

    app.command("test")(run_tests)
    app.command("fuzz")(fuzz)
    app.command("publish")(publish)
    return app


class LazyGroup(TyperGroup):
    """A group whose commands are loaded when they are called; its help needs only their names and summaries."""

    # Any, because typer has private copies of click's types.
    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002
        """Return the names in the order of `COMMANDS`."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002
        """Return a placeholder with the summary, for help texts and suggestions."""
        return TyperCommand(cmd_name, help=COMMANDS[cmd_name][1]) if cmd_name in COMMANDS else None

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """Return the real command, or a usage error that suggests the nearest one."""
        if args and args[0] not in COMMANDS:
            near = get_close_matches(args[0], COMMANDS)
            ctx.fail(f"No such command '{args[0]}'." + (f" Did you mean '{near[0]}'?" if near else ""))
        name, command, rest = super().resolve_command(ctx, args)
        return name, load(str(name)) if command else None, rest


def load(name: str) -> Any:
    """Import a command of `COMMANDS` and return it as a click object."""
    module, _, attribute = COMMANDS[name][0].partition(":")
    found: Any = getattr(import_module(module), attribute)
    if found is flow_commands:
        found = flow_commands()
    if isinstance(found, typer.Typer):
        return get_group(found)
    alone = typer.Typer(add_completion=False)
    alone.command(name)(found)
    return get_command(alone)


app = typer.Typer(
    cls=LazyGroup,
    no_args_is_help=True,
    help="WhatsApp conversations in your own AWS account, or on this machine.",
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_show_locals=False,  # they would show secrets
)


@app.callback()
def _main() -> None:
    """Keep the commands in a group; typer needs a callback for that."""


if __name__ == "__main__":
    app()
