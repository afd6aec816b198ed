"""Test files: conversations with a flow, written down.

    {
      "flow": "lead_qualifier",
      "now": "2026-11-22T12:00:00Z", "seed": 1, "country": "BR", "contact": {"name": "Ana"},
      "http_mocks": {"GET https://api.example.com/orders/*": {"status": 200, "json": {"state": "sent"}}},
      "conversations": [
        {
          "name": "Somebody who does not agree",
          "turns": [
            {"input": "hi", "expect": {"texts": ["Hello!"], "status": "waiting", "node_id": "consent"}},
            {"input": {"reply_id": "no"}, "after_seconds": 60, "expect": {"status": "completed", "path": ["consent: button:no"]}}
          ]
        }
      ]
    }

`flow` is the flow's id, by default the file's name up to the first dot. What stands at the top holds for every conversation
that says nothing else. An `input` is what `pytake flow run` takes in a line; `{"type": "timeout"}` moves the clock to when
the timer ends. Nothing is expected that is not written.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from cli.flow_testing.documents import TEST_SUFFIXES, UsageError, document_id, is_test_file, read_json
from cli.flow_testing.inputs import parse_time
from local.offline_conversation import ConversationSettings, sample_contact
from pytake.engine import Contact

NOW = "2026-11-22T12:00:00Z"
"""When a conversation begins that does not say so."""


LINE = 120


class Expected(Struct, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What has to follow from an input.

    `texts` is what the person reads, a message each, as `render_message` writes them; `messages` the messages in full. `path` is
    the nodes with their exits (`node: exit`, in a sub-flow `flow/node: exit`). `variables` and the `contact` are compared
    where they are written (null: there is none), the rest is free. `events` is their types, or types with data.
    """

    texts: list[str] | None = None
    messages: list[dict[str, Any]] | None = None
    status: str | None = None
    node_id: str | None = None
    path: list[str] | None = None
    variables: dict[str, Any] | None = None
    contact: dict[str, Any] | None = None
    events: list[str | dict[str, Any]] | None = None


class Exchange(Struct, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A turn: what is said, after how long, and what has to follow."""

    input: str | dict[str, Any]
    after_seconds: float = 0
    expect: Expected = msgspec.field(default_factory=Expected)


class Setting(Struct, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """In which world conversations happen."""

    now: str | None = None
    seed: int | None = None
    country: str | None = None
    contact: dict[str, Any] | None = None
    http_mocks: dict[str, Any] | None = None


class Script(Setting, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One conversation."""

    name: str
    turns: list[Exchange]


class Suite(Setting, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A test file."""

    conversations: list[Script]
    flow: str | None = None

    def world(self, script: Script) -> ConversationSettings:
        """The world of one of the conversations. Raises UsageError."""
        seed = script.seed if script.seed is not None else self.seed or 0
        fields = {**(self.contact or {}), **(script.contact or {})}
        try:
            contact = msgspec.convert({**msgspec.to_builtins(sample_contact(seed)), **fields}, Contact)
        except msgspec.ValidationError as error:
            raise UsageError(f"{script.name}: contact: {error}") from error
        return ConversationSettings(
            parse_time(script.now or self.now or NOW), seed, script.country or self.country, contact
        )

    def mocks(self, script: Script) -> dict[str, Any]:
        """What APIs answer in one of the conversations: its own answers win."""
        own = script.http_mocks or {}
        return {**own, **{key: answer for key, answer in (self.http_mocks or {}).items() if key not in own}}


def read_suite(path: Path) -> Suite:
    """A test file. Raises UsageError."""
    try:
        raw = path.read_bytes()
        read = msgspec.json.decode if path.suffix == ".json" else msgspec.yaml.decode
        suite: Suite = read(raw, type=Suite)
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from error
    except (msgspec.MsgspecError, UnicodeError) as error:
        raise UsageError(f"{path}: {error}") from error
    if suite.flow is None:
        suite.flow = path.name.split(".")[0]
    return suite


def find_suites(paths: list[Path]) -> Iterator[Path]:
    """The test files that are given, that stand beside given flows and are of them, and those in given folders."""
    for path in paths:
        if path.is_dir():
            yield from sorted(found for found in path.rglob("*") if is_test_file(found))
        elif is_test_file(path):
            yield path
        else:
            flow_id = document_id(read_json(path), path)
            beside = sorted(found for found in path.parent.iterdir() if found.name.endswith(TEST_SUFFIXES))
            yield from (found for found in beside if read_suite(found).flow == flow_id)


def write_suite(suite: Suite) -> bytes:
    """A test file's JSON, to be read by people too: what fits into a line stands in one."""
    return (_laid_out(_in_order(msgspec.to_builtins(suite)), "") + "\n").encode()


def _in_order(value: Any) -> Any:
    """What a file or conversation is of comes first, what happens in it last."""
    if isinstance(value, list):
        return [_in_order(item) for item in value]
    if not isinstance(value, dict):
        return value
    first = [name for name in ("flow", "name") if name in value]
    last = [name for name in ("conversations", "turns") if name in value]
    middle = [name for name in value if name not in first and name not in last]
    return {name: _in_order(value[name]) for name in (*first, *middle, *last)}


def _laid_out(value: Any, indent: str) -> str:
    line = json.dumps(value, ensure_ascii=False)
    if not value or not isinstance(value, dict | list) or len(indent) + len(line) <= LINE:
        return line
    deeper = indent + "  "
    if isinstance(value, list):
        return "[\n" + ",\n".join(deeper + _laid_out(item, deeper) for item in value) + f"\n{indent}]"
    entries = (f"{deeper}{json.dumps(key)}: {_laid_out(item, deeper)}" for key, item in value.items())
    return "{\n" + ",\n".join(entries) + f"\n{indent}}}"
