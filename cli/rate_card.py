"""`pytake rate-card`: Meta's prices of this deployment: which there are, and how an operator replaces them."""

import csv
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from phonenumbers import SUPPORTED_REGIONS
from rich.table import Table

from cli.ending import fail, terminal
from pytake.campaigns.rate_card import CATEGORIES, COLUMNS, EVERY_OTHER, INSTALLED, RateCard, RateCardError

MARKET_COLUMNS = ("market", "countries")

app = typer.Typer(no_args_is_help=True, help="Show, check and replace the prices of Meta that reports and budgets use.")

Row = dict[str, str]
File = Annotated[
    Path, typer.Option("--file", exists=True, dir_okay=False, help="The rate card; default: that of the functions.")
]


@app.command()
def show(file: File = INSTALLED) -> None:
    """Print the present price of each category by country, and name what has no price."""
    rows = _rows(file)
    card, now = _checked(rows, file.name), datetime.now(UTC).timestamp()
    markets: dict[tuple[str, str], list[str]] = {}
    for row in rows:
        markets.setdefault((row["market"], row["countries"]), row["countries"].split())
    table = Table(*(name.replace("_", " ") for name in (*MARKET_COLUMNS, *CATEGORIES)), title=card.currency)
    for (market, countries), codes in sorted(markets.items()):
        prices = [card.price_micros(codes[0], category, now) for category in CATEGORIES]
        table.add_row(market, countries, *("" if price is None else f"{price / 1e6:.6g}" for price in prices))
    terminal().print(table)
    for line in _gaps(card, rows, now):
        typer.echo(line)


@app.command()
def install(
    table: Annotated[
        Path,
        typer.Argument(
            exists=True,
            dir_okay=False,
            help="CSV: the columns of rate_card.csv, or market, countries and one column per category.",
        ),
    ],
    valid_from: Annotated[
        str | None,
        typer.Option(help="The day from which the prices hold, such as 2026-10-01; for columns of categories."),
    ] = None,
    currency: Annotated[str | None, typer.Option(help="Of the prices, such as USD; for columns of categories.")] = None,
    source: Annotated[str | None, typer.Option(help="Where they come from; for columns of categories.")] = None,
    replace: Annotated[bool, typer.Option("--replace", help="Keep no price of earlier months.")] = False,
    file: File = INSTALLED,
) -> None:
    """Check a table of prices and add it to the rate card of the functions, which the next deployment uses.

    Prices of earlier months stay, if they are in the same currency. Nothing is written if a line cannot be used.
    """
    new = _rows(table)
    if new and tuple(new[0]) != COLUMNS:
        new = _long(new, table.name, {"valid_from": valid_from, "currency": currency, "source": source})
    card = _checked(new, table.name)
    kept = [] if replace else _kept(_rows(file), new, card.currency)
    whole = _checked([*new, *kept], "the whole rate card")
    with file.open("w", newline="", encoding="utf-8") as written:
        writer = csv.DictWriter(written, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows([*new, *kept])
    typer.echo(
        f"{file}: {len(new)} prices in {card.currency} added, {len(kept)} earlier ones kept. Deploy to use them."
    )
    for line in _gaps(whole, [*new, *kept], datetime.now(UTC).timestamp()):
        typer.echo(line)


def _rows(path: Path) -> list[Row]:
    rows = []
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            for row in (reader := csv.DictReader(file)):
                if None in row:
                    fail(f"{path.name}: line {reader.line_num} has more fields than columns. Write 0.07, not 0,07.")
                rows.append({name: value or "" for name, value in row.items()})
    except (UnicodeDecodeError, csv.Error) as error:
        fail(f"{path.name}: not a CSV file in UTF-8: {error}")
    return rows


def _long(rows: list[Row], name: str, given: dict[str, str | None]) -> list[Row]:
    """One row per market and category, from a table with a column per category. An empty field gives no price."""
    columns = [column for column in rows[0] if column not in MARKET_COLUMNS]
    if not set(MARKET_COLUMNS) <= rows[0].keys() or not columns or not set(columns) <= set(CATEGORIES):
        fail(f"{name}: the columns are {', '.join(COLUMNS)}; or market, countries and some of {', '.join(CATEGORIES)}.")
    missing = [f"--{option.replace('_', '-')}" for option, value in given.items() if not value]
    if missing:
        fail(f"{name} has a column per category: give {', '.join(missing)} too.")
    common = {option: value or "" for option, value in given.items()}
    return [
        {column: {**row, **common, "category": category, "price": row[category].strip()}[column] for column in COLUMNS}
        for row in rows
        for category in columns
        if row[category].strip()
    ]


def _checked(rows: Iterable[Row], name: str) -> RateCard:
    """The rate card of these rows. Ends the command if one cannot be used, or names a country that does not exist."""
    lines = [",".join(COLUMNS)]
    for row in rows:
        lines.append(",".join('"' + row.get(column, "").replace('"', '""') + '"' for column in COLUMNS))
        unknown = set(row.get("countries", "").split()) - SUPPORTED_REGIONS - {EVERY_OTHER}
        if unknown:
            fail(f"{name}: line {len(lines)}: {', '.join(sorted(unknown))} is not the ISO code of a country.")
    try:
        return RateCard(lines)
    except RateCardError as error:
        fail(f"{name}: {error}")


def _kept(rows: list[Row], new: list[Row], currency: str) -> list[Row]:
    """The rows of the present rate card that stay beside the new ones."""
    changed = {place for row in new for place in _places(row)}
    return [row for row in rows if row["currency"] == currency and not changed & set(_places(row))]


def _places(row: Row) -> list[tuple[str, str, str]]:
    return [(country, row["category"], row["valid_from"]) for country in row["countries"].split()]


def _gaps(card: RateCard, rows: list[Row], now: float) -> list[str]:
    """What has no price now, one line per category."""
    countries = sorted({country for row in rows for country in row["countries"].split()})
    found = []
    for category in CATEGORIES:
        without = [country for country in countries if card.price_micros(country, category, now) is None]
        if without:
            found.append(f"No price of {category}: {', '.join(without).replace(EVERY_OTHER, 'every other country')}.")
    if EVERY_OTHER not in countries:
        found.append("Countries that are not listed have no price: what must not pass a limit is not sent to them.")
    return found
