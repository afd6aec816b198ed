"""What people said is in the reports minutes later, and an analyst with Athena's own client counts the same."""

from typing import Any

import pytest

from tests.cloud.aws import Aws
from tests.cloud.conftest import Cloud
from tests.local.athena.conftest import Athena

pytestmark = pytest.mark.cloud

FLOW_ID = "lead_qualifier"  # the demo's


def reports(cloud: Cloud, aws: Aws) -> tuple[dict[str, Any], dict[str, int]]:
    """Return the report and the visits of nodes, as of now."""
    aws.export()
    with cloud.api("analyst") as api:
        base = f"/whatsapp-analytics/flows/{FLOW_ID}"
        report = api.get(f"{base}/report", params={"days": 2}).raise_for_status().json()
        heatmap = api.get(f"{base}/nodes-heatmap", params={"days": 2}).raise_for_status().json()
    return report, {node["node_id"]: node["visits"] for node in heatmap["nodes"]}


def test_what_was_said_is_reported_and_athena_s_own_client_agrees(cloud: Cloud, new_phone: str) -> None:
    aws = Aws(cloud)
    before, visits_before = reports(cloud, aws)
    for count, text in enumerate(("Oi", "Sim"), 1):
        cloud.say(new_phone, text)
        cloud.answers(new_phone, count)
    after, visits = reports(cloud, aws)
    assert after["conversations"]["total"] == before["conversations"]["total"] + 1
    assert after["conversations"]["unique_users"] == before["conversations"]["unique_users"] + 1
    assert after["messages"]["from_user"] == before["messages"]["from_user"] + 2
    assert visits["nome"] == visits_before.get("nome", 0) + 1
    assert after["as_of"] > (before["as_of"] or "")

    athena = Athena(aws.client("athena"))
    started = athena.client.start_query_execution(
        QueryString="SELECT count(*) FROM events WHERE organization_id = ? AND flow_id = ? AND type = 'session_started'",
        ExecutionParameters=["'demo'", f"'{FLOW_ID}'"],
        WorkGroup=aws.outputs["WorkGroupName"],
        QueryExecutionContext={"Database": aws.outputs["LakeDatabaseName"]},
    )
    assert athena.ended(started["QueryExecutionId"])["Status"]["State"] == "SUCCEEDED"
    rows = athena.client.get_query_results(QueryExecutionId=started["QueryExecutionId"])["ResultSet"]["Rows"]
    assert rows[1]["Data"][0]["VarCharValue"] == str(after["conversations"]["total"])
    assert aws.run("aggregate")["finished"]


def test_the_work_group_offers_the_saved_queries(cloud: Cloud) -> None:
    aws = Aws(cloud)
    athena = aws.client("athena")
    ids = athena.list_named_queries(WorkGroup=aws.outputs["WorkGroupName"])["NamedQueryIds"]
    names = {athena.get_named_query(NamedQueryId=id_)["NamedQuery"]["Name"] for id_ in ids}
    assert {"pytake: funnel", "pytake: drop off", "pytake: ab comparison"} <= names
