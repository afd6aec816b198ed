"""Links between the pages lead somewhere, and paths that CONTRIBUTING.md names exist."""

import re
from pathlib import Path

import pytest

from tests.template.conftest import REPOSITORY

PAGES = [*sorted(REPOSITORY.glob("*.md")), *sorted((REPOSITORY / "docs").rglob("*.md"))]
FOLDERS = ("layers/", "functions/", "tests/", "docs/", "local/", "cli/", "examples/", "benchmarks/", "requirements/")


def anchors(page: Path) -> set[str]:
    """What headings are called in addresses."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(REPOSITORY)))
def test_every_link_of_a_page_leads_somewhere(page: Path) -> None:
    for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        if re.match(r"https?:|mailto:", link):
            continue
        path, _, anchor = link.partition("#")
        there = (page.parent / path).resolve() if path else page
        assert there.exists(), f"{page.name}: {link}"
        if anchor:
            assert anchor in anchors(there), f"{page.name}: {link}"


def test_contributing_names_paths_that_exist() -> None:
    text = (REPOSITORY / "CONTRIBUTING.md").read_text()
    paths = [path for path in re.findall(r"`([\w./-]+/[\w./-]*)`", text) if path.startswith(FOLDERS)]
    assert len(paths) > 20
    assert [path for path in paths if not (REPOSITORY / path).exists()] == []


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", "docs/operations.md"])
def test_commands_of_a_page_name_tests_and_targets_that_exist(page: str) -> None:
    text = (REPOSITORY / page).read_text()
    named = set(re.findall(r"\b(tests/[\w./]*\w)", text.replace("tests/events/scheduled_<job>.json", "")))
    assert [path for path in sorted(named) if not (REPOSITORY / path).exists()] == []
    targets = set(re.findall(r"^([a-z-]+):", (REPOSITORY / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"`?make ([a-z-]+)", " ".join(re.findall(r"`[^`]+`", text)))) <= targets


def test_decisions_are_numbered_one_after_the_other() -> None:
    pages = sorted((REPOSITORY / "docs" / "adr").glob("*.md"))
    numbers = [int(page.read_text().removeprefix("# ").partition(".")[0]) for page in pages]
    assert numbers == list(range(1, len(pages) + 1))
    assert [int(page.name[:4]) for page in pages] == numbers
