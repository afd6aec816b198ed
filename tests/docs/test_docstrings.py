"""The exceptions that docstrings name exist in the code."""

import ast
import builtins
import importlib
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDERS = ("layers", "functions", "local", "cli")

SENTENCE = re.compile(r"\b[Rr]aises?\b(.*?)(?:\.\s|\.?$)", re.DOTALL)
CLASS_NAME = re.compile(r"`([\w.]*\b[A-Z]\w*[a-z]\w*)`|\b((?:\w+\.)*[A-Z]\w+Error)\b")


@cache
def modules() -> dict[Path, ast.Module]:
    return {
        path.relative_to(ROOT): ast.parse(path.read_text())
        for folder in FOLDERS
        for path in sorted((ROOT / folder).rglob("*.py"))
    }


def docstrings(module: ast.Module) -> Iterator[tuple[str, str]]:
    for node in ast.walk(module):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            text = ast.get_docstring(node)
            if text:
                yield getattr(node, "name", "module"), text


def known_names(module: ast.Module) -> Iterator[str]:
    """The classes that a module defines and the names that it imports."""
    for node in ast.walk(module):
        if isinstance(node, ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Import | ast.ImportFrom):
            yield from ((alias.asname or alias.name).rpartition(".")[2] for alias in node.names)


def named_exceptions(docstring: str) -> list[str]:
    """The class names after "Raises" or "raise", up to the end of the sentence."""
    return [
        backticked or plain
        for sentence in SENTENCE.finditer(docstring)
        for backticked, plain in CLASS_NAME.findall(sentence[1])
    ]


def exists(name: str, known: set[str]) -> bool:
    module, _, last = name.rpartition(".")
    if last in known or hasattr(builtins, last):
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
    parsed = modules()
    known = {name for module in parsed.values() for name in known_names(module)}
    missing = [
        f"{path}: {owner} names {name}"
        for path, module in parsed.items()
        for owner, text in docstrings(module)
        for name in named_exceptions(text)
        if not exists(name, known)
    ]
    assert missing == []


def test_many_docstrings_are_checked() -> None:
    found = [name for module in modules().values() for _, text in docstrings(module) for name in named_exceptions(text)]
    assert len(found) > 100
