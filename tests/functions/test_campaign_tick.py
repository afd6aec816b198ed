"""A campaign from its start over REST to the queue of campaigns, through the real adapters."""

import json

import boto3
import pytest

from functions.scheduled.handler import handler as scheduled
from pytake.wiring import shared
from pytake.wiring.campaigns import audiences
from pytake.wiring.follow_ups import follow_ups
from tests.functions.campaigns import TEMPLATE, Campaign
from tests.functions.conftest import Gateway, LambdaContext
from tests.functions.world import ANA, BIA, FIRST


@pytest.fixture
def campaign(gateway: Gateway) -> Campaign:
    return Campaign(gateway)


def test_a_started_campaign_is_queued_for_those_who_agreed(campaign: Campaign) -> None:
    for phone, state in ((ANA, "granted"), (BIA, "withdrawn")):
        consent = {"marketing": {"state": state, "source": "form"}}
        assert campaign.api("PUT", f"/api/v1/contacts/{phone}/consent", consent).status == 200
    campaign.post("start")

    done = scheduled({"job": "campaigns"}, LambdaContext())

    assert (done["recipients_claimed"], done["parts_recounted"]) == (1, 0)
    shown = campaign.get()
    assert (shown["status"], shown["reason"]) == ("completed", None)
    assert shown["counts"]["skipped"] == {"no_consent": 1}
    assert (shown["counts"]["planned"], shown["counts"]["waiting"]) == (1, 0)
    sqs = boto3.client("sqs")
    [item] = sqs.receive_message(QueueUrl=campaign.world.gateway.queues["bulk"], MaxNumberOfMessages=10)["Messages"]
    body = json.loads(item["Body"])
    assert (body["contact_id"], body["campaign"]["campaign_id"]) == (ANA, "spring")
    assert body["messages"][0]["name"] == "spring_sale"

    assert campaign.api("DELETE", f"/api/v1/contacts/{ANA}").status == 204
    part = audiences().load("acme", "spring", "BR", 0)
    assert part is not None
    assert sorted(part.recipients) == sorted(["", BIA])
    assert campaign.get()["counts"]["planned"] == 1


def test_who_gets_a_campaign_and_does_not_answer_is_followed_up(campaign: Campaign) -> None:
    step = {"days": 1, "template": TEMPLATE | {"category": "marketing"}}
    sequence = {"name": "Still there?", "phone_number_id": FIRST, "on": {"event": "no_answer"}, "steps": [step]}
    stored = campaign.api("PUT", "/api/v1/sequences/silence", sequence)
    assert stored.status == 200, stored.body
    consent = {"marketing": {"state": "granted", "source": "form"}}
    assert campaign.api("PUT", f"/api/v1/contacts/{ANA}/consent", consent).status == 200
    campaign.post("start")

    scheduled({"job": "campaigns"}, LambdaContext())

    (planned,) = follow_ups().due(shared.clock() + 2 * 24 * 3600)
    assert (planned.contact_id, planned.sequence_id) == (ANA, "silence")
