"""Flows with several languages: which table of texts a contact gets, and what never differs between the tables."""

import json
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from pytake.engine import Contact, EffectResult, Input, compile_flow, validate
from pytake.engine.registry import node_types
from pytake.engine.texts import best_match, language_code
from tests.engine.conversations import CONTACT, Talk, document, flow_of, node, texts
from tests.engine.prover_flows import END, say

ASK = node("q", "question", question="How much?", variable="v", validation={"type": "number"}, next_node_id="e")
TEXTS = {"pt_BR": {"q.question": "Quanto?", "e.message": "Tchau"}}


def speaking(language: str, *nodes: dict[str, Any], **fields: Any) -> Talk:
    flow = flow_of(document(*nodes, **{"languages": ["pt_BR"], "texts": TEXTS, **fields}))
    return Talk(flow, contact=structs.replace(CONTACT, language=language))


@pytest.mark.parametrize(
    ("language", "expected"),
    [("pt_BR", "Quanto?"), ("pt_PT", "Quanto?"), ("pt", "Quanto?"), ("en", "How much?"), ("en_GB", "How much?")],
)
def test_the_contact_gets_the_nearest_language(language: str, expected: str) -> None:
    assert texts(speaking(language, ASK, END).say("hi")) == [expected]


@pytest.mark.parametrize("language", ["", "fr", "nonsense"])
def test_a_contact_whose_language_the_flow_does_not_speak_gets_its_own(language: str) -> None:
    assert texts(speaking(language, ASK, END).say("hi")) == ["How much?"]


def test_the_own_language_of_a_flow_precedes_another_region() -> None:
    assert texts(
        speaking("en_GB", ASK, END, languages=["en_US"], texts={"en_US": {"q.question": "Howdy?"}}).say("x")
    ) == ["How much?"]


def test_the_tables_have_the_built_in_texts_numbers_and_commands_of_their_language() -> None:
    talk = speaking("pt_BR", ASK, END)
    talk.say("hi")
    assert texts(talk.say("x")) == ["Por favor, envie um número."]
    assert talk.say("1,5").variables == {"v": 1.5}
    talk.context = {**talk.context, "commands": {"agente": "human"}}
    assert texts(talk.say("agente")) == ["Vou chamar alguém da nossa equipe. Um momento, por favor."]


def test_a_waiting_conversation_goes_on_when_the_language_of_the_contact_changes() -> None:
    talk = speaking("pt_BR", ASK, node("e", "end", message="Bye"))
    talk.say("hi")
    talk.context = {**talk.context, "contact": structs.replace(CONTACT, language="en")}
    turn = talk.say("2")
    assert (turn.status, texts(turn)) == ("completed", ["Bye"])


def test_a_language_set_before_an_effect_holds_after_it() -> None:
    actions = [
        {"type": "set_language", "language": "pt-br"},
        {"type": "save_contact", "field": "city", "value": "Recife"},
        {"type": "add_tag", "tag": "vip"},
    ]
    again = [{"type": "add_tag", "tag": "vip"}]
    talk = speaking(
        "",
        node("a", "action", actions=actions, next_node_id="c"),
        node("c", "api_call", url="https://x.io", next_node_id="b"),
        node("b", "action", actions=again, next_node_id="m"),
        say("m", "Lives in {{contact.city}}", "q"),
        ASK,
        END,
        texts={"pt_BR": {"m.text": "Mora em {{contact.city}}", **TEXTS["pt_BR"]}},
    )
    turn = talk.say("hi", [EffectResult(ok=True, status=200)])
    assert texts(turn) == ["Mora em Recife\n\nQuanto?"]
    assert [event.type for event in turn.events].count("tag_added") == 1
    assert talk.context["contact"] == Contact(
        CONTACT.id, CONTACT.phone, CONTACT.name, {"city": "Recife"}, ["vip"], "pt_BR"
    )


def test_what_is_not_a_language_code_changes_nothing() -> None:
    set_it = node("s", "action", actions=[{"type": "set_language", "language": "{{input.text}}"}], next_node_id="q")
    talk = speaking("pt_BR", set_it, ASK, END)
    turn = talk.say("my language, please")
    assert texts(turn) == ["Quanto?"]
    assert "language_set" not in [event.type for event in turn.events]


def test_an_action_that_sets_the_language_may_be_the_last_node() -> None:
    talk = speaking("", node("s", "action", actions=[{"type": "set_language", "language": "pt_BR"}]))
    assert talk.say("hi").status == "completed"


def test_a_field_called_language_that_a_flow_saved_is_still_read() -> None:
    contact = Contact("1", fields={"language": "Klingon"})
    assert texts(Talk(flow_of(document(say("m", "{{contact.language}}"), END)), contact=contact).say("hi")) == [
        "Klingon"
    ]


def test_limits_hold_in_every_language() -> None:
    buttons = [{"label": "Yes", "value": "yes"}, {"label": "No", "value": "no"}]
    flow = document(
        node("m", "message", text="Go on?", buttons=buttons),
        languages=["de"],
        texts={
            "de": {
                "m.text": "Weiter?",
                "m.buttons.yes.label": "Ja, sehr gerne, vielen Dank",
                "m.buttons.no.label": "Nein {{contact.name}}, danke",
            }
        },
    )
    found = [(problem.code, problem.node_id, problem.field) for problem in validate({"main": flow}, "main")]
    assert ("too_long", "m", "texts.de.m.buttons.yes.label") in found
    flow["texts"]["de"]["m.buttons.yes.label"] = "Ja"
    found = [(problem.code, problem.node_id, problem.field) for problem in validate({"main": flow}, "main")]
    assert ("too_long_after_substitution", "m", "texts.de.m.buttons.no.label") in found
    assert ("unknown_language", None, "languages") in found


def test_two_options_may_not_get_the_same_label_in_one_language() -> None:
    buttons = [{"label": "Yes"}, {"label": "Sure"}]
    translations = {"m.text": "Ja?", "m.buttons.Yes.label": "Ja", "m.buttons.Sure.label": "Ja"}
    flow = document(node("m", "message", text="Yes?", buttons=buttons), languages=["es"], texts={"es": translations})
    found = {one.code: one for one in validate({"main": flow}, "main")}
    assert found["duplicate_label"].field == "texts.es.m.buttons.Sure.label"
    assert (found["ambiguous_option"].field, found["ambiguous_option"].message[:22]) == (
        "buttons",
        "In the language `es`: ",
    )


def test_a_variable_of_a_translation_that_nothing_assigns_is_reported_there() -> None:
    flow = document(say("m", "Hello"), END, languages=["es"], texts={"es": {"m.text": "Hola {{nombre}}"}})
    found = [(one.code, one.field) for one in validate({"main": flow}, "main")]
    assert ("variable_from_outside", "texts.es.m.text") in found


def test_a_flow_with_one_language_has_no_tables_of_others() -> None:
    assert flow_of(document(ASK, END)).speeches is None
    assert flow_of(document(ASK, END, languages=["en"])).speeches is None


def test_texts_for_a_language_that_is_not_listed_are_reported_and_unused() -> None:
    flow = document(ASK, END, texts=TEXTS)
    assert [(one.code, one.field) for one in validate({"main": flow}, "main")] == [("unlisted_language", "texts.pt_BR")]
    talk = Talk(compile_flow({"main": flow}, "main"), contact=structs.replace(CONTACT, language="pt_BR"))
    assert texts(talk.say(Input(text="hi"))) == ["How much?"]


def test_a_text_without_words_needs_no_translation() -> None:
    flow = document(say("m", "{{contact.name}} 👍 10:00"), END, languages=["es"])
    assert validate({"main": flow}, "main") == []


@pytest.mark.parametrize(
    ("text", "code"),
    [
        *(("pt-br", "pt_BR"), ("PT_BR", "pt_BR"), (" en ", "en"), ("fil", "fil"), ("zh_HK", "zh_HK")),
        *(("portuguese", None), ("", None), ("p", None), ("pt_", None), ("pt_B", None), ("é1", None)),
    ],
)
def test_language_codes_have_the_form_of_whatsapp(text: str, code: str | None) -> None:
    assert language_code(text) == code


def test_the_first_of_two_regions_is_the_match() -> None:
    assert best_match("pt_AO", ["en", "pt_PT", "pt_BR"]) == "pt_PT"


def test_the_console_lists_the_texts_of_the_same_fields() -> None:
    path = Path(__file__).parents[2] / "console" / "src" / "flow" / "texts.json"
    expected = {name: list(kind.TEXTS) for name, kind in node_types().items() if kind.TEXTS}
    assert json.loads(path.read_bytes()) == expected
