"""Audit records are enough to replay a conversation: on its own flow byte for byte, on a changed flow up to the change."""

import copy
from typing import Any

import msgspec
import pytest
from typer.testing import CliRunner

from cli.main import app
from pytake.conversation.flow_tests.replay import Replayer, ReplayResult, read_records
from pytake.conversation.records import ConversationKey, TurnRecord
from pytake.engine import Effect, EffectResult
from tests.conversation.product import NUMBER, Product
from tests.engine.conversations import document, node

PHONE = "5511977770000"
BUTTONS = [{"label": "Sim", "value": "sim"}, {"label": "Não", "value": "nao", "next_node_id": "why"}]
FLOW = document(
    node("start", "start", greeting="Oi {{contact.name | first_name}}!", next_node_id="phone"),
    node("phone", "question", question="Telefone?", variable="phone", validation={"type": "phone"}, next_node_id="day"),
    node(
        "day",
        "question",
        question="Dia?",
        variable="day",
        validation={"type": "date", "min": "today"},
        next_node_id="ok",
    ),
    node("ok", "question", question="Confirma {{phone}}?", variable="ok", buttons=BUTTONS, next_node_id="call"),
    node("why", "question", question="Por quê?", variable="why", validation={"type": "any"}, next_node_id="call"),
    node(
        "call",
        "api_call",
        url="https://x.io/{{phone}}",
        output_variable="r",
        next_node_id="split",
        error_next_node_id="save",
    ),
    node("split", "random", sticky=False, paths=[{"id": str(n), "next_node_id": "save"} for n in range(9)]),
    node(
        "save",
        "action",
        actions=[
            {"type": "save_contact", "field": "name", "value": "{{r.name | default('Ana Maria')}}"},
            {"type": "save_contact", "field": "seen", "value": "{{day}}"},
            {"type": "add_tag", "tag": "lead"},
        ],
        next_node_id="sub",
    ),
    node("sub", "jump", target_flow_id="photo", pass_variables=False, next_node_id="pause"),
    node("pause", "delay", seconds=3 * 86_400, next_node_id="rate"),
    node(
        "rate",
        "question",
        question="Nota?",
        variable="n",
        validation={"type": "number"},
        timeout_seconds=600,
        next_node_id="end",
    ),
    node("end", "end", message="Obrigada, {{contact.name}}! {{n}} {{photo.caption}} {{contact.seen}}"),
    id="booking",
    language="pt_BR",
    report_variables=["day"],
)
PHOTO = document(
    node("ask", "question", question="Foto?", variable="photo", validation={"type": "media"}, next_node_id="e"),
    node("e", "end"),
    id="photo",
    language="pt_BR",
)
DOCUMENTS = {"booking": FLOW, "photo": PHOTO}


class Answers:
    def __init__(self) -> None:
        self.calls = 0

    def perform(self, key: ConversationKey, effect: Effect) -> EffectResult:
        self.calls += 1
        if self.calls % 2 == 0:
            return EffectResult(ok=False, status=503, error="http_503")
        return EffectResult(ok=True, status=200, body={"name": f"Ana {self.calls}", "x": [1, None, 0.1]})


@pytest.fixture
def talk(product: Product) -> Product:
    product.publish("acme", PHOTO)
    product.add_organization("acme", NUMBER, FLOW, commands={"parar": "stop", "voltar": "restart", "gente": "human"})
    product.effects.performer = Answers()
    return product


def say(product: Product, text: str = "", **content: Any) -> None:
    product.say(text, PHONE, **content)
    product.clock.forward(7.25)


def due(product: Product, seconds: float) -> None:
    product.clock.forward(seconds)
    assert product.fire_due_timers() == 1
    product.run_queues()


def image(caption: str | None) -> dict[str, Any]:
    return {"type": "image", "image": {"id": "987", "mime_type": "image/jpeg", "caption": caption}}


def button(id_: str, title: str) -> dict[str, Any]:
    reply = {"type": "button_reply", "button_reply": {"id": id_, "title": title}}
    return {"type": "interactive", "interactive": reply}


def hold(product: Product) -> list[TurnRecord]:
    """A long conversation over several sessions that uses every field of a record."""
    say(product, "oi")
    say(product, "abc")
    say(product, "(11) 98765-4321")
    say(product, "31/12/2026")
    say(product, type="reaction", reaction={"message_id": "wamid.1", "emoji": "👍"})
    say(product, **button("old", "Antigo"))
    say(product, **button("sim", "Sim"))
    say(product, "não tenho")
    say(product, **image("minha 🏠"))
    say(product, "já?")  # during the delay
    due(product, 3 * 86_400)
    due(product, 600)
    say(product, "oi de novo")
    say(product, "voltar")
    say(product, "+351 912 345 678")
    number = product.tenants.by_id[NUMBER]
    number.country, number.commands = "PT", {"fim": "stop"}
    say(product, "01.01.27")
    say(product, **button("nao", "Não"))
    say(product, type="location", location={"latitude": -23.5, "longitude": -46.6, "name": "Casa"})
    say(product, **image(None))
    due(product, 3 * 86_400)
    say(product, "1.234,5")
    say(product, "oi")
    say(product, "912 345 678")
    product.clock.forward(24 * 3600 + 1)
    say(product, "oi")
    say(product, "fim")
    say(product, "oi")
    say(product, "912 345 678")
    number.commands = {"gente": "human"}
    say(product, "gente")
    say(product, "alguém?")
    return product.conversations.turns(product.key(PHONE))


def as_stored(records: list[TurnRecord]) -> list[TurnRecord]:
    return read_records([msgspec.json.encode(record) for record in records], "records")


def test_records_replay_byte_for_byte(talk: Product) -> None:
    records = hold(talk)
    assert {record.status for record in records} == {"waiting", "recorded", "completed", "human", "handoff"}
    found = list(Replayer(DOCUMENTS).replay(as_stored(records)))
    assert [(one.difference, one.skipped) for one in found] == [(None, None)] * len(found)
    assert sum(one.turns for one in found) == sum(record.flow_id is not None for record in records)
    assert len(found) == 5


def test_what_turns_knew_is_recorded_when_it_changes_and_not_each_time(talk: Product) -> None:
    records = [record for record in hold(talk) if record.flow_id is not None]
    began = {record.session_id: record.seq for record in reversed(records)}
    told = {record.seq for record in records if record.context is not None}
    assert set(began.values()) < told
    assert len(told) == len(began) + 2  # the number's country and words changed twice in mid-conversation


def changed(node_id: str, **data: Any) -> dict[str, Any]:
    documents = copy.deepcopy(DOCUMENTS)
    for one in documents.values():
        for found in one["nodes"]:
            if found["id"] == node_id:
                found["data"].update(data)
    return documents


@pytest.mark.parametrize(
    ("node_id", "data", "seq", "part"),
    [
        ("start", {"greeting": "Olá!"}, 1, "messages"),
        ("phone", {"validation": {"type": "text"}}, 2, "node_id"),
        ("call", {"next_node_id": "save"}, 7, "path"),
        ("save", {"actions": [{"type": "add_tag", "tag": "other"}]}, 7, "events"),
        ("pause", {"seconds": 60}, None, None),
        ("end", {"trigger_handoff": True}, 21, "status"),
        ("ok", {"next_node_id": "save"}, 7, "path"),
        ("phone", {"next_node_id": "call"}, 3, "effects"),
    ],
)
def test_the_first_difference_is_told(
    talk: Product, node_id: str, data: dict[str, Any], seq: int | None, part: str | None
) -> None:
    records = as_stored(hold(talk))
    replayed = Replayer(changed(node_id, **data)).replay(records)
    found = next((one.difference for one in replayed if one.difference), None)
    assert ((found.seq, found.part) if found is not None else (None, None)) == (seq, part)


def test_what_cannot_be_replayed_says_why(talk: Product) -> None:
    records = hold(talk)

    def first(*left: TurnRecord, **documents: Any) -> ReplayResult:
        return next(Replayer(documents or DOCUMENTS).replay(left))

    assert first(*records[1:3]).skipped == "its beginning is missing"
    assert first(records[0], records[2]).skipped == "turn 2 is missing"
    assert first(records[0], photo=PHOTO).skipped == "flow booking was not given"


def test_the_command_reads_lines_and_ends_with_one_on_a_difference(talk: Product, tmp_path: Any) -> None:
    lines = b"\n".join(msgspec.json.encode(record) for record in hold(talk)).decode()
    for flow_id, one in changed("start", greeting="Olá!").items():
        (tmp_path / f"{flow_id}.new.json").write_bytes(msgspec.json.encode(one))
    for flow_id, one in DOCUMENTS.items():
        (tmp_path / f"{flow_id}.json").write_bytes(msgspec.json.encode(one))
    (tmp_path / "records.jsonl").write_text(lines)

    def command(*arguments: str) -> Any:
        return CliRunner().invoke(app, ["replay", *arguments], input=lines)

    same = command(str(tmp_path / "records.jsonl"), "--flow", str(tmp_path / "booking.json"))
    assert (same.exit_code, "5 conversations, 27 turns: 0 differ" in same.output) == (0, True), same.output
    new = command("-", "--flow", str(tmp_path / "booking.new.json"), "--flow", str(tmp_path / "photo.json"))
    assert new.exit_code == 1
    assert '- text: "Oi Ana!' in new.output
    assert '+ text: "Olá!' in new.output
    assert command("-", "--flow", str(tmp_path / "records.jsonl")).exit_code == 2
    assert command(str(tmp_path / "booking.json"), "--flow", str(tmp_path / "booking.json")).exit_code == 2


def test_the_time_zone_of_a_turn_is_recorded(product: Product) -> None:
    ask = node("q", "question", question="{{now | date('HH:mm')}}", variable="x", next_node_id="e")
    flow = document(ask, node("e", "end"), id="clock")
    product.add_organization("acme", NUMBER, flow)
    organization = product.tenants.organization("acme")
    product.tenants.put_organization(msgspec.structs.replace(organization, timezone="America/Sao_Paulo"))
    product.say("oi", PHONE)
    product.say("oi", PHONE)
    records = product.conversations.turns(product.key(PHONE))
    assert [record.context.timezone if record.context else None for record in records] == ["America/Sao_Paulo", None]
    assert [result.difference for result in Replayer({"clock": flow}).replay(records)] == [None]
