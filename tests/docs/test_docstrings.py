"""The exceptions that docstrings name exist in the code."""

import ast
import builtins
import importlib
import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
FOLDERS = ("layers", "functions", "local", "cli")

SENTENCE = re.compile(r"\b[Rr]aises?\b(.*?)(?:\.\s|\.?$)", re.DOTALL)
CLASS_NAME = re.compile(r"`([\w.]*\b[A-Z]\w*[a-z]\w*)`|\b((?:\w+\.)*[A-Z]\w+Error)\b")


class Parsed(NamedTuple):
    named: list[tuple[str, str]]
    """What a docstring belongs to, and an exception that it names."""
    known: set[str]
    """The classes that the modules define and the names that they import."""


@cache
def parsed() -> Parsed:
    named, known = [], set(dir(builtins))
    for path in (path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*.py"))):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import | ast.ImportFrom):
                known |= {(alias.asname or alias.name).rpartition(".")[2] for alias in node.names}
            elif isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                owner = f"{path.relative_to(ROOT)}: {getattr(node, 'name', 'module')}"
                named += [(owner, name) for name in named_exceptions(ast.get_docstring(node) or "")]
                if isinstance(node, ast.ClassDef):
                    known.add(node.name)
    return Parsed(named, known)


def named_exceptions(docstring: str) -> list[str]:
    """The class names after "Raises" or "raise", up to the end of the sentence."""
    return [
        backticked or plain
        for sentence in SENTENCE.finditer(docstring)
        for backticked, plain in CLASS_NAME.findall(sentence[1])
    ]


def exists(name: str, known: set[str]) -> bool:
    module, _, last = name.rpartition(".")
    if last in known:
        return True
    try:
        return bool(module) and hasattr(importlib.import_module(module), last)
    except ImportError:
        return False


def test_the_pattern_finds_the_exceptions_of_a_docstring() -> None:
    text = "Give it. Raises `NotJsonError` or `json.JSONDecodeError` when\nempty, KeyError never. `Other` is not one."
    assert named_exceptions(text) == ["NotJsonError", "json.JSONDecodeError", "KeyError"]
    assert named_exceptions("All methods raise `NoSuchError`, and nothing else") == ["NoSuchError"]
    assert not exists("NoSuchError", set())
    assert exists("json.JSONDecodeError", set())


def test_exceptions_in_docstrings_exist() -> None:
    named, known = parsed()
    assert len(named) > 100
    assert [f"{owner} names {name}" for owner, name in named if not exists(name, known)] == []
