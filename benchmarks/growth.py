"""How the flow runner grows with conversations, organizations and the size of a flow."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from benchmarks.environments import FOLDER, REPOSITORY
from benchmarks.handler_benchmark import VARIABLES, built, interpreter
from benchmarks.report import figure, table
from benchmarks.workers import last_core, once

SIZES = (
    *((count, 1, 12) for count in (1, 100, 2_000)),
    *((1, count, 12) for count in (20, 200)),
    *((1, 1, count) for count in (100, 1_000, 4_000)),
)
"""Conversations per organization, organizations, nodes of the flow: from the smallest, one of the three grows at a time."""


@dataclass
class GrowthResult:
    """The measurements at one size."""

    conversations: int
    organizations: int
    nodes: int
    figures: dict[str, Any]


def measure(seconds: float, sizes: tuple[tuple[int, int, int], ...], log: Callable[[str], None]) -> list[GrowthResult]:
    """A fresh process per size. Raises NotInstalledError when the build fails."""
    build = built()
    path = os.pathsep.join([str(build / "CoreLayer" / "python"), str(REPOSITORY)])
    found = []
    for size in sizes:
        log(f"growth: {size[0]} conversations, {size[1]} organizations, {size[2]} nodes")
        words = [str(build), *map(str, size), str(seconds)]
        command = [str(interpreter()), "-S", "-P", "-m", "benchmarks.growth_probe", *words]
        found.append(GrowthResult(*size, once(command, FOLDER, {**VARIABLES, "PYTHONPATH": path}, last_core())))
    return found


def growth_table(grown: list[GrowthResult]) -> str:
    """A row per size."""
    head = ["conversations", "organizations", "nodes", "CPU ms p50", "p99", "first turn CPU ms", "requests", "MB added"]
    rows = [
        [
            f"{one.conversations * one.organizations:,}",
            f"{one.organizations:,}",
            f"{one.nodes:,}",
            *(
                figure(one.figures[name])
                for name in ("cpu_p50_ms", "cpu_p99_ms", "first_turn_ms", "requests", "added_mb")
            ),
        ]
        for one in grown
    ]
    return table(head, rows)
