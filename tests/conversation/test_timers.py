"""Delays and question timeouts: they fire within a minute, never twice, and an answer cancels them."""

from typing import Any

import pytest

from pytake.conversation.ports.common import ConflictError
from pytake.conversation.queues import InboundItem
from pytake.conversation.timers import FireDueTimers
from tests.conversation.product import NUMBER, Product
from tests.engine.conversations import document, node

HOUR, DAY = 3600, 86_400
END = node("end", "end", message="Bye.")
ASK = node(
    "ask",
    "question",
    question="Still there?",
    variable="answer",
    timeout_seconds=10 * 60,
    timeout_next_node_id="quiet",
    next_node_id="end",
)
QUIET = node("quiet", "end", message="I close this, {{input.type}}.")


def product_with(*nodes: dict[str, Any], **fields: Any) -> Product:
    product = Product()
    product.add_organization("acme", NUMBER, document(*nodes, **fields))
    return product


def delayed(seconds: float) -> Product:
    pause = node("pause", "delay", seconds=seconds, next_node_id="after")
    return product_with(
        node("hello", "message", text="One moment.", next_node_id="pause"),
        pause,
        node("after", "message", text="Done, {{input.type}}.", next_node_id="end"),
        END,
    )


def heard(product: Product) -> list[str]:
    """The texts that the scheduled job leads to now."""
    before = len(product.graph.sent)
    product.fire_due_timers()
    product.run_queues()
    return [payload["text"]["body"] for payload in product.graph.sent[before:]]


def inputs(product: Product) -> list[tuple[str, str]]:
    return [(record.input.type, record.status) for record in product.conversations.turns(product.key())]


@pytest.mark.parametrize("seconds", [60, DAY, 3 * DAY, 30 * DAY])
def test_a_delay_goes_on_when_it_is_over_however_long_it_is(seconds: float) -> None:
    product = delayed(seconds)
    assert product.say("hi") == ["One moment."]
    product.clock.forward(seconds - 1)
    assert heard(product) == []
    product.clock.forward(1)
    product.graph.sent.clear()
    product.fire_due_timers()
    records = product.run_queues()
    assert [(record.input.type, record.status) for record in records] == [("resume", "completed")]
    assert [step.node_id for step in records[0].path] == ["pause", "after", "end"]


def test_what_is_written_during_a_delay_neither_ends_nor_lengthens_it() -> None:
    product = delayed(HOUR)
    product.say("hi")
    product.clock.forward(HOUR / 2)
    assert product.say("hello?") == []
    product.clock.forward(HOUR / 2)
    assert heard(product) == ["Done, resume.\n\nBye."]
    assert inputs(product) == [("text", "waiting"), ("text", "waiting"), ("resume", "completed")]


def test_an_unanswered_question_gives_up() -> None:
    product = product_with(ASK, QUIET, END)
    product.say("hi")
    product.clock.forward(10 * 60 - 1)
    assert heard(product) == []
    product.clock.forward(1)
    assert heard(product) == ["I close this, timeout."]
    assert inputs(product) == [("text", "waiting"), ("timeout", "completed")]


@pytest.mark.parametrize("times", [2, 5])
def test_the_scheduled_job_may_run_any_number_of_times(times: int) -> None:
    product = product_with(ASK, QUIET, END)
    product.say("hi")
    product.clock.forward(10 * 60)
    before = len(product.graph.sent)
    for _ in range(times):
        product.fire_due_timers()
        product.queues.forget_deduplication()
    product.run_queues()
    for _ in range(times):
        product.clock.forward(60)
        product.queues.forget_deduplication()
        product.fire_due_timers()
        product.run_queues()
    assert len(product.graph.sent) == before + 1
    assert len(product.conversations.turns(product.key())) == 2


def test_an_answer_cancels_the_timer() -> None:
    product = product_with(ASK, QUIET, END)
    product.say("hi")
    product.clock.forward(5 * 60)
    assert product.say("yes") == ["Bye."]
    product.clock.forward(10 * 60)
    assert heard(product) == []


def test_an_answer_that_is_not_accepted_starts_the_time_anew() -> None:
    asking = {**ASK, "data": {**ASK["data"], "validation": {"type": "email"}}}
    product = product_with(asking, QUIET, END)
    product.say("hi")
    product.clock.forward(9 * 60)
    product.say("yes")
    product.clock.forward(9 * 60)
    assert heard(product) == []
    product.clock.forward(60)
    assert heard(product) == ["I close this, timeout."]


def test_an_answer_that_came_while_the_timer_was_on_its_way_counts() -> None:
    product = product_with(ASK, QUIET, END)
    product.say("hi")
    product.clock.forward(10 * 60)
    product.post(product.notification(product.message("yes")))
    product.fire_due_timers()  # behind the answer, in the conversation's order
    assert [record.input.type for record in product.run_queues()] == ["text"]
    assert product.graph.sent[-1]["text"]["body"] == "Bye."


def test_a_timer_that_was_first_leaves_the_answer_to_a_new_conversation() -> None:
    product = product_with(ASK, QUIET, END)
    product.say("hi")
    product.clock.forward(10 * 60)
    product.fire_due_timers()
    product.post(product.notification(product.message("yes")))
    assert [record.status for record in product.run_queues()] == ["completed", "waiting"]
    assert [payload["text"]["body"] for payload in product.graph.sent[-2:]] == [
        "I close this, timeout.",
        "Still there?",
    ]


def test_of_a_timer_and_an_answer_that_commit_at_once_one_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    product = product_with(ASK, QUIET, END)
    product.say("hi")
    product.clock.forward(10 * 60)
    product.fire_due_timers()
    (due,) = product.queues.inbound
    product.queues.inbound.clear()
    product.post(product.notification(product.message("yes")))
    (answer,) = product.queues.inbound
    commit = product.conversations.commit
    racing: list[InboundItem] = [answer]

    def raced(*turn: Any) -> None:
        if racing:
            product.take_turn(racing.pop())  # the other worker is quicker
            with pytest.raises(ConflictError):
                commit(*turn)
            raise ConflictError
        commit(*turn)

    monkeypatch.setattr(product.conversations, "commit", raced)
    assert product.take_turn(due) is None
    assert inputs(product) == [("text", "waiting"), ("text", "completed")]


def test_news_of_a_timer_that_has_moved_changes_nothing() -> None:
    product = product_with(ASK, QUIET, END)
    product.say("hi")
    product.clock.forward(10 * 60)
    product.fire_due_timers()
    (news,) = product.queues.inbound
    product.queues.inbound.clear()
    assert product.say("restart") == ["Still there?"]
    assert product.take_turn(news) is None
    assert inputs(product) == [("text", "waiting"), ("text", "waiting")]


def test_who_opted_out_is_not_written_to_by_a_timer() -> None:
    product = delayed(HOUR)
    product.say("hi")
    product.say("stop")
    product.clock.forward(HOUR)
    assert heard(product) == []


def test_a_timer_in_a_sub_flow_works_too() -> None:
    product = Product()
    product.publish("acme", document(ASK, QUIET, END, id="sub"))
    flow = document(node("jump", "jump", target_flow_id="sub", next_node_id="end"), END)
    product.add_organization("acme", NUMBER, flow)
    product.say("hi")
    product.clock.forward(10 * 60)
    assert heard(product) == ["I close this, timeout.\n\nBye."]


def test_a_question_may_wait_longer_than_a_silent_session_lasts() -> None:
    patient = {**ASK, "data": {**ASK["data"], "timeout_seconds": 2 * DAY}}
    product = product_with(patient, QUIET, END)
    product.say("hi")
    product.clock.forward(2 * DAY - HOUR)
    assert heard(product) == []
    assert product.say("yes") == ["Bye."]


def test_every_run_records_how_late_it_is_also_when_nothing_is_due() -> None:
    """A missing metric means that nothing runs: the alarm due-lag goes off."""
    product, recorded = delayed(60), []
    fire = FireDueTimers(
        product.conversations, product.queues, product.clock, lambda name, value: recorded.append((name, value))
    )
    fire()
    assert recorded == [("DueLagSeconds", 0)]
    product.say("hi")
    product.clock.forward(90)
    fire()
    assert recorded[1:] == [("DueLagSeconds", 30)]
