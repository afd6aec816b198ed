"""Imports worked off on fakes: counts, rules of rows, consent, erasures, and workers that die at any call."""

import random
from typing import Any

import pytest
from msgspec.structs import replace

from pytake.contacts import run_imports
from pytake.contacts.consent import ERASED_SOURCE, Consent
from pytake.contacts.csv_rows import FileError
from pytake.contacts.imports import Import, columns_of, erased_mark
from pytake.contacts.records import ContactRecord, new_contact
from pytake.contacts.run_imports import RunImports
from pytake.conversation.records import Conversation, ConversationKey
from tests.fakes import FrozenClock, MemoryContactBatches, MemoryConversations, MemoryImportFiles, MemoryImports

ACME = "acme"
ANA, BIA = "5511999990001", "5511999990002"


class Killed(BaseException):
    """The worker dies."""


class World:
    def __init__(self) -> None:
        self.clock = FrozenClock()
        self.conversations = MemoryConversations()
        self.contacts = self.conversations.contacts
        self.imports, self.files = MemoryImports(), MemoryImportFiles()
        self.batches = MemoryContactBatches(self.contacts)
        self.owners = 0
        self.run = RunImports(self.imports, self.files, self.batches, self.conversations, self.clock, self.owner)

    def owner(self) -> str:
        self.owners += 1
        return f"owner-{self.owners}"

    def begin(self, text: str | bytes, country: str | None = "BR", id_: str = "i1") -> None:
        self.files.put(ACME, id_, text.encode() if isinstance(text, str) else text)
        self.imports.put(Import(id=id_, organization_id=ACME, created_at=self.clock.now, country=country))

    def done(self, id_: str = "i1") -> Import:
        found = self.imports.get(ACME, id_)
        assert found is not None
        return found

    def imported(self, text: str | bytes, country: str | None = "BR", id_: str = "i1") -> Import:
        self.begin(text, country, id_)
        self.run(lambda: False)
        return self.done(id_)

    def contact(self, contact_id: str = ANA) -> ContactRecord:
        return self.contacts.load(ACME, contact_id)

    def store(self, contact_id: str = ANA, **fields: Any) -> ContactRecord:
        return self.contacts.save(ACME, replace(new_contact(contact_id, 1.0), **fields))


@pytest.fixture
def world() -> World:
    return World()


def counts(about: Import) -> tuple[str, int, int, int, int]:
    return about.status, about.rows, about.created, about.updated, about.error_count


def problems(about: Import) -> list[tuple[int, str]]:
    return [(one.row, one.code) for one in about.errors]


def test_rows_become_contacts(world: World) -> None:
    done = world.imported(
        "\ufeffphone;name;language;tags;consent_marketing;consent_source;city\r\n"
        '(11) 99999-0001;Ana;pt-br;"vip; new ;vip";granted;form 2026;"São\nPaulo"\r\n'
        "+351 912 345 678;;;;;;\r\n"
    )
    assert counts(done) == ("completed", 2, 2, 0, 0)
    ana = world.contact()
    assert (ana.phone, ana.name, ana.language, ana.tags) == ("+5511999990001", "Ana", "pt_BR", ["vip", "new"])
    assert ana.fields == {"city": "São\nPaulo", "name": "Ana"}
    assert ana.consent == {"marketing": Consent("granted", "form 2026", world.clock.now)}
    assert [change.source for change in world.contacts.consent_history(ACME, ANA, 9)] == ["form 2026"]
    assert world.contact("351912345678").created_at == world.clock.now
    assert world.files.stored == {}


def test_an_update_keeps_what_the_row_leaves_empty(world: World) -> None:
    world.store(name="Ana", language="en", tags=["old"], fields={"city": "Recife", "age": 7})
    done = world.imported(f"phone,name,language,tags,city,plan\n{ANA},,,new,,gold\n")
    assert counts(done) == ("completed", 1, 0, 1, 0)
    ana = world.contact()
    assert (ana.name, ana.language, ana.tags) == ("Ana", "en", ["old", "new"])
    assert ana.fields == {"city": "Recife", "age": 7, "plan": "gold"}
    assert not ana.imported


def test_a_repeated_import_changes_nothing(world: World) -> None:
    text = f"phone,tags,consent_utility\n{ANA},vip,granted\n{BIA},,\n"
    world.imported(text)
    before = dict(world.contacts.stored)
    done = world.imported(text, id_="i2")
    assert counts(done) == ("completed", 2, 0, 2, 0)
    ana = world.contact()
    assert {place: one for place, one in world.contacts.stored.items() if place[1] == BIA} == {
        place: one for place, one in before.items() if place[1] == BIA
    }
    assert (ana.tags, ana.consent_to("utility").state) == (["vip"], "granted")


def test_both_spellings_of_a_number_are_one_contact(world: World) -> None:
    world.store("551199990001")
    done = world.imported(f"phone\n{ANA}\n")
    assert counts(done) == ("completed", 1, 0, 1, 0)
    assert len(world.contacts.stored) == 1


def test_rows_of_one_person_are_applied_in_their_order(world: World) -> None:
    done = world.imported(f"phone,name\n{ANA},Ana\n+{ANA},Ana Souza\n")
    assert counts(done) == ("completed", 2, 1, 1, 0)
    assert world.contact().name == "Ana Souza"


def test_a_phone_number_and_a_user_id_of_one_row_are_one_person(world: World) -> None:
    done = world.imported(f"phone,user_id\n{ANA},BR.77a\n,BR.88b\n")
    assert counts(done) == ("completed", 2, 2, 0, 0)
    assert world.contact().user_id == "BR.77a"
    assert world.contact("BR.88b").phone is None
    done = world.imported("user_id,name\nBR.77a,Ana\n", id_="i2")
    assert counts(done) == ("completed", 1, 0, 1, 0)
    assert world.contact().name == "Ana"
    done = world.imported(f"phone,user_id\n{BIA},BR.88b\n", id_="i4")
    assert (counts(done), world.contact("BR.88b").phone) == (("completed", 1, 0, 1, 0), f"+{BIA}")
    done = world.imported(f"phone,user_id\n{ANA},BR.88b\n{ANA},BR.99c\n{BIA},BR.77a\n", id_="i3")
    assert problems(done) == [(2, "identities_differ"), (3, "identities_differ"), (4, "identities_differ")]


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ("123,,,,,,", "phone_invalid"),
        ("ana,,,,,,", "phone_invalid"),
        (",ana,,,,,", "user_id_invalid"),
        (",,Ana,,,,", "phone_missing"),
        (f"{ANA},,,brazil,,,", "language_invalid"),
        (f"{ANA},,{'x' * 201},,,,", "name_invalid"),
        (f"{ANA},,,,{'x' * 101},,", "tags_invalid"),
        (f"{ANA},,,,,yes,", "consent_invalid"),
        (f"{ANA},,,,,granted,soon", "consent_invalid"),
        (f"{ANA},,,,,granted,2999-01-01", "consent_invalid"),
        (f"{ANA},,,,,,,extra", "row_invalid"),
    ],
)
def test_a_row_that_is_not_valid_says_why_and_changes_nothing(world: World, row: str, code: str) -> None:
    done = world.imported(f"phone,user_id,name,language,tags,consent_marketing,consent_at\n{row}\n{BIA},,,,,,\n")
    assert counts(done) == ("completed", 2, 1, 0, 1)
    assert problems(done) == [(2, code)]
    assert [place[1] for place in world.contacts.stored] == [BIA]
    assert "999" not in done.errors[0].message


def test_national_numbers_need_a_country(world: World) -> None:
    done = world.imported("phone\n11 99999-0001\n5511999990002\n", country=None)
    assert problems(done) == [(2, "phone_invalid")]
    assert world.contact(BIA).revision == 1


def test_errors_are_counted_and_the_first_hundred_are_kept(world: World) -> None:
    done = world.imported("phone\n" + "x\n" * 1234 + f"{ANA}\n")
    assert counts(done) == ("completed", 1235, 1, 0, 1234)
    assert [one.row for one in done.errors] == list(range(2, 102))


def test_a_spreadsheets_formula_stays_text(world: World) -> None:
    world.imported(f'phone,note\n{ANA},"=HYPERLINK(""http://x"")"\n')
    assert world.contact().fields["note"] == '=HYPERLINK("http://x")'


@pytest.mark.parametrize(
    ("consent_at", "state", "kept"),
    [("", "withdrawn", 1), ("2026-02-01", "withdrawn", 1), ("2026-02-02T02:40:01Z", "granted", 0)],
)
def test_an_import_lifts_a_withdrawal_only_with_a_later_time(
    world: World, consent_at: str, state: str, kept: int
) -> None:
    withdrawn = Consent("withdrawn", "stop", 1_770_000_000.0)  # 2026-02-02T02:40:00Z
    world.store(consent={"marketing": withdrawn})
    world.clock.forward(86_400)
    done = world.imported(f"phone,consent_marketing,consent_at,plan\n{ANA},granted,{consent_at},gold\n")
    assert (done.status, done.updated, done.consent_kept) == ("completed", 1, kept)
    assert world.contact().consent_to("marketing").state == state
    assert world.contact().fields == {"plan": "gold"}


@pytest.mark.parametrize(("consent_at", "state"), [("2026-02-01", "granted"), ("2026-02-03", "withdrawn")])
def test_consent_has_the_time_of_its_row(world: World, consent_at: str, state: str) -> None:
    world.store(consent={"marketing": Consent("granted", "form", 1_770_000_000.0)})  # 2026-02-02T02:40:00Z
    world.clock.forward(7 * 86_400)
    text = f"phone,consent_marketing,consent_at\n{ANA},withdrawn,{consent_at}\n{BIA},granted,2026-02-01T00:00:00Z\n"
    world.imported(text)
    assert world.contact().consent_to("marketing").state == state
    assert world.contact(BIA).consent_to("marketing").at == 1_769_904_000.0


def test_a_late_import_never_undoes_a_newer_withdrawal(world: World) -> None:
    world.begin(f"phone,consent_marketing\n{ANA},granted\n")
    world.clock.forward(60)
    world.store(consent={"marketing": Consent("withdrawn", "stop", world.clock.now)})
    world.clock.forward(60)
    world.run(lambda: False)
    assert world.contact().consent_to("marketing").state == "withdrawn"


def test_an_erased_persons_withdrawal_holds(world: World) -> None:
    world.contacts.withdrawn[ACME, ANA] = {"marketing": Consent("withdrawn", ERASED_SOURCE, 5.0)}
    done = world.imported(f"phone,consent_marketing,consent_at\n{ANA},granted,2026-02-01\n")
    assert (done.created, done.consent_kept) == (1, 1)
    assert world.contact().consent_to("marketing") == Consent("withdrawn", ERASED_SOURCE, 5.0)


def test_a_person_who_is_erased_meanwhile_is_left_out(world: World) -> None:
    world.begin(f"phone\n{ANA}\n{BIA}\n")
    world.imports.forget(ACME, [ANA])
    world.run(lambda: False)
    done = world.done()
    assert (problems(done), done.created, done.erased) == ([(2, "person_erased")], 1, [])
    assert world.contact().revision == 0


def test_an_erasure_between_reading_and_storing_a_part_is_noticed(world: World) -> None:
    world.begin(f"phone\n{ANA}\n")
    put = world.imports.put

    def erased_at_last(about: Import) -> Import:
        if about.rows and not world.done().erased:
            world.contacts.stored.pop((ACME, ANA))
            world.imports.forget(ACME, [ANA])
        return put(about)

    world.imports.put = erased_at_last  # type: ignore[method-assign]
    world.run(lambda: False)
    assert (problems(world.done()), world.contact().revision) == ([(2, "person_erased")], 0)


def test_copies_of_conversations_follow(world: World) -> None:
    stored = world.store(numbers=["1"])
    key = ConversationKey(ACME, "1", ANA)
    world.conversations.stored[key] = Conversation(key=key, contact=stored.for_flows(), contact_revision=1)
    world.imported(f"phone,plan\n{ANA},gold\n")
    copy = world.conversations.stored[key]
    assert (copy.contact.fields, copy.contact_revision) == ({"plan": "gold"}, 2)


def test_copies_are_looked_for_by_requests_in_flight_together(world: World) -> None:
    people = [f"551199999{index:04d}" for index in range(250)]
    for one in people:
        stored = world.store(one, numbers=["1"])
        key = ConversationKey(ACME, "1", one)
        world.conversations.stored[key] = Conversation(key=key, contact=stored.for_flows(), contact_revision=1)
    spread: list[int] = []

    def together(work: Any, items: Any) -> None:
        spread.append(len(items))
        for item in items:
            work(item)

    world.begin("phone,plan\n" + "".join(f"{one},gold\n" for one in people))
    RunImports(world.imports, world.files, world.batches, world.conversations, world.clock, world.owner, together)(
        lambda: False
    )
    assert spread == [3, 250]
    assert {one.contact_revision for one in world.conversations.stored.values()} == {2}


def test_a_part_continues_when_time_is_up(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_imports, "ROWS_PER_PART", 2)
    world.begin("phone\n" + "".join(f"551199999{index:04d}\n" for index in range(7)))
    seen = []
    while world.done().status == "running":
        calls = iter([False])  # time is up after the first part
        world.run(lambda calls=calls: next(calls, True))
        seen.append(world.done().rows)
    assert seen == [2, 4, 6, 7, 7]
    assert counts(world.done()) == ("completed", 7, 7, 0, 0)


def test_another_worker_leaves_a_leased_import_alone(world: World) -> None:
    world.begin(f"phone\n{ANA}\n")
    world.imports.put(replace(world.done(), owner="other", leased_until=world.clock.now + 60))
    world.run(lambda: False)
    assert world.done().rows == 0
    world.clock.forward(61)
    world.run(lambda: False)
    assert world.done().status == "completed"


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"name\nAna\n", "header_invalid"),
        (b"phone,phone\n", "header_invalid"),
        (b"phone,first name\n", "header_invalid"),
        (b"phone,id\n", "header_invalid"),
        (b"phone" + b",a" * 201, "header_invalid"),
        (b"\xff\xfep\x00h\x00", "file_not_utf8"),
        (b"phone\n" + b"x" * 600_000, "line_too_long"),
        (b"", "header_invalid"),
    ],
)
def test_a_file_that_is_not_valid_fails_as_a_whole(world: World, content: bytes, code: str) -> None:
    done = world.imported(content)
    assert (done.status, done.errors[-1].code, world.files.stored) == ("failed", code, {})


def test_the_rows_before_a_line_that_is_too_long_are_imported(world: World) -> None:
    done = world.imported(f"phone,note\n{ANA},a\n".encode() + b"x" * 1_000_000 + f"\n{BIA},b\n".encode())
    assert (done.status, done.created, problems(done)) == ("failed", 1, [(3, "line_too_long")])
    assert world.contact(ANA).fields == {"note": "a"}


def test_a_file_as_a_spreadsheet_in_brazil_writes_it(world: World) -> None:
    content = (
        f'\ufeffsep=;\r\nphone;name;tags;appointment;\r\n{ANA};"Ana ""Nina""\r\nLima";"vip;sul";25/12/2026;\r\n;;;;\r\n'
    )
    done = world.imported(content.encode())
    assert counts(done) == ("completed", 1, 1, 0, 0)
    contact = world.contact(ANA)
    assert (contact.name, contact.tags) == ('Ana "Nina"\r\nLima', ["vip", "sul"])
    assert contact.fields["appointment"] == "25/12/2026"


def test_a_file_that_was_never_uploaded_fails(world: World) -> None:
    world.imports.put(Import(id="i1", organization_id=ACME, created_at=1.0))
    world.run(lambda: False)
    assert (world.done().status, problems(world.done())) == ("failed", [(1, "file_missing")])


def test_columns_without_a_name_are_left_out() -> None:
    assert columns_of(["Phone ", "", "cidade", ""]) == ["phone", "", "cidade", ""]
    with pytest.raises(FileError):
        columns_of(["phone", "ID"])


class Faults:
    """Lets every call of a port die, before or after it took effect."""

    def __init__(self, port: Any, chance: random.Random) -> None:
        self._port, self._chance = port, chance

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._port, name)

        def faulty(*arguments: Any) -> Any:
            fate = self._chance.random()
            if fate < 0.08:
                raise Killed
            found = call(*arguments)
            if fate > 0.92:
                raise Killed
            return found

        return faulty


@pytest.mark.parametrize("seed", range(25))
def test_counts_are_exact_wherever_workers_die(monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    monkeypatch.setattr(run_imports, "ROWS_PER_PART", 3)
    chance, world = random.Random(seed), World()  # noqa: S311
    people = [f"551199999{index:04d}" for index in range(12)]
    for known in people[:3]:
        world.store(known)
    rows = [chance.choice([*people, "bad"]) for _ in range(25)]
    world.begin("phone,n\n" + "".join(f"{one},{number}\n" for number, one in enumerate(rows)))
    ports = [Faults(port, chance) for port in (world.imports, world.files, world.batches, world.conversations)]
    faulty = RunImports(*ports, world.clock, world.owner)  # type: ignore[arg-type]
    for _ in range(3000):
        try:
            faulty(lambda: chance.random() < 0.2)
        except Killed:
            world.clock.forward(61)
        if world.done().status == "completed":
            break
    done = world.done()
    good = [one for one in rows if one != "bad"]
    created = set(good) - set(people[:3])
    assert counts(done) == ("completed", 25, len(created), len(good) - len(created), rows.count("bad"))
    for one in set(good):
        assert world.contact(one).fields["n"] == str(max(n for n, row in enumerate(rows) if row == one))
    world.run(lambda: False)
    assert world.files.stored == {}


def test_the_mark_of_an_erased_person_names_no_person() -> None:
    assert ANA not in erased_mark(ACME, ANA)
    assert erased_mark(ACME, ANA) != erased_mark("globex", ANA)
