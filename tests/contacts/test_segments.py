"""Segments have the same people as a count of all contacts, one by one."""

import random
from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from pytake.contacts.consent import Consent
from pytake.contacts.members import SegmentMembers
from pytake.contacts.records import ContactRecord, new_contact
from pytake.contacts.segment_ports import SegmentUnknownError
from pytake.contacts.segments import Condition, Outcome, Segment, SegmentError, SegmentQuery, checked
from pytake.conversation.records import Conversation, ConversationKey
from tests.fakes import FrozenClock, MemoryContacts, MemoryConversations, MemorySegments

DAY = 86_400
NOW = 1_770_000_000.0
SECOND_NUMBER = "2"


class Lake:
    """What the lake and the keys of pseudonyms know: the pseudonym of `551…` is `p-551…`, for those in `known`."""

    def __init__(self) -> None:
        self.known: set[str] = set()
        self.outcomes: dict[Outcome, set[str]] = {}
        self.named: set[str] = set()
        self.asked: list[SegmentQuery] = []

    def with_outcome(self, organization_id: str, outcome: Outcome) -> set[str]:
        return {f"p-{one}" for one in self.outcomes.get(outcome, set())}

    def named_by(self, organization_id: str, query: SegmentQuery) -> set[str]:
        self.asked.append(query)
        return {f"p-{one}" for one in self.named}

    def check(self, query: SegmentQuery) -> None: ...

    def known_pseudonyms(self, organization_id: str, contact_ids: Any) -> dict[str, str]:
        return {one: f"p-{one}" for one in contact_ids if one in self.known}


class World:
    def __init__(self) -> None:
        self.contacts, self.segments, self.lake = MemoryContacts(), MemorySegments(), Lake()
        self.conversations = MemoryConversations(self.contacts)
        self.members = SegmentMembers(
            self.segments, self.contacts, self.conversations, self.lake, self.lake, FrozenClock(NOW)
        )

    def add(self, contact_id: str, **fields: Any) -> ContactRecord:
        return self.contacts.save("acme", replace(new_contact(contact_id, NOW - 400 * DAY), **fields))

    def ids(self, segment: Segment) -> list[str]:
        self.segments.stored["acme", segment.id] = checked(segment)
        return [member.contact.contact_id for member in self.members("acme", segment.id)]


@pytest.fixture
def world() -> World:
    return World()


def of(*all_: Condition, any_: list[Condition] | None = None, query: SegmentQuery | None = None) -> Segment:
    return Segment(id="s", name="S", all=list(all_), any=any_ or [], query=query)


OUTCOME = Outcome("completed", "signup", 30)

Rule = tuple[Condition, Callable[[World, ContactRecord], bool]]


def last_written(world: World, contact: ContactRecord) -> float:
    found = [
        one.last_inbound_at for key, one in world.conversations.stored.items() if key.contact_id == contact.contact_id
    ]
    return max([contact.last_inbound_at, *found])


RULES: list[Rule] = [
    (Condition("tags", "contains", "VIP"), lambda _, c: "vip" in c.tags),
    (Condition("tags", "not_contains", "vip"), lambda _, c: "vip" not in c.tags),
    (Condition("tags", "in", ["vip", "new"]), lambda _, c: bool({"vip", "new"} & set(c.tags))),
    (Condition("tags", "is_empty"), lambda _, c: not c.tags),
    (Condition("name", "starts_with", "an"), lambda _, c: c.name.startswith("An")),
    (Condition("fields.city", "==", "recife"), lambda _, c: c.fields.get("city") == "Recife"),
    (Condition("fields.city", "!=", "Recife"), lambda _, c: c.fields.get("city") != "Recife"),
    (Condition("fields.age", ">=", 18), lambda _, c: "age" in c.fields and int(c.fields["age"]) >= 18),
    (Condition("fields.city", "matches", "^(Recife|Olinda)$"), lambda _, c: c.fields.get("city") == "Recife"),
    (Condition("language", "in", ["pt_BR", "es"]), lambda _, c: c.language in ("pt_BR", "es")),
    (Condition("country", "==", "BR"), lambda _, c: c.contact_id.startswith(("55", "BR"))),
    (Condition("consent.marketing", "==", "granted"), lambda _, c: c.consent_to("marketing").state == "granted"),
    (Condition("consent.service", "!=", "withdrawn"), lambda _, c: not c.opted_out),
    (
        Condition("last_activity", ">=", {"days_ago": 30}),
        lambda w, c: last_written(w, c) >= NOW - 30 * DAY,
    ),
    (Condition("last_activity", "is_empty"), lambda w, c: not last_written(w, c)),
    (Condition("numbers", "contains", SECOND_NUMBER), lambda _, c: SECOND_NUMBER in c.numbers),
    (
        Condition("flow.completed", "==", "signup", 30),
        lambda w, c: c.contact_id in w.lake.known and c.contact_id in w.lake.outcomes[OUTCOME],
    ),
    (
        Condition("flow.completed", "!=", "signup", 30),
        lambda w, c: not (c.contact_id in w.lake.known and c.contact_id in w.lake.outcomes[OUTCOME]),
    ),
]


def populate(world: World, chance: random.Random) -> None:
    for index in range(230):
        contact_id = chance.choice(["55119{:08d}", "1415{:07d}", "BR.{:09d}", "351912{:06d}"]).format(index)
        consent = {}
        for purpose in ("marketing", "service"):
            if state := chance.choice(["granted", "withdrawn", None]):
                consent[purpose] = Consent(state, "test", NOW - 1)
        fields: dict[str, Any] = {}
        if city := chance.choice(["Recife", "Olinda 2", None]):
            fields["city"] = city
        if age := chance.choice([17, "18", 40, None]):
            fields["age"] = age
        contact = world.add(
            contact_id,
            name=chance.choice(["Ana", "Bia", ""]),
            language=chance.choice(["pt_BR", "es", "en", ""]),
            tags=chance.sample(["vip", "new", "old"], chance.randint(0, 2)),
            fields=fields,
            consent=consent,
            numbers=chance.sample(["1", SECOND_NUMBER], chance.randint(0, 2)),
            created_at=NOW - chance.choice([1, 1, 5, 9000]),
        )
        for number in contact.numbers:
            key = ConversationKey("acme", number, contact_id)
            wrote = NOW - chance.choice([1, 29, 31, 300]) * DAY
            world.conversations.stored[key] = Conversation(key=key, contact=contact.for_flows(), last_inbound_at=wrote)
        if chance.random() < 0.7:
            world.lake.known.add(contact_id)
        world.lake.outcomes.setdefault(OUTCOME, set()).update({contact_id} if chance.random() < 0.5 else ())
        world.lake.named.update({contact_id} if chance.random() < 0.5 else ())


@pytest.mark.parametrize("seed", range(4))
def test_a_segment_has_the_people_of_a_count_one_by_one(world: World, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311
    populate(world, chance)
    everyone = list(world.contacts.stored.values())
    for _ in range(8):
        every = chance.sample(RULES, chance.randint(0, 3))
        some = chance.sample(RULES, chance.choice([0, 0, 2, 3]))
        query = SegmentQuery("reached_node", {}) if chance.random() < 0.3 else None
        segment = of(*(rule[0] for rule in every), any_=[rule[0] for rule in some], query=query)
        expected = {
            one.contact_id
            for one in everyone
            if all(holds(world, one) for _, holds in every)
            and (not some or any(holds(world, one) for _, holds in some))
            and (query is None or (one.contact_id in world.lake.known and one.contact_id in world.lake.named))
        }
        found = world.ids(segment)
        assert len(found) == len(set(found))
        assert set(found) == expected, segment


def test_the_rules_are_all_used_by_someone(world: World) -> None:
    populate(world, random.Random(0))  # noqa: S311
    everyone = list(world.contacts.stored.values())
    for condition, holds in RULES:
        count = sum(holds(world, one) for one in everyone)
        assert 0 < count < len(everyone), condition


def test_members_continue_after_any_place(world: World) -> None:
    populate(world, random.Random(1))  # noqa: S311
    segment = of(Condition("tags", "contains", "vip"))
    whole = world.ids(segment)
    for stop in (1, len(whole) // 2, len(whole) - 1):
        first = [member for member, _ in zip(world.members("acme", "s"), range(stop), strict=False)]
        rest = [member.contact.contact_id for member in world.members("acme", "s", first[-1].place)]
        assert [member.contact.contact_id for member in first] + rest == whole


def test_a_caller_can_stop_where_no_member_is(world: World) -> None:
    populate(world, random.Random(2))  # noqa: S311
    nobody = of(Condition("tags", "contains", "absent"))
    chunks = list(world.members.chunks("acme", nobody))
    assert [chunk.seen for chunk in chunks] == [100, 100, 30]
    assert not any(chunk.members for chunk in chunks)
    assert [chunk.seen for chunk in world.members.chunks("acme", nobody, chunks[0].end)] == [100, 30]


def test_members_of_a_segment_that_does_not_exist(world: World) -> None:
    with pytest.raises(SegmentUnknownError):
        world.members("acme", "absent")


def test_activity_and_the_lake_are_read_only_where_a_condition_asks(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.add("5511999990001", numbers=["1"])
    monkeypatch.setattr(world.conversations, "load_all", None)
    monkeypatch.setattr(world.lake, "known_pseudonyms", None)
    assert world.ids(of(Condition("tags", "is_empty"))) == ["5511999990001"]


@pytest.mark.parametrize(
    ("condition", "path"),
    [
        (Condition("cpf", "==", 1), "field"),
        (Condition("fields.", "==", 1), "field"),
        (Condition("fields.a b", "==", 1), "field"),
        (Condition("consent.sms", "==", "granted"), "field"),
        (Condition("flow.deleted", "==", "x"), "field"),
        (Condition("tags", "like", "x"), "operator"),
        (Condition("flow.completed", "contains", "x"), "operator"),
        (Condition("flow.completed", "==", 7), "value"),
        (Condition("flow.completed", "==", "x", 366), "days"),
        (Condition("tags", "==", "x", 3), "days"),
        (Condition("name", "matches", "("), "value"),
        (Condition("name", "matches", ["a"]), "value"),
        (Condition("name", "==", None), "value"),
        (Condition("name", "==", {"days_ago": 3}), "value"),
        (Condition("last_activity", ">", {"days_ago": -1}), "value"),
        (Condition("last_activity", ">", {"days_ago": True}), "value"),
        (Condition("name", "==", {"a": 1}), "value"),
        (Condition("name", "in", [["a"]]), "value"),
        (Condition("name", "==", "x" * 501), "value"),
        (Condition("name", "in", ["x"] * 501), "value"),
    ],
)
def test_a_segment_that_is_not_valid_says_where(condition: Condition, path: str) -> None:
    good = Condition("name", "==", "x")
    with pytest.raises(SegmentError) as refused:
        checked(of(good, any_=[good, condition]))
    assert refused.value.path == f"any.1.{path}"


def test_a_segment_has_a_bounded_number_of_conditions() -> None:
    one = Condition("name", "==", "x")
    checked(of(*[one] * 25, any_=[one] * 25))
    with pytest.raises(SegmentError):
        checked(of(*[one] * 25, any_=[one] * 26))
