"""Random conversations, and the shortest of them that breaks a rule."""

import copy
from functools import cache
from typing import Any

from hypothesis import HealthCheck, Phase, Verbosity, given, settings
from hypothesis import seed as with_seed
from hypothesis import strategies as st
from msgspec import Struct

from cli.flow_testing.documents import Documents
from cli.flow_testing.examples import Examples, UserInput
from cli.flow_testing.invariants import broken_rule
from pytake.conversation.flow_tests.inputs import parse_input, parse_time, time_text
from pytake.conversation.flow_tests.mocks import mock_keys, mock_of
from pytake.conversation.flow_tests.offline_conversation import ConversationSettings, OfflineConversation
from pytake.conversation.flow_tests.suite import NOW, Exchange, Expected, Script, Suite
from pytake.engine import Effect, EffectResult, Flow

TURNS = 30
"""The maximum number of turns of a conversation."""

_SPECIAL_TEXTS = [
    "{{secrets.token}}",
    "{{contact.phone}}",
    "\x00",
    "(a+)+$",
    "a" * 4096,
    "👩🏽‍🚀🏳️‍🌈🇧🇷" * 400,
    "مرحبا بالعالم",
    "é́́́́" * 800,
    "nan",
    "1e999",
    "-0",
    "٣",
    "\n\n",
    "restart",
    "1",
    "2",
]
_UNUSUAL_INPUTS: list[dict[str, Any]] = [
    {"media": {"id": "media-2", "type": "document", "filename": "a" * 300, "caption": "{{x}}"}},
    {"media": {"id": "media-3", "type": "audio"}},
    {"location": {"latitude": 0, "longitude": -180}},
    {"response": {"flow_token": "other", "x": [1, {"y": None}]}},
    {"type": "contacts", "text": "Ana", "payload": [{"name": {"formatted_name": "Ana"}}]},
    {"type": "order", "payload": {"product_items": []}},
    {"type": "order", "payload": {"product_items": [{"quantity": "2", "item_price": 1e300}, "x", {"currency": None}]}},
    {"reaction": "👍"},
    {"reaction": ""},
    {"type": "unsupported"},
    {"type": "timeout"},
    {"type": "resume"},
    {"type": "handed_back"},
]
_JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.sampled_from(["", "text", "{{x}}", "x" * 2000]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["id", "name", "items"]), inner),
    max_leaves=4,
)


class Counterexample(Struct, frozen=True):
    """The rule that was broken, and the conversation that breaks it as a test file."""

    reason: str
    suite: Suite


class _BrokenRuleError(Exception):
    """One subclass per rule, so that shrinking keeps the rule that was broken first."""


@cache
def _error_of(rule: str) -> type[_BrokenRuleError]:
    return type(rule, (_BrokenRuleError,), {})


class _RandomConversation:
    """A random conversation in progress."""

    def __init__(self, flow: Flow, examples: Examples, data: st.DataObject) -> None:
        self.exchanges: list[Exchange] = []
        self.mocks: dict[str, list[Any]] = {}
        self.reason = ""
        self.seed = data.draw(st.integers(0, 50))
        self.now = data.draw(st.sampled_from(examples.moments(parse_time(NOW))))
        settings_ = ConversationSettings(self.now, self.seed, timetables=examples.timetables)
        self._conversation = OfflineConversation(flow, settings_)
        self._examples = examples
        self._data = data

    def run(self) -> None:
        """Run the conversation. Raises _BrokenRuleError."""
        for _ in range(self._data.draw(st.integers(1, TURNS))):
            if self._conversation.handed_off and self._conversation.state is None:
                return
            seconds = self._data.draw(st.sampled_from([0, 0, 0, 61, 8 * 3600, 100_000]))
            self._conversation.now += seconds
            user_input: UserInput = self._data.draw(
                st.sampled_from(self._examples.inputs(self._conversation))
                | st.sampled_from(self._examples.inputs(self._conversation))
                | st.sampled_from(_SPECIAL_TEXTS)
                | st.text(max_size=60)
                | st.sampled_from(_UNUSUAL_INPUTS)
            )
            self._turn(user_input, seconds)

    def _turn(self, user_input: UserInput, seconds: float) -> None:
        results: list[EffectResult] = []

        def answer(effect: Effect) -> EffectResult:
            other = st.builds(EffectResult, ok=st.just(True), status=st.just(200), body=_JSON)
            result = self._data.draw(st.sampled_from(self._examples.results(effect)) | other)
            self.mocks.setdefault(mock_keys(effect)[0], []).append(mock_of(result))
            results.append(result)
            return result

        again = copy.copy(self._conversation)
        try:
            turn = self._conversation.turn(parse_input(user_input), answer)
            left = iter(results)
            repeated = again.turn(parse_input(user_input), lambda _: next(left))
        except (ArithmeticError, LookupError, RuntimeError, TypeError, ValueError, AttributeError) as error:
            rule: str | None = f"raised {type(error).__name__}"
            self._note(user_input, seconds, Expected())
            self.reason = f"{rule}: {error}"
        else:
            self._note(user_input, seconds, Expected(status=turn.status, node_id=turn.node_id))
            rule, self.reason = broken_rule(turn, repeated) or (None, "")
        if rule is not None:
            raise _error_of(rule)(self.reason)

    def _note(self, user_input: UserInput, seconds: float, expected: Expected) -> None:
        self.exchanges.append(Exchange(input=user_input, after_seconds=seconds, expect=expected))


def find_counterexample(flow: Flow, documents: Documents, conversations: int, seed: int) -> Counterexample | None:
    """Run this many conversations. Gives the simplest one that breaks a rule; None if none does."""
    examples = Examples(documents, flow.id)
    failing: list[_RandomConversation] = []

    @settings(
        max_examples=conversations,
        database=None,
        deadline=None,
        report_multiple_bugs=False,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
        verbosity=Verbosity.quiet,
    )
    @with_seed(seed)
    @given(st.data())
    def run_one(data: st.DataObject) -> None:
        conversation = _RandomConversation(flow, examples, data)
        try:
            conversation.run()
        except _BrokenRuleError:
            failing[:] = [conversation]  # the last one that Hypothesis tries is the shortest
            raise

    try:
        run_one()
    except _BrokenRuleError:
        conversation = failing[0]
    else:
        return None
    script = Script(
        name=conversation.reason,
        turns=conversation.exchanges,
        now=time_text(conversation.now),
        timetables=examples.timetables or None,
        http_mocks={name: found[0] if len(found) == 1 else found for name, found in conversation.mocks.items()} or None,
    )
    return Counterexample(
        conversation.reason, Suite(flow=flow.id, now=NOW, seed=conversation.seed, conversations=[script])
    )
