"""Test files: conversations with a flow and what is expected of them.

    {
      "flow": "lead_qualifier",
      "now": "2026-11-22T12:00:00Z", "seed": 1, "country": "BR", "contact": {"name": "Ana"},
      "http_mocks": {"GET https://api.example.com/orders/*": {"status": 200, "json": {"state": "sent"}}},
      "conversations": [
        {
          "name": "Does not agree",
          "turns": [
            {"input": "hi", "expect": {"texts": ["Hello!"], "status": "waiting", "node_id": "consent"}},
            {"input": {"reply_id": "no"}, "after_seconds": 60, "expect": {"status": "completed", "path": ["consent: button:no"]}}
          ]
        }
      ]
    }

`flow` is the flow's id, by default the file's name up to the first dot. Settings at the top apply to every conversation that does
not override them. An `input` is what `pytake flow run` accepts in a line; `{"type": "timeout"}` moves the clock to the time when
the timer fires. Only what is written under `expect` is checked.
"""

from typing import Any

import msgspec
from msgspec import Struct, structs

from pytake.conversation.flow_tests.errors import FlowTestError
from pytake.conversation.flow_tests.inputs import check_timetables, parse_input, parse_time, parse_zone
from pytake.conversation.flow_tests.mocks import HttpMocks
from pytake.conversation.flow_tests.offline_conversation import ConversationSettings, sample_contact
from pytake.conversation.records import Organization
from pytake.engine import Contact
from pytake.engine.timetable import Timetable

NOW = "2026-11-22T12:00:00Z"
"""When a conversation starts by default."""


class Expected(Struct, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What is expected to follow from an input.

    `texts` is what the person reads, one text per message in the form of `render_message`; `messages` is the complete messages.
    `path` is the visited nodes with their exits (`node: exit`, in a sub-flow `flow/node: exit`). Of `variables` and `contact`,
    only the given keys are compared (null: there is no value). `events` is the types of the events, or types with data.
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
    """A turn: the input, the time that passes before it, and what is expected to follow."""

    input: str | dict[str, Any]
    after_seconds: float = 0
    expect: Expected = msgspec.field(default_factory=Expected)


class Setting(Struct, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """The settings under which conversations run."""

    now: str | None = None
    seed: int | None = None
    country: str | None = None
    timezone: str | None = None
    constants: dict[str, Any] | None = None
    timetables: dict[str, Timetable] | None = None
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

    def within(self, organization: Organization) -> "Suite":
        """The suite with the organization's time zone, constants and timetables where it has none of its own."""
        return structs.replace(
            self,
            timezone=self.timezone or organization.timezone,
            constants={**organization.constants, **(self.constants or {})} or None,
            timetables={**organization.timetables, **(self.timetables or {})} or None,
        )

    def check(self) -> None:
        """Raises FlowTestError for the first setting, mock or input that is invalid."""
        for script in self.conversations:
            try:
                check_timetables(self.settings(script).timetables)
                HttpMocks(self.mocks(script))
                for exchange in script.turns:
                    parse_input(exchange.input)
            except FlowTestError as error:
                raise FlowTestError(f"{script.name}: {error}") from error

    def settings(self, script: Script) -> ConversationSettings:
        """The settings of one conversation. Raises FlowTestError."""
        seed = script.seed if script.seed is not None else self.seed or 0
        fields = {**(self.contact or {}), **(script.contact or {})}
        try:
            contact = msgspec.convert({**msgspec.to_builtins(sample_contact(seed)), **fields}, Contact)
        except msgspec.ValidationError as error:
            raise FlowTestError(f"contact: {error}") from error
        return ConversationSettings(
            parse_time(script.now or self.now or NOW),
            seed,
            script.country or self.country,
            contact,
            parse_zone(script.timezone or self.timezone or "UTC"),
            {**(self.constants or {}), **(script.constants or {})},
            {**(self.timetables or {}), **(script.timetables or {})},
        )

    def mocks(self, script: Script) -> dict[str, Any]:
        """The mocks of one conversation. Its own mocks take precedence."""
        own = script.http_mocks or {}
        return {**own, **{key: answer for key, answer in (self.http_mocks or {}).items() if key not in own}}
