"""The console has words for problems and saved queries in three languages, and its lock file a hash for each package."""

import ast
import json
import re
from pathlib import Path
from typing import Any

import pytest
import sqlglot

import pytake.contacts as import_sources
from pytake.analytics.queries import statement
from pytake.analytics.saved_queries import SAVED_QUERIES, SavedQuery
from pytake.contacts.segments import Segment
from pytake.conversation.desk import CannedReply, Team
from pytake.conversation.ports.tenants import FlowSecret
from pytake.conversation.records import Number, NumberSecrets, Organization
from pytake.conversation.sequences.records import Sequence
from pytake.engine.problems import CODES
from pytake.engine.timetable import Timetable
from rest.problems import PROBLEM_CODES

CONSOLE = Path(__file__).parents[2] / "console"


def words(language: str, part: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((CONSOLE / "src" / "words" / language / f"{part}.json").read_text())
    return found


@pytest.mark.parametrize("language", ["pt", "es", "en"])
@pytest.mark.parametrize(("part", "codes"), [("problems", set(PROBLEM_CODES)), ("findings", set(CODES))])
def test_every_code_has_a_sentence_in_the_console(language: str, part: str, codes: set[str]) -> None:
    missing = codes - set(words(language, part))
    assert not missing, f"add them to console/src/words/{language}/{part}.json"


@pytest.mark.parametrize("language", ["pt", "es", "en"])
@pytest.mark.parametrize("query", SAVED_QUERIES.values(), ids=lambda query: query.name)
def test_every_saved_query_has_words_for_itself_its_parameters_and_its_columns(
    language: str, query: SavedQuery
) -> None:
    path = CONSOLE / "src" / "areas" / "measure" / "words" / f"{language}.json"
    said = json.loads(path.read_text())
    assert set(said["saved"].get(query.name, {})) == {"title", "about"}, f"add them to {path}"
    for parameter in query.parameters:
        assert set(said["parameter"].get(parameter.name, {})) == {"label", "about"}, f"add them to {path}"
    columns = sqlglot.parse_one(statement(f"saved/{query.name}"), dialect="athena").named_selects
    assert set(columns) <= set(said["column"]), f"add them to {path}"


@pytest.mark.parametrize("language", ["pt", "es", "en"])
def test_every_reason_why_a_row_is_not_imported_has_a_sentence(language: str) -> None:
    raised = {
        argument.value
        for source in Path(import_sources.__path__[0]).glob("*.py")
        for call in ast.walk(ast.parse(source.read_text()))
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Name)
        and call.func.id in ("RowError", "FileError", "ImportProblem")
        for argument in call.args[:2]
        if isinstance(argument, ast.Constant)
    }
    path = CONSOLE / "src" / "areas" / "people" / "words" / f"{language}.json"
    said = json.loads(path.read_text())["imports"]["code"]
    assert {"phone_invalid", "contact_busy", "line_too_long"} <= raised
    assert {code for code in raised if " " not in code} <= set(said), f"add them to {path}"


UNSHOWN = {"id", "organization_id", "revision", "updated_at", "timetables"}
SENDING = {"stopped_reason", "stopped_at", "resuming_at", "resumed_at", "held_since", "held_until"}
"""What no record of a change has; people do not set when and why a number is stopped."""


@pytest.mark.parametrize("language", ["pt", "es", "en"])
@pytest.mark.parametrize(
    "type_", [Organization, Number, NumberSecrets, Team, CannedReply, Timetable, Segment, Sequence, FlowSecret]
)
def test_every_field_of_a_change_has_a_name(language: str, type_: type[Any]) -> None:
    path = CONSOLE / "src" / "areas" / "settings" / "words" / f"{language}.json"
    fields = set(type_.__struct_fields__) - UNSHOWN - SENDING
    assert fields <= set(json.loads(path.read_text())["changes"]["field"]), f"add them to {path}"


def test_every_example_of_the_gallery_has_a_name_and_says_what_it_does() -> None:
    gallery = json.loads((CONSOLE.parent / "examples" / "gallery.json").read_text(encoding="utf-8"))
    assert len(gallery) == 12
    for words in gallery.values():
        assert set(words) == {"pt", "es", "en"}
        assert len({one["name"] for one in words.values()}) > 1
        assert all(set(one) == {"name", "about"} and one["about"].endswith(".") for one in words.values())


OTHER_WORDS = {
    "pt": r"\b(nós?|blocos?|línguas?|turnos? falh\w+|agentes?)\b",  # passo, idioma, resposta, atendente
    "es": r"\b(nodos?|bloques?|lenguas?|turnos? fall\w+)\b",  # paso, idioma, respuesta
}
"""Words for which the console has another one. A concept has one word."""


@pytest.mark.parametrize("language", OTHER_WORDS)
def test_a_concept_has_one_word(language: str) -> None:
    source = CONSOLE / "src"
    paths = [*source.glob(f"words/{language}/*.json"), *source.glob(f"areas/*/words/{language}.json")]
    assert len(paths) > 8
    found = {
        f"{path.relative_to(source)}: {line.strip()}"
        for path in paths
        for line in path.read_text(encoding="utf-8").splitlines()
        if re.search(OTHER_WORDS[language], line, re.IGNORECASE)
    }
    assert not found, "\n".join(sorted(found))


def test_every_package_of_the_console_has_a_hash_and_no_address() -> None:
    packages = json.loads((CONSOLE / "package-lock.json").read_text())["packages"]
    installed = {name: one for name, one in packages.items() if "node_modules/" in name and not one.get("link")}
    assert len(installed) > 100
    assert [name for name, one in installed.items() if not one.get("integrity", "").startswith("sha512-")] == []
    assert [name for name, one in installed.items() if "resolved" in one] == []
    assert [name for name, one in installed.items() if one.get("hasInstallScript")] == []


def test_the_versions_of_the_console_are_exact() -> None:
    for file in ("package.json", "codegen/package.json"):
        document = json.loads((CONSOLE / file).read_text())
        versions = {**document.get("dependencies", {}), **document.get("devDependencies", {})}
        assert [name for name, version in versions.items() if not version[0].isdigit()] == []
