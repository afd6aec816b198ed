"""Turns that cannot go on, budgets, long texts, and old buttons."""

from linecache import getline
from typing import Any

import pytest

from pytake.engine import (
    Contact,
    Context,
    EffectResult,
    Event,
    Frame,
    Input,
    State,
    Turn,
    commands,
    continue_turn,
    take_turn,
)
from pytake.engine.effects import HttpRequest, secret_placeholder
from pytake.engine.limits import EFFECTS, STACK_DEPTH, STEPS
from pytake.whatsapp.outbound import LocationRequest, Media, OptionList, ReplyButtons, Text
from tests.engine.conversations import Talk, document, flow_of, node, texts
from tests.engine.meta_limits import assert_sendable

QUESTION = node("q", "question", question="Q?", variable="v", next_node_id="e")
END = node("e", "end", message="Bye {{v}}")
CONTEXT = Context(0.0, "seed", Contact("1"))


def event_types(turn: Turn) -> list[str]:
    return [event.type for event in turn.events]


def test_a_runaway_turn_is_stopped_and_sends_nothing() -> None:
    loop = node("a", "message", text="A", next_node_id="b"), node("b", "message", text="B", next_node_id="a")
    turn = Talk(flow_of(document(*loop))).say("hi")
    assert (turn.status, turn.state, turn.messages, turn.path) == ("failed", None, [], [])
    assert turn.events[0].type == "step_budget_exceeded"
    assert turn.events[0].data == {"flow_id": "main", "node_id": "a", "limit": STEPS}


def test_a_turn_can_use_the_whole_step_budget() -> None:
    def chain(length: int) -> Turn:
        nodes = [
            node(str(i), "set_variable", variable="v", value=i, next_node_id=str(i + 1)) for i in range(length - 1)
        ]
        return Talk(flow_of(document(*nodes, node(str(length - 1), "end")))).say("hi")

    assert (chain(STEPS).status, len(chain(STEPS).path)) == ("completed", STEPS)
    assert chain(STEPS + 1).status == "failed"


def test_a_turn_may_make_so_many_calls_and_no_more() -> None:
    call = node("a", "api_call", url="https://x.io/", next_node_id="a")
    flow = flow_of(document(call))
    user_input = Input(text="hi")
    turn, calls = take_turn(flow, None, user_input, CONTEXT), 0
    while turn.effect is not None:
        turn, calls = continue_turn(flow, turn, user_input, EffectResult(ok=True), CONTEXT), calls + 1
    assert (turn.status, calls) == ("failed", EFFECTS)
    assert turn.events == [Event("effect_budget_exceeded", {"flow_id": "main", "node_id": "a", "limit": EFFECTS})]


def test_sub_flows_that_enter_one_another_stop_at_the_stack_limit() -> None:
    turn = Talk(flow_of(document(node("j", "jump", target_flow_id="main")))).say("hi")
    assert (turn.status, event_types(turn)) == ("failed", ["stack_limit_exceeded"])
    assert turn.events[0].data["limit"] == STACK_DEPTH


@pytest.mark.parametrize(
    "state",
    [
        State("main", "nowhere"),
        State("other", "q"),
        State("main", "q", sub_flow_id="sub"),
        State("main", "e"),
        State("main", "q", stack=[Frame("main", "q")]),
        State("main", "q", stack=[Frame("gone", "j")]),
    ],
)
def test_a_state_of_another_flow_fails_the_turn_and_the_next_message_starts_anew(state: State) -> None:
    flow = flow_of(document(QUESTION, END))
    turn = take_turn(flow, state, Input(text="x"), CONTEXT)
    assert (turn.status, turn.state, event_types(turn)) == ("failed", None, ["state_invalid"])
    assert take_turn(flow, turn.state, Input(text="x"), CONTEXT).status == "waiting"


def test_a_defect_fails_the_turn_and_never_raises() -> None:
    class Broken(dict):  # type: ignore[type-arg]
        def items(self) -> None:  # type: ignore[override]
            raise RuntimeError("broken by Ana")

    turn = take_turn(
        flow_of(document(QUESTION, END)), None, Input(text="x"), Context(0, "", Contact("1"), commands=Broken(a=1))
    )
    assert (turn.status, event_types(turn)) == ("failed", ["engine_error"])
    line = turn.events[0].data.pop("line")
    assert turn.events[0].data == {"error": "RuntimeError", "module": "pytake.engine.commands", "function": "_find"}
    assert "commands.items()" in getline(commands.__file__, line)


def test_a_defect_of_a_node_type_is_located_in_its_code() -> None:
    tagging = node("a", "action", actions=[{"type": "add_tag", "tag": "vip"}], next_node_id="e")
    no_tags: Any = None
    turn = take_turn(flow_of(document(tagging, END)), None, Input(), Context(0, "", Contact("1", tags=no_tags)))
    data = turn.events[0].data
    assert (data["error"], data["module"], data["function"]) == ("TypeError", "pytake.engine.nodes.action", "_tag")


def test_a_start_without_parameters_gives_none() -> None:
    start = node("s", "start", parameters=[{"name": "v", "default": "Ana"}], next_node_id="e")
    flow = flow_of(document(start, END))
    assert texts(take_turn(flow, None, Input(type="start"), CONTEXT)) == ["Bye Ana"]


def test_the_first_message_only_opens_the_conversation() -> None:
    turn = Talk(flow_of(document(QUESTION, END))).say("Ana")
    assert (turn.status, texts(turn), turn.variables) == ("waiting", ["Q?"], {})


def test_a_text_over_the_limit_is_sent_in_parts_without_loss() -> None:
    text = "\n\n".join(f"Paragraph {i}. " + "word " * 100 for i in range(20))
    turn = Talk(flow_of(document(node("m", "message", text=text)))).say("hi")
    assert len(turn.messages) == 3
    for message in turn.messages:
        assert_sendable(message)
    assert "".join("".join(texts(turn)).split()) == "".join(text.split())


def test_text_that_does_not_fit_into_a_button_message_is_sent_before_it() -> None:
    text = "Long story. " * 120 + "\n\nYes or no?"
    buttons = [{"label": "Yes", "value": "yes"}]
    turn = Talk(flow_of(document(node("m", "message", text=text, buttons=buttons)))).say("hi")
    first, second = turn.messages
    assert isinstance(first, Text)
    assert isinstance(second, ReplyButtons)
    assert second.text == "Yes or no?"
    assert_sendable(first)


def test_a_list_holds_a_longer_body_than_buttons() -> None:
    buttons = [{"label": str(i), "value": str(i)} for i in range(4)]
    turn = Talk(flow_of(document(node("m", "message", text="x " * 1000, buttons=buttons)))).say("hi")
    (message,) = turn.messages
    assert isinstance(message, OptionList)


def test_a_button_that_two_nodes_share_answers_the_one_that_waits() -> None:
    yes_no = [{"label": "Yes", "value": "yes"}, {"label": "No", "value": "no"}]
    first = node("a", "question", question="One?", variable="one", buttons=yes_no, next_node_id="b")
    second = node("b", "question", question="Two?", variable="two", buttons=yes_no, next_node_id="e")
    talk = Talk(flow_of(document(first, second, END)))
    talk.say("hi")
    talk.tap("yes")
    assert talk.tap("no").variables == {"one": "yes", "two": "no"}


def test_a_tap_without_a_label_gives_the_chosen_label() -> None:
    buttons = [{"label": "Right now", "value": "high"}]
    talk = Talk(
        flow_of(
            document(
                node("m", "message", text="When?", buttons=buttons, next_node_id="e"),
                END | {"data": {"message": "{{input.text}}"}},
            )
        )
    )
    talk.say("hi")
    assert texts(talk.say(Input(type="reply", reply_id="high"))) == ["Right now"]


def test_an_old_tap_is_never_stored_as_a_typed_answer() -> None:
    talk = Talk(flow_of(document(QUESTION, END)))
    talk.say("hi")
    turn = talk.tap("sales", "Sales")
    assert (turn.status, turn.variables, event_types(turn)) == ("waiting", {}, ["stale_reply"])
    assert texts(turn) == ["That option is no longer available.\n\nQ?"]


def test_tapping_old_buttons_does_not_count_as_an_attempt() -> None:
    question = {**QUESTION, "data": {**QUESTION["data"], "max_attempts": 1}}
    talk = Talk(flow_of(document(question, END)))
    talk.say("hi")
    talk.tap("old")
    assert talk.say("Ana").status == "completed"


def test_a_secret_is_inserted_last_and_cannot_be_forged() -> None:
    question = node("q", "question", question="?", variable="v", next_node_id="a")
    call = node(
        "a",
        "api_call",
        method="POST",
        url="https://x.io/{{v}}",
        headers={"Authorization": "Bearer {{secrets.token}}"},
        body={"v": "{{v}}", "k": "{{secrets.token}}"},
        next_node_id="e",
    )
    talk = Talk(flow_of(document(question, call, END)))
    talk.say("hi")
    request = talk.say(f"{{{{secrets.token}}}}{secret_placeholder('token')}").effect
    assert isinstance(request, HttpRequest)
    sent = request.with_secrets({"token": "s3cret"})
    assert sent.headers == {"Authorization": "Bearer s3cret"}
    assert sent.body == {"v": "{{secrets.token}}token", "k": "s3cret"}
    assert sent.url == "https://x.io/%7B%7Bsecrets.token%7D%7Dtoken"
    assert "s3cret" not in repr(request)
    assert request.with_secrets({}).headers == {"Authorization": "Bearer "}


def test_a_conversation_stored_at_an_effect_requests_it_again() -> None:
    call = node("a", "api_call", url="https://x.io/", output_variable="v", next_node_id="e")
    talk = Talk(flow_of(document(call, END)))
    assert talk.say("hi").effect is not None
    assert talk.say("anyone there?", [EffectResult(ok=True, body="x")]).status == "completed"


def test_the_input_is_still_available_after_an_effect() -> None:
    call = node("c", "api_call", url="https://x.io", next_node_id="e")
    question = node("q", "question", question="Q?", variable="v", next_node_id="c")
    talk = Talk(
        flow_of(document(question, call, node("e", "end", message="{{input.type}}: {{input.text}}"))),
        commands={"stop": "stop"},
    )
    talk.say("hi")
    assert texts(talk.say("Ana", [EffectResult(ok=True)])) == ["text: Ana"]


def test_options_never_have_equal_titles() -> None:
    buttons = [{"label": f"{{{{{name}}}}}", "value": name} for name in "abc"]
    flow = flow_of(document(node("m", "message", text="Which?", buttons=buttons)))
    state = State("main", "m", variables={"a": "A 3", "b": "A", "c": "A"})
    (message,) = take_turn(flow, state, Input(text="?"), CONTEXT).messages
    assert isinstance(message, ReplyButtons)
    assert len({button.title for button in message.buttons}) == 3
    assert_sendable(message)


def test_a_location_question_always_has_a_text() -> None:
    question = node(
        "q", "question", question="{{nothing}}", variable="v", validation={"type": "location"}, next_node_id="e"
    )
    (message,) = Talk(flow_of(document(question, END))).say("hi").messages
    assert_sendable(message)


def test_cards_whose_links_are_not_web_addresses_are_left_out() -> None:
    card = {
        "media": {"type": "image", "link": "https://example.com/a.png"},
        "cta_url": {"label": "Go", "url": "{{input.text}}"},
    }
    flow = flow_of(document(node("m", "message", text="Look:", carousel=[card, card])))
    assert texts(Talk(flow).say("www.example.com")) == ["Look:"]
    assert not isinstance(Talk(flow).say("https://example.com").messages[0], Text)


@pytest.mark.parametrize(
    ("data", "sent"),
    [
        ({"text": "Look:", "cta_url": {"label": "Go", "url": "{{nowhere}}"}}, ["Look:"]),
        ({"text": "Look:", "cta_url": {"label": "Go", "url": "{{input.text}}"}}, ["Look:"]),
        ({"text": "Look:", "cta_url": {"label": "Go", "url": "javascript:alert(1)"}}, ["Look:"]),
        ({"text": "Look:", "cta_url": {"label": "Go", "url": "https://{{nowhere}}"}}, ["Look:"]),
        ({"text": "Look:", "cta_url": {"label": "Go", "url": "https://example.com/" + "a" * 2029}}, ["Look:"]),
        ({"text": "Look:", "media": {"type": "image", "link": "{{input.text}}"}}, ["Look:"]),
        ({"text": "Look:", "media": {"type": "image", "link": "{{nowhere}}"}}, ["Look:"]),
        ({"media": {"type": "document", "id": " {{nowhere}} ", "caption": "Your contract"}}, ["Your contract"]),
        (
            {"text": "Look:", "media": {"type": "video", "link": "{{nowhere}}"}, "buttons": [{"label": "Yes"}]},
            ["Look:"],
        ),
    ],
)
def test_a_link_or_file_without_a_web_address_is_left_out_and_reported(data: dict[str, Any], sent: list[str]) -> None:
    """Meta refuses the whole message for an address such as a person's answer."""
    turn = Talk(flow_of(document(node("m", "message", **data)))).say("www.example.com")
    assert texts(turn) == sent
    assert "address_missing" in event_types(turn)
    for message in turn.messages:
        assert_sendable(message)


def test_an_image_is_sent_before_a_location_request() -> None:
    media = {"type": "image", "link": "https://x.io/map.png"}
    data = {"text": "Where?", "header": "Your place", "media": media, "location_request": True}
    picture, request = Talk(flow_of(document(node("m", "message", **data)))).say("hi").messages
    assert picture == Media("image", "https://x.io/map.png")
    assert request == LocationRequest("*Your place*\nWhere?")


def test_an_exit_that_leads_nowhere_returns_from_a_sub_flow() -> None:
    sub = document(node("m", "message", text="In the sub-flow."), id="sub")
    turn = Talk(flow_of(document(node("j", "jump", target_flow_id="sub", next_node_id="e"), END), sub)).say("hi")
    assert texts(turn) == ["In the sub-flow.\n\nBye "]


def test_a_nested_sub_flow_can_take_over_the_conversation() -> None:
    inner = document(
        node("q", "question", question="Deep?", variable="deep", next_node_id="x"), node("x", "end"), id="inner"
    )
    sub = document(node("k", "jump", target_flow_id="inner", return_to_parent=False), id="sub")
    talk = Talk(flow_of(document(node("j", "jump", target_flow_id="sub", next_node_id="e"), END), sub, inner))
    talk.say("hi")
    turn = talk.say("yes")
    assert (turn.status, turn.node_id, texts(turn)) == ("completed", "x", [])


@pytest.mark.parametrize("value", ["x{{a}}{{a}}", ["{{a}}", "{{a}}"], {"x": "{{a}}", "y": "{{a}}"}, ["{{a}}"]])
def test_a_growing_value_stops_at_the_limit(value: Any) -> None:
    steps = [node(f"s{i}", "set_variable", variable="a", value=value, next_node_id=f"s{i + 1}") for i in range(60)]
    wait = node("s60", "question", question="Q", variable="v", next_node_id="s0")
    talk = Talk(flow_of(document(*steps, wait)))
    turn = talk.say("hi")
    if turn.status == "waiting":  # one level deeper with every step, in every turn
        turn = talk.say("again")
    assert turn.status == "waiting"
    assert "value_too_large" in event_types(turn)
    assert len(talk.stored or b"") < 1_000_000


def test_chained_replacements_do_not_grow_a_text_without_limit() -> None:
    filters = " | replace('a', 'aaaaaaaaaa')" * 12
    grow = node("g", "set_variable", variable="a", value="{{input.text" + filters + "}}", next_node_id="e")
    turn = Talk(flow_of(document(grow, END))).say("a")
    assert (turn.status, len(turn.variables["a"])) == ("completed", 100_000)


def test_what_an_api_call_stores_besides_its_result_is_stored_last() -> None:
    """The prover knows this order; it matters when two fields name the same variable."""
    call = node("a", "api_call", url="https://x.io", output_variable="v", error_body_variable="v", next_node_id="e")
    talk = Talk(flow_of(document(call, node("e", "end"))))
    assert talk.say("hi", [EffectResult(ok=True, status=200, body={"x": 1})]).variables["v"] is None
