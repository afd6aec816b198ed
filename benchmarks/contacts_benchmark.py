"""How long the REST API's list and search of contacts take in an organization with a million of them."""

import os
import sys
from collections.abc import Callable
from typing import Any

from benchmarks.environments import REPOSITORY
from benchmarks.handler_benchmark import VARIABLES
from benchmarks.report import figure, table
from benchmarks.workers import once

CONTACTS, PAGES = 1_000_000, 40
MOST_MS = 300
_NAMES = {
    "list": "list: 50 contacts, at random places",
    "number": "search: a phone number",
    "name": "search: part of a name that one of ten has",
    "tag": "filter: a tag that one of 50,000 has",
}


def measure(log: Callable[[str], None], contacts: int = CONTACTS, pages: int = PAGES) -> dict[str, Any]:
    """The times of pages, in a process of its own."""
    log(f"contacts: pages of {contacts:,}")
    paths = os.pathsep.join(str(REPOSITORY / folder) for folder in ("", "layers/core"))
    command = [sys.executable, "-P", "-m", "benchmarks.contacts_probe", str(contacts), str(pages)]
    return once(command, REPOSITORY, {**VARIABLES, "PYTHONPATH": paths}, None)


def contacts_table(found: dict[str, Any]) -> str:
    """A row per question."""
    columns = ("p50_ms", "p95_ms", "own_ms", "requests", "found")
    rows = [[text, *(figure(found[name][column]) for column in columns)] for name, text in _NAMES.items()]
    return table(["page", "p50 ms", "p95", "own CPU", "requests", "found"], rows)


def contacts_target(found: dict[str, Any]) -> list[str]:
    """The row of the targets."""
    slowest = max(found[name]["p95_ms"] for name in _NAMES)
    return ["list and search 1,000,000 contacts, p95", f"≤ {MOST_MS} ms", f"{figure(slowest)} ms"]
