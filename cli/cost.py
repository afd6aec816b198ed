"""`pytake cost`: the estimated monthly cost, from measured usage and list prices."""

import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from cli.costing.model import DEPLOYED_MEMORY, GROUPS, MILLION, Bill, Volumes
from cli.costing.tables import CostError, MeasuredUsage, Prices, assumptions, measured_spending, measured_usage, prices
from cli.ending import fail

MAX_MESSAGES = 1_000_000 * MILLION
"""Per month; more than WhatsApp carries."""


def cost(
    messages: Annotated[float, typer.Option(min=0, max=MAX_MESSAGES, help="Inbound messages per month.")] = MILLION,
    turns: Annotated[float, typer.Option(min=1, max=10_000, help="Inbound messages per conversation.")] = 7,
    answers: Annotated[float, typer.Option(min=0, max=100, help="Messages sent per inbound message.")] = 1,
    statuses: Annotated[
        float, typer.Option(min=0, max=3, help="Statuses per message sent: sent, delivered, read, in this order.")
    ] = 3,
    webhook: Annotated[
        Literal["api", "function-url"], typer.Option(help="The template's parameter WebhookEndpoint.")
    ] = "api",
    templates: Annotated[
        float,
        typer.Option(min=0, max=MAX_MESSAGES, help="How many of the messages sent per month are utility templates."),
    ] = 0,
    numbers: Annotated[int, typer.Option(min=0, max=1_000_000, help="Connected WhatsApp numbers.")] = 1,
    retention_days: Annotated[int, typer.Option(min=1, max=3650, help="Retention of conversations.")] = 90,
    region: Annotated[str, typer.Option(help="AWS region, as the price table names it.")] = "us-east-1",
    architecture: Annotated[Literal["arm64", "x86_64"], typer.Option(help="The functions' processor.")] = "arm64",
    memory: Annotated[
        list[str] | None,
        typer.Option(
            help="Memory in MB of all functions on a message's path (512), or of one (sender=1024); repeatable."
        ),
    ] = None,
    organizations: Annotated[int, typer.Option(min=0, max=1_000_000, help="Organizations with messages.")] = 1,
    log_retention_days: Annotated[int, typer.Option(min=1, max=3653, help="Retention of logs.")] = 30,
    observability: Annotated[
        Literal["basic", "full"], typer.Option(help="The template's parameter Observability.")
    ] = "basic",
    tracing: Annotated[bool, typer.Option(help="X-Ray tracing, which the template leaves off.")] = False,
    meta_fee: Annotated[
        float | None,
        typer.Option(min=0, max=100, help="Meta's fee for a service message in USD; default: that of the price table."),
    ] = None,
    spending_file: Annotated[
        Path | None,
        typer.Option(
            "--spending",
            exists=True,
            dir_okay=False,
            help="The answer of GET /api/v1/reports/spending: Meta's fees by its measured shares and amounts.",
        ),
    ] = None,
    price_file: Annotated[
        Path | None,
        typer.Option("--prices", exists=True, dir_okay=False, help="Another price table (cli/costing/prices.json)."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Estimate the monthly cost of messages at AWS and Meta.

    Requests, units and times are those that `make bench` measured for a plain turn; prices are list prices without free tiers.
    """
    if spending_file is not None and (templates or meta_fee is not None):
        fail("--spending measures what --templates and --meta-fee guess: leave them out.", 2)
    if templates > messages * answers:
        fail(f"--templates {templates:g}: only {messages * answers:g} messages are sent per month.", 2)
    try:
        table, usage = prices(price_file) if price_file else prices(), measured_usage()
        if meta_fee is not None:
            from msgspec.structs import replace

            table = replace(table, meta=replace(table.meta, service_message=meta_fee))
        volumes = Volumes(
            messages=messages,
            turns_per_conversation=turns,
            answers=answers,
            statuses=statuses,
            webhook=webhook,
            templates=templates,
            numbers=numbers,
            organizations=organizations,
            retention_days=retention_days,
            log_retention_days=log_retention_days,
            observability=observability,
            region=region,
            architecture=architecture,
            memory=_memory(memory or []),
            tracing=tracing,
        )
        spending = measured_spending(spending_file, table.currency) if spending_file else None
        bill = Bill(volumes, usage, table, assumptions(), spending)
    except CostError as error:
        fail(str(error), 2)
    if as_json:
        import json

        answer = bill.as_json() | {"prices_as_of": table.as_of, "counted_on": usage.measured_on, "commit": usage.commit}
        sys.stdout.write(json.dumps(answer) + "\n")
    else:
        _show(bill, table, usage)


def _memory(given: list[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for text in given:
        name, _, megabytes = text.rpartition("=")
        if not megabytes.isdecimal() or not 128 <= int(megabytes) <= 10_240:
            raise CostError(f"--memory {text}: give MB from 128 to 10240, or FUNCTION=MB.")
        if name and name not in DEPLOYED_MEMORY:
            raise CostError(
                f"--memory {text}: unknown function {name!r}; the functions are {', '.join(DEPLOYED_MEMORY)}."
            )
        found |= {name: int(megabytes)} if name else dict.fromkeys(DEPLOYED_MEMORY, int(megabytes))
    return found


def _show(bill: Bill, table: Prices, usage: MeasuredUsage) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table

    volumes, console = bill.volumes, Console()
    shown = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    shown.add_column("", no_wrap=True)
    shown.add_column("")  # in a narrow terminal the description wraps, so that no amount is cut
    million_too = volumes.messages not in (0, MILLION)
    for head in ("per month", "", "USD", *(["per million"] if million_too else [])):
        shown.add_column(head, justify="right" if head else "left", no_wrap=True)

    def add(service: str, what: str, quantity: float | None, unit: str, usd: float, style: str = "") -> None:
        more = [_usd(usd / volumes.messages * MILLION)] if million_too else []
        shown.add_row(service, what, _count(quantity), unit, _usd(usd), *more, style=style)

    for group, title in GROUPS.items():
        add("", title, None, "", bill.total(group), "bold")
        for line in (line for line in bill.lines if line.group == group):
            add(line.service, line.what, line.quantity, line.unit, line.usd)
        shown.add_section()
    add("AWS", "", None, "", bill.total(), "bold")
    for category, usd in bill.meta_by_category.items():
        add("Meta", category, None, "", usd)
    add("Meta", "message fees", volumes.messages * volumes.answers, "messages", bill.meta, "bold")
    console.print(shown)
    if volumes.messages:
        turn = bill.per_turn()
        console.print(
            f"Per turn, with its answer and statuses: {turn['requests']:g} requests to AWS, {turn['write_units']:g} write"
            f" units, {turn['read_units']:g} read units, {turn['gb_seconds']:g} GB-s. A conversation of"
            f" {volumes.turns_per_conversation:g} turns:"
            f" {bill.total() / volumes.messages * volumes.turns_per_conversation:.6f} USD at AWS,"
            f" {bill.meta / volumes.messages * volumes.turns_per_conversation:.4f} USD at Meta."
        )
    else:
        console.print("No messages: the queues are polled, the alarms watch, and only the scheduled jobs run.")
    console.print(
        f"List prices of {volumes.region} as of {table.as_of} ({volumes.architecture}), without free tiers. Measured on"
        f" {usage.measured_on}, commit {usage.commit}. docs/cost.md says how.",
        style="dim",
    )


def _count(quantity: float | None) -> str:
    if quantity is None:
        return ""
    if quantity >= MILLION:
        return f"{quantity / MILLION:,.2f} M"
    return f"{quantity:,.0f}" if quantity >= 10 else f"{quantity:.2g}"


def _usd(value: float) -> str:
    return f"{value:,.2f}"
