"""What the project ships reads as plain, standard English: no translated constructions (CONTRIBUTING, "Language")."""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.stack import REPOSITORY

SHIPPED = (
    *("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md", "Makefile", "template.yaml"),
    *("pyproject.toml", "samconfig.toml", ".ci", ".github", ".pre-commit-config.yaml"),
    *("layers", "functions", "console", "local", "cli", "docs", "examples", "benchmarks"),
)
"""Everything a reader may see. Of tests, only docstrings and comments are prose: their strings are data."""

TEXT = (".html", ".js", ".json", ".md", ".sh", ".sql", ".toml", ".yaml", ".yml", "")

BANNED = {
    "is no NOUN": r"(?<!there )\b(?:is|are) no\b(?! (?:longer|more|less|need|way|reason)\b)",
    "anew": r"\banew\b",
    "whoever": r"\bwho(?:so)?(?:ever|mever)\b",
    "somebody, nobody": r"\b(?:some|no)body\b",
    "of which": r"\bof (?:which|whom)\b",
    "is told of": r"\btold of\b",
    "gets to hear": r"\b(?:gets?|got) to hear\b",
    "stands twice": r"\b(?:stands?|stood) (?:twice|once)\b",
    "be it": r"\bbe it\b|\bit be\b",
    "what stands": r"\bwhat stands\b",
    "no news": r"\bno news\b",
    "is none": r"\b(?:is|are) none of\b|\bthat (?:is|are) none\b",
    "slip of the pen": r"\bslips? of the pen\b",
    "mend": r"\bmend(?:s|ed)?\b",
    "archaic": r"\b(?:lest|thereof|whatsoever|henceforth|forthwith|hereby|therein|whereupon)\b",
}
"""Constructions that a reader has to decode. Write what is meant: "is not a", "again", "a person who", "not known"."""


class Allowed(NamedTuple):
    path: str
    text: str
    reason: str


ALLOWED = (Allowed("CONTRIBUTING.md", '"anew", "whoever"', "it names the constructions that are banned"),)
"""Places where such words are right. An entry that is not needed any more fails."""


class Found(NamedTuple):
    path: str
    construction: str
    text: str


def paths() -> Iterator[Path]:
    for name in (*SHIPPED, "tests"):
        start = REPOSITORY / name
        for path in sorted(start.rglob("*")) if start.is_dir() else [start]:
            if path.is_file() and not {"__pycache__", "node_modules", ".bench", "site", "generated"} & set(path.parts):
                yield path


def prose_of_python(text: str, *, strings: bool) -> Iterator[str]:
    """Its comments, those on consecutive lines as one, and its docstrings or all its strings. Names do not count."""
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    comments = {token.start[0]: token.string.lstrip("#:! ") for token in tokens if token.type == tokenize.COMMENT}
    for _, lines in groupby(enumerate(comments), lambda pair: pair[1] - pair[0]):
        yield " ".join(comments[line] for _, line in lines)
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and strings:
            yield node.value
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            yield node.value.value


def may_be_found(text: str) -> bool:
    """Whether it is worth the time to take a Python file apart: its words, also across lines, have such a construction."""
    words = " ".join(re.sub(r"""\b[rbf]{0,2}["']+|["']+|#[:!]?|\\n""", " ", text, flags=re.IGNORECASE).split())
    return any(re.search(pattern, words, re.IGNORECASE) for pattern in BANNED.values())


def prose(path: Path) -> Iterator[str]:
    if path.suffix == ".py":
        if may_be_found(text := path.read_text()):
            yield from prose_of_python(text, strings=path.parts[len(REPOSITORY.parts)] != "tests")
    elif path.suffix in TEXT and path.parts[len(REPOSITORY.parts)] != "tests":
        text = re.sub(r"\n\s*(?:#|--|//)\s", " ", path.read_text())  # comments of several lines
        yield from text.split("\n\n")


@cache
def findings() -> tuple[Found, ...]:
    found = []
    for path in paths():
        name = str(path.relative_to(REPOSITORY))
        for paragraph in prose(path):
            line = " ".join(paragraph.split())
            for construction, pattern in BANNED.items():
                for match in re.finditer(pattern, line, re.IGNORECASE):
                    around = line[max(0, match.start() - 40) : match.end() + 40]
                    found.append(Found(name, construction, around))
    return tuple(dict.fromkeys(found))


def allowed(found: Found) -> bool:
    return any(found.path == entry.path and entry.text in found.text for entry in ALLOWED)


def test_shipped_text_is_plain_english() -> None:
    bad = [f"{f.path}: {f.construction}: …{f.text}…" for f in findings() if not allowed(f)]
    assert not bad, "\n".join(["Write it plainly (CONTRIBUTING, Language):", *bad])


@pytest.mark.parametrize("entry", ALLOWED, ids=lambda entry: f"{entry.path}: {entry.text}")
def test_an_allowed_place_is_still_there_and_has_its_reason(entry: Allowed) -> None:
    assert any(entry.path == found.path and entry.text in found.text for found in findings())
    assert len(entry.reason.split()) >= 4


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("# A comment that goes\n# on: `x` is\n# no country\n", "is no NOUN"),
        ('def f():\n    """Whoever asks."""\n', "whoever"),
        ('error = f"{x} is told of it"\n', "is told of"),
        ('nobody = whoever["anew"]\n', "anew"),
        ('error = (\n    "the file is "\n    f"no picture: {x}"\n)\n', "is no NOUN"),
        ("# There is no such node, and it is no longer needed.\nnobody = 1\n", None),
    ],
)
def test_the_rules_find_what_they_should(text: str, expected: str | None) -> None:
    lines = [" ".join(part.split()) for part in prose_of_python(text, strings=True)]
    found = {name for line in lines for name, pattern in BANNED.items() if re.search(pattern, line, re.IGNORECASE)}
    assert found == ({expected} if expected else set())
    assert may_be_found(text) or expected is None
