"""Questions without a text, with media, conditional options, several options, and options from a list."""

from typing import Any

import pytest

from cli.flow_testing.generator import generate
from pytake.conversation.flow_tests.suite import Suite
from pytake.engine import Contact, FlowError, Input, validate
from pytake.whatsapp.graph import message_payload
from pytake.whatsapp.input import InputMedia
from pytake.whatsapp.outbound import OptionList, ReplyButtons, Text
from tests.engine.conversations import Talk, document, flow_of, node, texts

END = node("e", "end", message="{{v}}")
YES_NO = [{"label": "Yes"}, {"label": "No"}]


def asked(*before: dict[str, Any], **data: Any) -> dict[str, Any]:
    question = node("q", "question", **{"variable": "v", "next_node_id": "e", **data})
    return document(*before, question, END)


def said(text: str) -> dict[str, Any]:
    return node("m", "message", text=text, next_node_id="q")


def codes(flow: dict[str, Any]) -> list[str]:
    return [problem.code for problem in validate({"main": flow}, "main")]


@pytest.mark.parametrize("merge", [True, False])
def test_options_stand_under_the_text_that_was_said_last(merge: bool) -> None:
    flow = asked(said("Shall we?"), buttons=YES_NO)
    turn = Talk(flow_of({**flow, "merge_texts": merge})).say("hi")
    (message,) = turn.messages
    assert isinstance(message, ReplyButtons)
    assert message.text == "Shall we?"
    assert codes(flow) == []


def test_a_question_without_text_waits_for_any_answer() -> None:
    talk = Talk(flow_of(asked(said("Your name?"))))
    assert texts(talk.say("hi")) == ["Your name?"]
    assert talk.say("Ana").variables == {"v": "Ana"}


def test_a_location_can_be_asked_for_under_the_last_text() -> None:
    (message,) = Talk(flow_of(asked(said("Where are you?"), validation={"type": "location"}))).say("hi").messages
    assert getattr(message, "text", "") == "Where are you?"


def test_a_picture_stands_above_the_buttons() -> None:
    media = {"type": "image", "link": "https://example.com/{{contact.id}}.png"}
    flow = asked(question="This one?", media=media, buttons=YES_NO, header=None, footer="F")
    (message,) = Talk(flow_of(flow)).say("hi").messages
    assert isinstance(message, ReplyButtons)
    assert (getattr(message.header, "link", None), message.footer) == ("https://example.com/5511987654321.png", "F")


def test_a_picture_with_a_question_as_its_caption() -> None:
    flow = asked(question="What is this?", media={"type": "image", "id": "1"})
    (message,) = Talk(flow_of(flow)).say("hi").messages
    assert getattr(message, "caption", None) == "What is this?"


def test_a_sub_flow_that_asks_leaves_nothing_said() -> None:
    sub = document(node("a", "question", question="?", variable="a", next_node_id="z"), node("z", "end"), id="sub")
    jump = node("j", "jump", target_flow_id="sub", next_node_id="q")
    flow = asked(node("m", "message", text="Hi", next_node_id="j"), jump, buttons=YES_NO)
    assert [p.code for p in validate({"main": flow, "sub": sub}, "main")] == ["nothing_said"]
    sub["nodes"][1]["data"] = {"message": "Thanks. Shall we?"}
    assert [p.code for p in validate({"main": flow, "sub": sub}, "main")] == ["nothing_said"]
    said_last = {**sub, "nodes": [sub["nodes"][0], node("z", "message", text="Thanks. Shall we?")]}
    assert [p.code for p in validate({"main": flow, "sub": said_last}, "main")] == []


def conditional(**first: Any) -> dict[str, Any]:
    vip = {"variable": "contact.tags", "operator": "contains", "value": "vip"}
    buttons = [{"label": "Golden", "value": "g", "show_if": {**vip, **first}}, {"label": "Small", "value": "s"}]
    return asked(question="Size?", buttons=buttons)


def test_conditional_options_are_offered_and_matched_only_where_they_hold() -> None:
    talk = Talk(flow_of(conditional()))
    (message,) = talk.say("hi").messages
    assert isinstance(message, ReplyButtons)
    assert [button.id for button in message.buttons] == ["s"]
    assert talk.say("Golden").path[0].exit == "invalid"
    assert talk.tap("g").path[0].exit == "stale"
    assert talk.say("1").variables == {"v": "s"}
    member = Talk(flow_of(conditional()), contact=Contact("1", tags=["vip"]))
    member.say("hi")
    assert member.say("1").variables == {"v": "g"}


def test_options_that_are_never_offered_are_found() -> None:
    number = node(
        "n", "question", question="?", variable="n", validation={"type": "number", "min": 1}, next_node_id="q"
    )
    flow = conditional(variable="n", operator="<", value=1)
    flow = {**flow, "start_node_id": "n", "nodes": [number, *flow["nodes"]]}
    (found,) = validate({"main": flow}, "main")
    assert (found.code, found.field) == ("branch_never_taken", "buttons[0].show_if")


def test_sections_and_the_text_of_the_button_make_a_list() -> None:
    buttons = [{"label": "A", "section": "One"}, {"label": "B", "section": "Two"}, {"label": "C", "section": "One"}]
    (message,) = Talk(flow_of(asked(question="?", buttons=buttons, list_button="{{x}}Open"))).say("hi").messages
    assert isinstance(message, OptionList)
    sections = message_payload(message, "5511987654321", "1")["interactive"]["action"]["sections"]
    assert [(one["title"], [row["id"] for row in one["rows"]]) for one in sections] == [
        ("One", ["A", "C"]),
        ("Two", ["B"]),
    ]
    assert message.button == "Open"


def several(**multiple: Any) -> Talk:
    buttons = [{"label": "Cheese", "value": "c"}, {"label": "Ham", "value": "h"}, {"label": "Egg", "value": "e"}]
    talk = Talk(flow_of(asked(question="Toppings?", buttons=buttons, multiple=multiple)))
    talk.say("hi")
    return talk


def test_several_options_are_tapped_until_done() -> None:
    talk = several()
    first = talk.tap("h")
    assert (first.path[0].exit, first.variables) == ("choose", {"v_chosen": ["h"]})
    (more,) = first.messages
    assert isinstance(more, OptionList)
    assert [row.title for row in more.rows] == ["Cheese", "Egg", "Done"]
    talk.say("2")
    assert talk.say("done").variables == {"v": ["h", "e"]}


@pytest.mark.parametrize("answer", ["1, 3", "egg and cheese", "Cheese;e", "cheese\negg"])
def test_several_options_in_one_answer(answer: str) -> None:
    found = several().say(answer)
    assert found.status == "completed"
    assert sorted(found.variables["v"]) == ["c", "e"]


def test_a_choice_ends_when_the_options_that_are_left_do_not_hold_any_more() -> None:
    """WhatsApp has no message that offers nothing."""
    condition = {"variable": "input.text", "operator": "is_not_empty"}
    buttons = [{"label": "Cheese", "value": "c"}, {"label": "Ham", "value": "h", "show_if": condition}]
    talk = Talk(flow_of(asked(question="Toppings?", buttons=buttons, multiple={"least": 2})))
    talk.say("hi")
    assert talk.say("cheese").path[0].exit == "choose"
    ended = talk.say(Input(type="media", media=InputMedia(id="1", type="image")))
    assert (ended.status, ended.variables) == ("completed", {"v": ["c"]})


def test_a_list_whose_items_have_no_value_any_more_is_asked_for_in_words() -> None:
    talk = listed(["A"], label="{{item}}", value="{{input.text}}")
    talk.say("hi")
    turn = talk.say(Input(type="media", media=InputMedia(id="1", type="image")))
    assert (turn.path[0].exit, texts(turn)) == ("invalid", ["Please choose one of the options."])


def test_the_number_of_options_has_limits() -> None:
    assert several(most=1).tap("c").variables == {"v": ["c"]}
    talk = several(least=2)
    assert talk.tap("_done").path[0].exit == "choose"
    talk.tap("c")
    assert talk.say("done").path[0].exit == "choose"
    assert talk.tap("h").path[0].exit == "choose"
    assert talk.tap("_done").variables == {"v": ["c", "h"]}
    assert several(least=0).tap("_done").variables == {"v": []}
    assert several().say("ham and pineapple").path[0].exit == "invalid"
    talk = several()
    assert [talk.tap(one).status for one in ("c", "h", "e")] == ["waiting", "waiting", "completed"]


def listed(slots: Any, **options: Any) -> Talk:
    options = {
        "list": "slots",
        "label": "{{item.time}}",
        "value": "{{item.id}}",
        "empty_next_node_id": "none",
        **options,
    }
    first = node("s", "set_variable", variable="slots", value=slots, next_node_id="q")
    flow = asked(first, question="When?", options_from=options)
    flow["nodes"].append(node("none", "end", message="Nothing."))
    assert codes(flow) == []
    return Talk(flow_of(flow))


SLOTS = [{"id": "a", "time": "9:00"}, {"id": "b", "time": "10:00"}, {"id": "b", "time": "twice"}, {"time": "no id"}]


def test_options_from_a_list() -> None:
    talk = listed(SLOTS, item_variable="slot", description="at {{item.time}}")
    (message,) = talk.say("hi").messages
    assert isinstance(message, OptionList)
    assert [(row.id, row.title, row.description) for row in message.rows] == [
        ("a", "9:00", "at 9:00"),
        ("b", "10:00", "at 10:00"),
    ]
    turn = talk.say("10:00")
    assert (turn.path[0].exit, turn.variables["v"], turn.variables["slot"]) == ("option", "b", SLOTS[1])
    assert "item" not in turn.variables


def test_a_long_list_is_cut_and_an_empty_one_leads_on() -> None:
    (message,) = listed([f"{n}" for n in range(30)], label="{{item}}", value=None).say("hi").messages
    assert isinstance(message, OptionList)
    assert len(message.rows) == 10
    for nothing in ([], None, "", [{}]):
        turn = listed(nothing).say("hi")
        assert (turn.status, texts(turn), turn.path[1].exit) == ("completed", ["Nothing."], "empty")


def test_a_loop_through_the_empty_exit_is_found() -> None:
    options = {"list": "slots", "empty_next_node_id": "s"}
    first = node("s", "set_variable", variable="slots", value=[], next_node_id="q")
    assert "no_way_out" in codes(asked(first, question="?", options_from=options)) or "loop_without_wait" in codes(
        asked(first, question="?", options_from=options)
    )


def test_a_message_stores_its_choice() -> None:
    message = node(
        "m", "message", text="Size?", variable="size", buttons=[{"label": "S"}, {"label": "L"}], next_node_id="c"
    )
    when = {"variable": "size", "operator": "==", "value": "M", "true_next_node_id": "e", "false_next_node_id": "e"}
    flow = document(message, node("c", "condition", **when), node("e", "end", message="{{size}} {{answers | length}}"))
    assert codes(flow) == ["branch_never_taken"]
    talk = Talk(flow_of(flow))
    talk.say("hi")
    assert texts(talk.tap("L")) == ["L 1"]


@pytest.mark.parametrize(
    "data",
    [
        {"question": "?", "buttons": YES_NO, "options_from": {"list": "x"}},
        {"question": "?", "multiple": {}},
        {"question": "?", "list_button": "Open"},
        {"question": "?", "buttons": YES_NO, "multiple": {}, "validation": {"type": "number"}},
        {"question": "?", "buttons": [{"label": "A", "next_node_id": "e"}], "multiple": {}},
        {"question": "?", "buttons": YES_NO, "multiple": {"least": 3, "most": 2}},
        {"question": "?", "buttons": [{"label": "A", "section": "S"}, {"label": "B"}]},
        {"question": "?", "buttons": [{"label": "A", "section": "S" * 25}]},
        {
            "question": "?",
            "buttons": [
                {"label": "A", "show_if": {"variable": "input.text", "operator": "has_number", "keep_as": "n"}},
                {"label": "B"},
            ],
        },
    ],
)
def test_fields_that_do_not_go_together_are_problems(data: dict[str, Any]) -> None:
    assert any(problem.severity == "error" for problem in validate({"main": asked(**data)}, "main"))


def test_generated_tests_take_every_exit() -> None:
    call = node("s", "api_call", url="https://x.io", output_variable="slots", next_node_id="q")
    options = {"list": "slots", "label": "{{item.time}}", "empty_next_node_id": "n"}
    flow = asked(call, question="When?", options_from=options, next_node_id="t")
    flow["nodes"] += [
        node("t", "question", question="With?", variable="w", buttons=YES_NO, multiple={}, next_node_id="e"),
        node("n", "end"),
    ]
    suite: Suite = generate({"main": flow}, "main")
    path = {step for script in suite.conversations for turn in script.turns for step in turn.expect.path or []}
    assert {"q: option", "q: empty", "t: choose", "t: next"} <= path


def test_the_text_is_taken_back_only_if_it_fits() -> None:
    talk = Talk(flow_of({**asked(said("long " * 400), buttons=YES_NO), "merge_texts": False}))
    first, second = talk.say("hi").messages
    assert isinstance(first, Text)
    assert getattr(second, "text", "") == "Please choose one of the options."


def test_several_options_need_options() -> None:
    with pytest.raises(FlowError):
        flow_of(asked(question="?", multiple={"least": 1}))


def test_the_answer_may_replace_the_list_that_was_offered() -> None:
    shops = [{"name": "North", "id": "n"}, {"name": "South", "id": "s"}]
    items = {"list": "{{v}}", "label": "{{item.name}}", "value": "{{item.id}}", "item_variable": "chosen"}
    flow = asked(
        node("s", "set_variable", variable="v", value=shops, next_node_id="q"), question="?", options_from=items
    )
    talk = Talk(flow_of({**flow, "start_node_id": "s"}))
    talk.say("hi")
    turn = talk.say("South")
    assert (turn.status, turn.variables) == ("completed", {"v": "s", "chosen": shops[1]})


@pytest.mark.parametrize(
    ("data", "wrong"),
    [
        ({"reactions": {"ok": "yes"}}, ["invalid_value"]),
        ({"reactions": {"": "yes"}}, ["invalid_value"]),
        ({"reactions": {"👍": " "}}, ["invalid_value"]),
        ({"reactions": {"👍": "yes", "👍🏽": "no"}}, ["duplicate_value"]),
        ({"reactions": {"👍": "maybe"}, "buttons": YES_NO}, ["invalid_value"]),
        ({"reactions": {"👍": "Yes"}, "buttons": YES_NO, "multiple": {"done_label": "Done"}}, ["conflicting_fields"]),
        ({"reactions": {"👍": "yes", "❤️": "no"}, "buttons": YES_NO}, []),
        ({"reactions": {"👍": "maybe"}}, []),
    ],
)
def test_reactions_are_emoji_that_stand_for_answers(data: dict[str, Any], wrong: list[str]) -> None:
    flow = asked(question="Well?", **data)
    found = [problem for problem in validate({"main": flow}, "main") if problem.severity == "error"]
    assert [problem.code for problem in found] == wrong
    assert {problem.field for problem in found} <= {"reactions"}
