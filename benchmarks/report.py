"""Tables, on the terminal and as Markdown."""

import os
import platform
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

REPOSITORY = Path(__file__).parents[1]


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table with aligned columns: the first to the left, figures to the right."""
    widths = [max(len(line[column]) for line in (head, *rows)) for column in range(len(head))]

    def line(cells: Sequence[str]) -> str:
        first, *figures = (
            cell.ljust(width) if not column else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(cells, widths, strict=True))
        )
        return "| " + " | ".join([first, *figures]) + " |"

    rule = "|" + "|".join("-" * (width + 1) + (":" if column else "-") for column, width in enumerate(widths)) + "|"
    return "\n".join([line(head), rule, *map(line, rows)])


def with_section(document: str, heading: str, section: str, following: str) -> str:
    """A Markdown document with the section of this heading replaced, or added before the heading that is to follow it."""
    before, found, rest = document.partition(heading)
    if found:
        return before + section + rest[rest.index("\n## ") :]
    before, _, rest = document.partition(following)
    return f"{before}{section}\n{following}{rest}"


def figure(value: float) -> str:
    """A number with three significant digits."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def times(value: float) -> str:
    """A ratio."""
    return f"{figure(value)}x"


def machine() -> str:
    """Processor, cores, system and interpreters, in one sentence."""
    model = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        models = [line.partition(":")[2].strip() for line in info.read_text().splitlines() if line[:10] == "model name"]
        model = models[0] if models else model
    node = _output_of(["node", "--version"])
    go = re.search(r"go(\d\S*)", _output_of(["go", "version"]))
    runtimes = f"CPython {platform.python_version()}" + (f", Node {node.removeprefix('v')}" if node else "")
    runtimes += f", Go {go[1]}" if go else ""
    return f"{model}, {os.cpu_count()} cores, {platform.system()} {platform.machine()}, {runtimes}"


def commit() -> str:
    """The measured commit, with a note if files of the product differ from it."""
    name = _output_of(["git", "rev-parse", "--short", "HEAD"])
    changed = _output_of(["git", "status", "--porcelain", "--", "layers", "functions", "examples"])
    return f"{name or 'unknown'}{' with uncommitted changes' if changed else ''}"


def _output_of(command: list[str]) -> str:
    try:
        return subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False).stdout.strip()
    except OSError:
        return ""


def progress(text: str) -> None:
    """Show progress on one line of the terminal; print nothing if the output is not a terminal."""
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)
