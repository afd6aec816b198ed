"""Opting out works with the words that people write, and no setting of a number takes it away."""

import json

import pytest

from pytake.engine import Contact, Context, Flow, Input, compile_flow, take_turn
from pytake.engine.commands import OPT_OUT, match_command

MENU_ONLY = {"menu": "restart"}


def status(text: str, commands: dict[str, str] | None = None, flow: Flow | None = None) -> str:
    context = Context(1_000.0, "seed", Contact("5511999990001"), commands=commands or MENU_ONLY)  # type: ignore[arg-type]
    first = take_turn(flow or NAME, None, Input("text", "hi"), context)
    turn = take_turn(flow or NAME, first.state, Input("text", text), context)
    return "opted_out" if any(event.type == "opted_out" for event in turn.events) else turn.status


def flow(**data: object) -> Flow:
    nodes = [
        {"id": "q", "type": "question", "data": {"question": "?", "variable": "x", "next_node_id": "e", **data}},
        {"id": "e", "type": "end", "data": {"message": "{{x}}"}},
    ]
    document = {"format": 1, "id": "f", "name": "f", "language": "en", "start_node_id": "q", "nodes": nodes}
    return compile_flow({"f": json.dumps(document).encode()}, "f")


NAME = flow()
OFFERS = flow(buttons=[{"label": "Cancelar"}, {"label": "Pare"}])
CHOICES = flow(validation={"type": "choice", "choices": ["End", "Go on"]})

ALWAYS = [
    *(
        "STOP",
        "stop.",
        "Stop!",
        "*stop*",
        "stop 🙏",
        "stop all",
        "STOPALL",
        "Stop please",
        "please stop",
        "unsubscribe",
    ),
    *("PARAR", "parar por favor", "Por favor, pare!", "pare", "sair", "Descadastrar", "não quero mais"),
    *("baja", "Dar de baja, por favor", "alto", "ALTO!", "no quiero más"),
]


@pytest.mark.parametrize("text", [*ALWAYS, "cancelar", "Cancel", "quit", "end", "salir por favor"])
def test_a_word_opts_out(text: str) -> None:
    assert status(text) == "opted_out"


@pytest.mark.parametrize("text", ["stop it or not", "I cannot stop", "alto da boa vista", "cancelar pedido 7", "Ana"])
def test_a_sentence_does_not(text: str) -> None:
    assert status(text) == "completed"


@pytest.mark.parametrize("text", ALWAYS)
def test_a_number_cannot_take_a_word_away(text: str) -> None:
    taken_away = dict.fromkeys((*OPT_OUT, text), "restart")
    assert match_command(Input("text", text), taken_away) == "stop"  # type: ignore[arg-type]


def test_a_weak_word_means_what_the_number_or_the_flow_says() -> None:
    assert match_command(Input("text", "Cancelar"), {"cancelar": "human"}) == "human"
    assert status("cancelar", flow=OFFERS) == "completed"
    assert status("end", flow=CHOICES) == "completed"
    assert status("pare", flow=OFFERS) == "opted_out"
    assert status("cancelar por favor", flow=OFFERS) == "opted_out"
