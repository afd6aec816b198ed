"""Campaigns over the REST API: definition, states, roles and refusals."""

import base64
import json
import re
from typing import Any

import pytest

from pytake.aws.uploads import DynamoUploads
from pytake.campaigns.audience import AudienceCounts
from pytake.campaigns.manage import CampaignReport, ManageCampaigns
from pytake.wiring import shared
from pytake.wiring.campaigns import campaigns
from rest.campaign_counts import counts_of
from tests.functions.campaigns import DEFINITION, SPRING, TEMPLATE, Campaign
from tests.functions.conftest import Gateway
from tests.functions.world import ANA

MISSING = "file-" + "0" * 32
NOTHING = {
    "planned": 0,
    "waiting": 0,
    "sent": 0,
    "delivered": 0,
    "read": 0,
    "replied": 0,
    "completed": 0,
    "opted_out": 0,
    "held": 0,
    "holdout": 0,
    "unpriced": 0,
    "skipped": {},
    "failed": {},
}


def uploads() -> DynamoUploads:
    return DynamoUploads(shared.table(), shared.retention())


@pytest.fixture
def campaign(gateway: Gateway) -> Campaign:
    return Campaign(gateway)


def test_a_definition_is_read_as_it_was_written(campaign: Campaign) -> None:
    full = DEFINITION | {
        "parameters": {"coupon": "SPRING"},
        "start_at": "2030-03-20T09:00:00Z",
        "quiet_hours": {"start": "21:00", "end": "08:00"},
        "pace_per_second": 20.5,
        "spend_cap": 12.34,
        "variants": [
            {"name": "a", "share": 2.0, "template": None, "flow_id": None},
            {"name": "b", "share": 1.0, "template": {**TEMPLATE, "category": "marketing"}, "flow_id": "other"},
        ],
        "holdout": 0.1,
        "marketing_messages": True,
        "template": {**TEMPLATE, "category": None},
    }

    assert campaign.put(**full).status == 200

    shown = campaign.get()
    assert {name: shown[name] for name in full} == full
    assert (shown["campaign_id"], shown["status"], shown["counts"], shown["cost"]) == ("spring", "draft", NOTHING, 0)
    assert shown["started_at"] is None


def test_a_language_may_be_written_as_webhooks_write_it(campaign: Campaign) -> None:
    other = {"name": "b", "template": {**TEMPLATE, "language": "pt-BR"}}
    assert campaign.put(template={**TEMPLATE, "language": "pt-BR"}, variants=[other]).status == 200
    shown = campaign.get()
    assert (shown["template"]["language"], shown["variants"][0]["template"]["language"]) == ("pt_BR", "pt_BR")


def test_a_definition_is_changed_only_by_a_client_that_has_read_it(campaign: Campaign) -> None:
    read = campaign.api("GET", SPRING).headers["etag"]
    assert campaign.put(name="Second", headers={"If-Match": read}).headers["etag"] == '"2"'

    late = campaign.put(name="Third", headers={"If-Match": '"1"'})

    assert (late.status, late.body["code"], late.headers["etag"]) == (412, "campaign_changed", '"2"')
    assert campaign.get()["name"] == "Second"


@pytest.mark.parametrize("path", [SPRING, f"{SPRING}/results"])
def test_an_unchanged_campaign_is_not_sent_again(campaign: Campaign, path: str) -> None:
    assert campaign.put().status == 200
    seen = {"If-None-Match": campaign.api("GET", path).headers["etag"]}
    again = campaign.api("GET", path, headers=seen)
    assert (again.status, again.body) == (304, "")
    campaign.put(name="Second")
    assert campaign.api("GET", SPRING, headers=seen).status == 200


@pytest.mark.parametrize(
    "wrong",
    [
        {"quiet_hours": {"start": "08:00", "end": "21:00"}},
        {"quiet_hours": {"start": "25:00", "end": "08:00"}},
        {"pace_per_second": 0},
        {"spend_cap": -1},
        {"holdout": 1},
        {"variants": [{"name": "a"}, {"name": "a"}]},
        {"variants": [{"name": "a", "share": 0}]},
        {"start_at": "2030-03-20T09:00:00"},
        {"template": {"name": "Not A Name", "language": "pt_BR"}},
        {"parameters": {"not a name": 1}},
        {"unknown": 1},
    ],
    ids=str,
)
def test_a_definition_that_makes_no_sense_is_refused(campaign: Campaign, wrong: dict[str, Any]) -> None:
    assert campaign.put(**wrong).body["code"] == "invalid_request"


def test_campaigns_are_listed_in_pages(campaign: Campaign) -> None:
    campaign.api("PUT", "/api/v1/campaigns/autumn", DEFINITION | {"name": "Autumn"})

    first = campaign.api("GET", "/api/v1/campaigns", query={"limit": "1"})

    assert [entry["campaign_id"] for entry in first.body] == ["autumn"]
    link = first.headers["link"]
    cursor = link.split("cursor=")[1].split(">")[0]
    second = campaign.api("GET", "/api/v1/campaigns", query={"limit": "1", "cursor": cursor})
    assert [entry["name"] for entry in second.body] == ["Spring sale"]
    assert "link" not in second.headers


def test_a_second_start_changes_nothing(campaign: Campaign) -> None:
    first = campaign.post("start").body
    stored = campaigns().load("acme", "spring")

    assert (first["status"], first["waiting"]) == ("running", "audience")
    assert campaign.post("start").body == first
    assert campaigns().load("acme", "spring") == stored


def test_a_later_start_is_scheduled(campaign: Campaign) -> None:
    campaign.put(start_at="2050-01-01T00:00:00Z")

    assert campaign.post("start").body["status"] == "scheduled"
    assert campaign.post("pause").body["status"] == "paused"
    assert campaign.post("resume").body["status"] == "scheduled"
    assert list(campaigns().active(2_000_000_000)) == []
    assert list(campaigns().active(2_600_000_000)) == [("acme", "spring")]


def test_pause_resume_and_cancel_follow_the_states(campaign: Campaign) -> None:
    for action in ("pause", "resume"):
        refused = campaign.post(action)
        assert (refused.status, refused.body["code"]) == (409, "campaign_state"), action
        assert refused.body["campaign_status"] == "draft"
    campaign.post("start")
    states = [campaign.post(action).body["status"] for action in ("pause", "pause", "resume", "resume", "cancel")]
    assert states == ["paused", "paused", "running", "running", "cancelled"]
    assert campaign.post("cancel").body["status"] == "cancelled"
    for action in ("start", "pause", "resume"):
        assert campaign.post(action).body["code"] == "campaign_state"
    assert campaign.put(pace_per_second=1).body["code"] == "campaign_state"


def test_after_the_start_only_the_bounds_may_change(campaign: Campaign) -> None:
    campaign.post("start")

    assert campaign.put(name="Renamed", pace_per_second=5, spend_cap=10).status == 200
    for changes in ({"segment_id": "others"}, {"template": {"name": "other", "language": "pt_BR"}}, {"holdout": 0.5}):
        refused = campaign.put(name="Renamed", pace_per_second=5, spend_cap=10, **changes)
        assert refused.body["code"] == "campaign_state", changes


@pytest.mark.parametrize(
    ("changes", "code", "reason"),
    [
        ({"segment_id": "absent"}, "segment_unknown", None),
        ({"phone_number_id": "100000000000003"}, "number_unknown", None),
        ({"flow_id": "absent"}, "start_refused", "flow_unknown"),
        ({"variants": [{"name": "a", "flow_id": "absent"}]}, "start_refused", "flow_unknown"),
        ({"template": TEMPLATE | {"name": "paused_one"}}, "start_refused", "template_paused"),
    ],
    ids=str,
)
def test_what_could_send_nothing_does_not_start(
    campaign: Campaign, changes: dict[str, Any], code: str, reason: str | None
) -> None:
    campaign.template("PAUSED", "paused_one")
    campaign.put(**changes)

    refused = campaign.post("start")

    assert (refused.body["code"], refused.body.get("reason")) == (code, reason)
    assert campaign.get()["status"] == "draft"


def header(file_id: str, kind: str = "image") -> dict[str, Any]:
    """A template with a file in its header."""
    parameter = {"type": kind, kind: {"id": file_id}}
    return TEMPLATE | {"name": "with_file", "components": [{"type": "header", "parameters": [parameter]}]}


def stored_file(campaign: Campaign) -> str:
    """The id of a picture in the organization's library."""
    content = base64.b64encode(b"\xff\xd8\xff\xe0 picture").decode()
    stored = campaign.api("POST", "/api/v1/media", {"mime_type": "image/jpeg", "content": content, "keep": True})
    return str(stored.body["id"])


@pytest.mark.parametrize(("kind", "code"), [("image", "media_unknown"), ("video", "media_unsupported")])
def test_a_file_that_cannot_be_sent_warns_and_refuses(campaign: Campaign, kind: str, code: str) -> None:
    file_id = MISSING if code == "media_unknown" else stored_file(campaign)
    variant = {"name": "a", "template": header(file_id, kind)}
    field = "variants[0].template.components[0].parameters[0]." + kind + ".id"

    defined = campaign.put(variants=[variant, {"name": "b"}])

    assert [(one["code"], one["field"]) for one in defined.body["warnings"]] == [(code, field)]
    assert campaign.get()["warnings"] == defined.body["warnings"]
    for action, body in (("start", None), ("test", {"people": [ANA], "variant": "a"})):
        refused = campaign.post(action, body=body)
        assert (refused.status, refused.body["code"], refused.body["reason"]) == (409, "start_refused", code)
    assert campaign.get()["status"] == "draft"
    assert campaign.put().body["warnings"] == []


def test_a_file_in_use_stays_and_a_campaign_without_it_does_not_go_on(campaign: Campaign) -> None:
    file_id = stored_file(campaign)
    assert campaign.put(template=header(file_id), start_at="2050-01-01T00:00:00Z").body["warnings"] == []
    assert campaign.post("start").body["status"] == "scheduled"

    refused = campaign.api("DELETE", f"/api/v1/media/{file_id}")

    assert (refused.status, refused.body["code"], refused.body["campaigns"]) == (409, "media_in_use", ["spring"])
    campaign.post("pause")
    uploads().delete("acme", file_id)
    assert campaign.api("DELETE", f"/api/v1/media/{file_id}").body["code"] == "media_unknown"
    resumed = campaign.post("resume")
    assert (resumed.body["code"], resumed.body["reason"]) == ("start_refused", "media_unknown")
    assert campaign.post("cancel").body["warnings"] == []


def test_a_file_of_a_campaign_that_has_ended_is_deleted(campaign: Campaign) -> None:
    file_id = stored_file(campaign)
    campaign.put(template=header(file_id))
    for action in ("start", "cancel"):
        assert campaign.post(action).status == 200
    assert campaign.api("DELETE", f"/api/v1/media/{file_id}").status == 204


def test_a_test_goes_to_a_few_people_once_and_counts_nowhere(campaign: Campaign) -> None:
    consent = {"marketing": {"state": "granted", "source": "form"}}
    assert campaign.api("PUT", f"/api/v1/contacts/{ANA}/consent", consent).status == 200
    key = {"Idempotency-Key": "k1"}

    first = campaign.post("test", body={"people": [ANA]}, headers=key)
    again = campaign.post("test", body={"people": [ANA]}, headers=key)

    assert first.status == 202
    assert first.body == again.body
    assert len(first.body["message_ids"]) == 1
    assert (campaign.get()["status"], campaign.get()["counts"]) == ("draft", NOTHING)


def test_a_test_needs_consent_and_a_known_variant(campaign: Campaign) -> None:
    refused = campaign.post("test", body={"people": [ANA]})
    assert (refused.status, refused.body["code"], refused.body["reason"]) == (409, "start_refused", "no_consent")
    assert campaign.post("test", body={"people": [ANA], "variant": "x"}).body["code"] == "variant_unknown"
    assert campaign.post("test", body={"people": ["nobody at all"]}).body["code"] == "person_invalid"


def test_an_unknown_campaign_is_unknown_everywhere(campaign: Campaign) -> None:
    for action in ("start", "pause", "resume", "cancel"):
        assert campaign.api("POST", f"/api/v1/campaigns/absent/{action}").body["code"] == "campaign_unknown"
    test = campaign.api("POST", "/api/v1/campaigns/absent/test", {"people": [ANA]})
    assert test.body["code"] == "campaign_unknown"
    assert campaign.api("GET", "/api/v1/campaigns/absent").body["code"] == "campaign_unknown"


def test_results_compare_variants_and_holdout(campaign: Campaign, monkeypatch: pytest.MonkeyPatch) -> None:
    variants = [{"name": "short", "share": 1}, {"name": "long", "share": 1}]
    assert campaign.put(variants=variants, holdout=0.2).status == 200
    counts = AudienceCounts(
        {
            "read replied @short": 100,
            "sent @short": 900,
            "read replied @long": 200,
            "sent @long": 800,
            "-holdout replied": 50,
            "-holdout": 450,
        }
    )
    monkeypatch.setattr(ManageCampaigns, "_report", lambda _, found: CampaignReport(found, counts))

    answer = campaign.api("GET", f"{SPRING}/results", query={"smallest_effect": "0.05"})

    assert answer.status == 200
    assert (answer.body["goal"], answer.body["smallest_effect"], answer.body["alpha"]) == ("replied", 0.05, 0.05)
    shown = answer.body["variants"]
    assert [(one["name"], one["people"], one["reached"], one["verdict"]) for one in shown["arms"]] == [
        ("short", 1000, 100, "no_difference_yet"),
        ("long", 1000, 200, "better"),
    ]
    assert (shown["conclusion"], shown["sample_ratio_mismatch"]) == ("difference", False)
    assert re.fullmatch(
        r"It is proved that long is better than short, by [0-9.]+ to [0-9.]+ percentage points\.", shown["statement"]
    )
    assert [one["name"] for one in answer.body["holdout"]["arms"]] == ["holdout", "campaign"]
    assert campaign.api("GET", f"{SPRING}/results", query={"goal": "read"}).body["holdout"] is None
    assert campaign.api("GET", f"{SPRING}/results", query={"goal": "bought"}).status == 422
    assert campaign.api("GET", "/api/v1/campaigns/absent/results").body["code"] == "campaign_unknown"


def test_counts_of_outcomes() -> None:
    outcomes = {
        "": 1,
        "released": 2,
        "sent": 3,
        "delivered replied": 4,
        "read replied completed =62500": 5,
        "read opted_out": 6,
        "held": 7,
        "failed:131049": 8,
        "-holdout": 8,
        "-holdout replied": 1,
        "-no_consent": 9,
        "-no_consent late replied": 1,
    }
    counts = json.loads(counts_of(AudienceCounts(outcomes)).model_dump_json())
    assert counts == {
        "planned": 36,
        "waiting": 1,
        "sent": 18,
        "delivered": 15,
        "read": 11,
        "replied": 9,
        "completed": 5,
        "opted_out": 6,
        "held": 7,
        "holdout": 9,
        "unpriced": 20,
        "skipped": {"no_consent": 10},
        "failed": {"131049": 8},
    }
