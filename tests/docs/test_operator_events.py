"""The page of the operator events names each one that the product publishes, and no other."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

from pytake.campaigns.records import CampaignStatus

REPOSITORY = Path(__file__).parents[2]
NAME = re.compile(r"[a-z_]+\.[a-z_]+")
PUBLISHING = ("OperatorEvent", "delivery_event", "report", "_report")
CALCULATED = {f"campaign.{status}" for status in get_args(CampaignStatus) if status != "draft"} | {
    f"turn.{part}_too_large" for part in ("state", "record", "contact")
}
"""Those whose name is put together."""


def published() -> Iterator[str]:
    """The names that are written where an event is made, in the product and in the commands of operators."""
    for folder in ("layers/core/pytake", "functions", "cli"):
        for path in (REPOSITORY / folder).rglob("*.py"):
            for call in ast.walk(ast.parse(path.read_text())):
                if not isinstance(call, ast.Call):
                    continue
                name = getattr(call.func, "id", getattr(call.func, "attr", ""))
                texts = [one.value for one in ast.walk(call) if isinstance(one, ast.Constant)]
                if name in PUBLISHING:
                    yield from (text for text in texts if isinstance(text, str) and NAME.fullmatch(text))


def test_the_page_has_every_operator_event_and_no_other() -> None:
    page = (REPOSITORY / "docs" / "concepts.md").read_text()
    table = page.partition("## Operator events\n")[2].partition("\n## ")[0]
    rows = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    assert {name for row in rows for name in re.findall(r"`([a-z_.]+)`", row)} == {*published(), *CALCULATED}
