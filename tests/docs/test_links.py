"""Links between the pages lead somewhere; paths, modules, commands and terms that pages name exist."""

import re
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.stack import REPOSITORY

PAGES = [*sorted(REPOSITORY.glob("*.md")), *sorted((REPOSITORY / "docs").rglob("*.md"))]
FOLDERS = ("layers/", "functions/", "tests/", "docs/", "local/", "cli/", "examples/", "benchmarks/", "requirements/")
FILES = (".py", ".md", ".json", ".yaml", ".yml", ".sql", ".toml", ".txt")
BASES = [REPOSITORY / folder for folder in (".", "docs", "layers/core/pytake", "layers/core/pytake/analytics")]
"""Where a path of a page may begin: pages about reports, for example, name `sql/event_steps.sql`."""


def named_paths(page: Path) -> list[str]:
    """Names in backticks that are paths of the repository. A `<placeholder>` is not one."""
    names = re.findall(r"`([\w.-]+/[\w./-]*)`", page.read_text())
    return [name for name in names if name.startswith(FOLDERS) or name.endswith(FILES)]


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


def test_every_picture_is_shown_by_a_page() -> None:
    images = REPOSITORY / "docs" / "images"
    named = {
        (page.parent / link).resolve()
        for page in PAGES
        for link in re.findall(r"!\[[^\]]+\]\(([^)\s]+)\)", page.read_text())  # with a text for those who do not see it
    }
    pictures = {path for path in images.rglob("*") if path.is_file()}
    assert len(pictures) > 20
    assert pictures - named == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(REPOSITORY)))
def test_every_path_of_a_page_exists(page: Path) -> None:
    assert [path for path in named_paths(page) if not any((base / path).exists() for base in BASES)] == []


def test_enough_paths_are_named() -> None:
    assert len(named_paths(REPOSITORY / "CONTRIBUTING.md")) > 20


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(REPOSITORY)))
def test_every_module_of_a_page_exists(page: Path) -> None:
    for dotted in re.findall(r"`(pytake(?:\.\w+)+)`", page.read_text()):
        module, _, name = dotted.rpartition(".")
        found = import_module(module)
        assert hasattr(found, name) or find_spec(dotted) is not None, dotted


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", "docs/operations.md"])
def test_commands_of_a_page_name_tests_and_targets_that_exist(page: str) -> None:
    text = (REPOSITORY / page).read_text()
    named = set(re.findall(r"\b(tests/[\w./]*\w)", text.replace("tests/events/scheduled_<job>.json", "")))
    assert [path for path in sorted(named) if not (REPOSITORY / path).exists()] == []
    targets = set(re.findall(r"^([a-z-]+):", (REPOSITORY / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"`?make ([a-z-]+)", " ".join(re.findall(r"`[^`]+`", text)))) <= targets


def calls_pytake(page: Path) -> bool:
    blocks = re.findall(r"^ *```\w*\n(.*?)^ *```", page.read_text(), re.MULTILINE | re.DOTALL)
    return any(re.search(r"(?:^ *|\$\()pytake ", block, re.MULTILINE) for block in blocks)


@pytest.mark.parametrize(
    "page", [page for page in PAGES if calls_pytake(page) or page.name == "console.md"], ids=lambda page: page.name
)
def test_a_page_that_calls_the_command_says_where_it_is(page: Path) -> None:
    before = re.split(r"^ *pytake |\$\(pytake ", page.read_text(), maxsplit=1, flags=re.MULTILINE)[0]
    assert "`.venv/bin/pytake`" in before or ".venv/bin/pytake " in before


def test_decisions_are_numbered_one_after_the_other() -> None:
    pages = sorted((REPOSITORY / "docs" / "adr").glob("*.md"))
    numbers = [int(page.read_text().removeprefix("# ").partition(".")[0]) for page in pages]
    assert numbers == list(range(1, len(pages) + 1))
    assert [int(page.name[:4]) for page in pages] == numbers


def test_the_runbook_names_charts_that_the_dashboard_has() -> None:
    titles = set(re.findall(r'"title":"([^"]+)"', (REPOSITORY / "template.yaml").read_text()))
    named = re.findall(r"Dashboard, \*([^*]+)\*", " ".join((REPOSITORY / "docs" / "operations.md").read_text().split()))
    assert len(named) >= 3
    assert [name for name in named if name not in titles] == []


GLOSSARY = REPOSITORY / "docs" / "glossary.md"
TERMS = re.findall(r"^\| \*\*(.+?)\*\* \|", GLOSSARY.read_text(), re.MULTILINE)


@pytest.mark.parametrize("term", TERMS)
def test_a_term_of_the_glossary_is_used(term: str) -> None:
    pages = " ".join(" ".join(page.read_text().lower().split()) for page in PAGES if page != GLOSSARY)
    assert re.search(r"\b" + re.sub(r"[- ]", "[- ]", term.lower()), pages), f"no page says {term!r}"


def test_the_glossary_is_sorted_out_and_linked() -> None:
    assert len(TERMS) > 50
    assert len(set(TERMS)) == len(TERMS)
    text = GLOSSARY.read_text()
    assert set(re.findall(r"(?<!\*)\*([\w -]+?)s?\*(?!\*)", text)) <= {term.removesuffix("s") for term in TERMS}
    for page in ("README.md", "CONTRIBUTING.md"):
        assert "docs/glossary.md" in (REPOSITORY / page).read_text()
