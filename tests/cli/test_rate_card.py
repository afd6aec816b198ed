"""`pytake rate-card`: an operator's table of prices is checked whole, and then becomes the rate card of the functions."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cli.rate_card import app
from pytake.campaigns.rate_card import COLUMNS, installed_rate_card

OCTOBER = datetime(2026, 10, 2, tzinfo=UTC).timestamp()
JULY = datetime(2026, 7, 2, tzinfo=UTC).timestamp()
GIVEN = ("--valid-from", "2026-10-01", "--currency", "USD", "--source", "test")
WIDE = "market,countries,marketing,utility,service\nBrazil,BR,0.07,0.01,\nIberia,ES PT,0.05,0.02,0.02\nOther,*,0.06,,\n"


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    path = tmp_path / "rate_card.csv"
    path.write_text(
        f"{','.join(COLUMNS)}\nBrazil,BR,marketing,0.0625,USD,2026-01-01,test\nBrazil,BR,marketing,0.09,USD,2026-10-01,wrong\n"
    )
    return path


def run(installed: Path, *arguments: str, text: str | bytes = "") -> Result:
    if text:
        (installed.parent / "new.csv").write_bytes(text.encode() if isinstance(text, str) else text)
        arguments = (arguments[0], str(installed.parent / "new.csv"), *arguments[1:])
    return CliRunner().invoke(app, [*arguments, "--file", str(installed)])


def test_a_table_with_a_column_per_category_becomes_the_rate_card_beside_earlier_prices(installed: Path) -> None:
    done = run(installed, "install", *GIVEN, text=WIDE)
    assert done.exit_code == 0, done.output
    assert "6 prices in USD added, 1 earlier ones kept" in done.output
    assert "No price of service: every other country, BR." in done.output
    card = installed_rate_card(installed)
    assert (card.price_micros("BR", "marketing", JULY), card.price_micros("BR", "marketing", OCTOBER)) == (
        62_500,
        70_000,
    )
    assert (card.price_micros("PT", "utility", OCTOBER), card.price_micros("FR", "marketing", OCTOBER)) == (
        20_000,
        60_000,
    )
    assert card.price_micros("BR", "service", OCTOBER) is None, "an empty field has no price"
    assert "0.05" in run(installed, "show").output


def test_a_table_of_the_rate_card_itself_is_taken_and_earlier_prices_can_go(installed: Path) -> None:
    text = f"\ufeff{','.join(COLUMNS)}\nIndia,IN,marketing,0.86,INR,2026-10-01,test\n"
    assert "1 prices in INR added, 0 earlier ones kept" in run(installed, "install", text=text).output
    assert installed_rate_card(installed).currency == "INR"
    assert "0 earlier ones kept" in run(installed, "install", *GIVEN, "--replace", text=WIDE).output
    assert installed_rate_card(installed).price_micros("BR", "marketing", JULY) is None


@pytest.mark.parametrize(
    ("text", "options", "says"),
    [
        (WIDE, GIVEN[:4], "give --source too"),
        (WIDE.replace("utility", "utilities"), GIVEN, "the columns are market, countries, category"),
        (WIDE.replace("ES PT", "ES UK"), GIVEN, "UK is not the ISO code of a country"),
        (WIDE.replace("0.07", "0,07"), GIVEN, "line 2 has more fields"),
        (WIDE, ("--valid-from", "2026-10-05", *GIVEN[2:]), "first day of a month"),
        (WIDE + "Brazil again,BR,0.08,,\n", GIVEN, "the same country, category and day"),
        ("market\n", GIVEN, "it has no prices"),
        (b"market\xe9", GIVEN, "not a CSV file in UTF-8"),
        ("market\n" + "x" * 200_000, GIVEN, "not a CSV file in UTF-8: field larger than"),
    ],
)
def test_a_table_that_cannot_be_used_changes_nothing(
    installed: Path, text: str | bytes, options: tuple[str, ...], says: str
) -> None:
    before = installed.read_bytes()
    done = run(installed, "install", *options, text=text)
    assert done.exit_code == 1
    assert says in done.output
    assert installed.read_bytes() == before


def test_a_rate_card_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    assert run(tmp_path / "none.csv", "show").exit_code == 2


def test_the_rate_card_of_the_functions_can_be_shown() -> None:
    shown = CliRunner().invoke(app, ["show"])
    assert shown.exit_code == 0
    assert "Brazil" in shown.output
