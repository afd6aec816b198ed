"""What an operator does when delivery fails, on the local cloud: look, repair, redrive, resume."""

import time
from typing import Any

import pytest

from local import demo
from tests.cloud.conftest import Cloud

pytestmark = pytest.mark.cloud


def pytake(cloud: Cloud, *command: str) -> str:
    """Return what a command prints."""
    done = cloud.command(*command)
    assert done.exit_code == 0, done.output
    return done.stdout


def set_fault(cloud: Cloud, phone: str, code: int, times: int, status: int = 400) -> None:
    rule: dict[str, Any] = {"kind": "error", "code": code, "status": status, "times": times, "phone": phone}
    cloud.http.put("/_sim/faults", json={"rules": [rule]}).raise_for_status()


def until_shown(cloud: Cloud, text: str, *command: str, seconds: float = 60) -> str:
    end = time.monotonic() + seconds
    while text not in (shown := pytake(cloud, *command)):
        assert time.monotonic() < end, f"{shown}\n{cloud.logs()}"
        time.sleep(0.5)
    return shown


def test_a_message_that_fails_four_times_is_redriven_and_arrives_once(cloud: Cloud, new_phone: str) -> None:
    set_fault(cloud, new_phone, 130429, times=4)
    cloud.say(new_phone, "Oi")
    shown = until_shown(cloud, new_phone[-8:], "dlq", "show", "outbound", "--body")
    assert "retry:130429" in shown
    assert "retry:130429" in pytake(cloud, "dlq", "list")
    assert [message for message in cloud.screen(new_phone) if message["direction"] == "out"] == []
    assert "1 message is back" in pytake(cloud, "dlq", "redrive", "outbound", "--conversation", new_phone)
    first = cloud.answers(new_phone, 1)
    time.sleep(3)
    assert [message["id"] for message in cloud.answers(new_phone, 1)] == [message["id"] for message in first]
    assert new_phone not in pytake(cloud, "dlq", "show", "outbound", "--body")


def test_a_stopped_number_keeps_its_messages_until_it_is_resumed(cloud: Cloud, new_phone: str) -> None:
    set_fault(cloud, new_phone, 190, times=1, status=401)
    cloud.say(new_phone, "Oi")
    path = f"/numbers/{demo.PHONE_NUMBER_ID}"
    with cloud.api() as api:
        end = time.monotonic() + 30
        while not api.get(path).json()["stopped_reason"]:
            assert time.monotonic() < end, cloud.logs()
            time.sleep(0.2)
        time.sleep(11)  # until then its messages come back to the queue (ADR 6)
        other = f"{new_phone[:-1]}{(int(new_phone[-1]) + 1) % 10}"
        cloud.say(other, "Oi")
        cloud.say(new_phone, "Ana")  # the turn behind the held one: who delivers that brings this one
        time.sleep(2)
        assert [message for message in cloud.screen(other) if message["direction"] == "out"] == []
        assert "sends again. 2 held conversations" in pytake(cloud, "number", "resume", demo.PHONE_NUMBER_ID)
        assert len(cloud.answers(new_phone, 2)) == 2
        assert len(cloud.answers(other, 1)) == 1
        assert api.get(path).json()["stopped_reason"] is None
