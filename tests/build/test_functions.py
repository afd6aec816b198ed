"""Each built function answers its sample event in AWS's runtime client, with only the layer available.

The events are those for `sam local invoke`. They form one story: a number is connected, a flow is published, a person writes
and is answered, and the answer is delivered.
"""

import base64
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from local.expanded_template import expanded
from tests.build.conftest import FUNCTIONS, REPOSITORY, Graph, free_port, in_containers
from tests.build.lambda_sandbox import FunctionFailedError, Sandbox, sandbox
from tests.build.sam_local import local_options, start_api

pytestmark = pytest.mark.build

EVENTS = REPOSITORY / "tests" / "events"
PHONE_NUMBER_ID = "100000000000001"
CONTACT = "5511999990001"
FLOW = {
    "format": 1,
    "id": "hello",
    "name": "Hello",
    "language": "pt_BR",
    "start_node_id": "start",
    "nodes": [
        {"id": "start", "type": "start", "data": {"next_node_id": "name"}},
        {
            "id": "name",
            "type": "question",
            "data": {"question": "Olá! Qual é o seu nome?", "variable": "name", "next_node_id": "end"},
        },
        {"id": "end", "type": "end", "data": {"message": "Obrigado, {{name}}!"}},
    ],
}
NUMBER = {
    "display_phone_number": "+55 11 4000-0001",
    "verify_token": "demo-verify-token",
    "app_secret": "demo-app-secret",
    "access_token": "demo-access-token",
    "default_flow_id": "hello",
}


def sample(name: str) -> dict[str, Any]:
    """Return a committed sample event."""
    event: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text())
    return event


def api_event(method: str, path: str, body: Any = None) -> dict[str, Any]:
    """Return the sample event of the API as another request."""
    event = sample("api")
    event["rawPath"] = event["requestContext"]["http"]["path"] = path
    event["requestContext"]["http"]["method"] = method
    if body is not None:
        event["headers"]["content-type"] = "application/json"
        event["body"] = json.dumps(body)
    return event


@pytest.fixture(scope="module")
def connected(functions: dict[str, Sandbox]) -> dict[str, Sandbox]:
    """The functions, after an administrator published a flow and connected a number."""
    for method, path, body in (
        ("PUT", "/api/v1/flows/hello", FLOW),
        ("POST", "/api/v1/flows/hello/publish", None),
        ("PUT", f"/api/v1/numbers/{PHONE_NUMBER_ID}", NUMBER),
    ):
        answer = functions["api"].invoke(api_event(method, path, body))
        assert answer["statusCode"] == 200, (answer, functions["api"].log)
    return functions


def enabled_schedules(build: Path) -> list[dict[str, Any]]:
    """The enabled schedules of the built template."""
    resources = expanded(build / "template.yaml")["Resources"].values()
    schedules = [one["Properties"] for one in resources if one["Type"] == "AWS::Scheduler::Schedule"]
    return [schedule for schedule in schedules if schedule.get("State", "ENABLED") == "ENABLED"]


def received(client: Callable[[str], Any], queue_url: str) -> list[dict[str, Any]]:
    """Receive and delete the messages of a queue, and return their JSON."""
    found = client("sqs").receive_message(QueueUrl=queue_url, MaxNumberOfMessages=10).get("Messages", [])
    for message in found:
        client("sqs").delete_message(QueueUrl=queue_url, ReceiptHandle=message["ReceiptHandle"])
    return [json.loads(message["Body"]) for message in found]


def function_of(event: str) -> str:
    """Return the function of a sample event: the event's name begins with its name."""
    return max((name for name in FUNCTIONS if event.startswith(name)), key=len)


def test_every_function_and_every_job_has_a_sample_event(build: Path) -> None:
    names = {path.stem for path in EVENTS.glob("*.json")}
    assert {function_of(name) for name in names} == set(FUNCTIONS)
    assert names >= {f"scheduled_{json.loads(one['Target']['Input'])['job']}" for one in enabled_schedules(build)}


def test_api_lists_the_organizations_flows(connected: dict[str, Sandbox]) -> None:
    answer = connected["api"].invoke(sample("api"))
    assert answer["statusCode"] == 200
    assert [(flow["flow_id"], flow["published_version"]) for flow in json.loads(answer["body"])] == [("hello", 1)]


def test_api_describes_itself(connected: dict[str, Sandbox]) -> None:
    answer = connected["api"].invoke(sample("api_openapi"))
    assert answer["statusCode"] == 200
    assert json.loads(answer["body"])["openapi"].startswith("3.")


def test_console_has_its_page_and_everything_that_the_page_asks_for(connected: dict[str, Sandbox]) -> None:
    def asked(path: str) -> dict[str, Any]:
        return connected["console"].invoke({**sample("console"), "rawPath": path})

    page = asked("/console/build/hello")
    assert (page["statusCode"], page["headers"]["content-encoding"]) == (200, "br")
    plain = connected["console"].invoke({**sample("console"), "headers": {}})
    text = base64.b64decode(plain["body"]).decode()
    files = re.findall(r'(?:src|href)="(/console/[^"]+)"', text)
    assert len(files) >= 3
    answers = {path: asked(path) for path in files}
    assert {answer["statusCode"] for answer in answers.values()} == {200}
    sent = sum(len(base64.b64decode(answer["body"])) for answer in answers.values())
    assert sent <= 300_000, "what the first page loads at once, compressed"


def test_no_part_of_the_console_that_is_loaded_later_is_large(build: Path) -> None:
    site = build / "ConsoleFunction" / "site"
    at_once = (site / "index.html").read_text()
    compressed = [path for path in (site / "assets").glob("*.br") if path.name.removesuffix(".br") not in at_once]
    parts = {path.name: path.stat().st_size for path in compressed}
    assert len(parts) > 10
    assert {name: size for name, size in parts.items() if size > 150_000} == {}


def test_webhook_answers_the_verification_by_meta(connected: dict[str, Sandbox]) -> None:
    answer = connected["webhook"].invoke(sample("webhook_verify"))
    assert (answer["statusCode"], answer["body"]) == (200, "1158201444")


def test_webhook_queues_a_signed_message(
    connected: dict[str, Sandbox], client: Callable[[str], Any], environment: dict[str, str]
) -> None:
    answer = connected["webhook"].invoke(sample("webhook"))
    assert (answer["statusCode"], json.loads(answer["body"])) == (200, {"status": "received"})
    [queued] = received(client, environment["INBOUND_QUEUE_URL"])
    [expected] = [json.loads(record["body"]) for record in sample("flow_runner")["Records"]]
    # The sample event of the flow runner is what the webhook queues.
    assert queued["message"] == expected["message"]
    assert set(queued) == set(expected)


def test_webhook_refuses_a_changed_body(connected: dict[str, Sandbox]) -> None:
    event = sample("webhook")
    event["body"] = event["body"].replace("Oi", "Ai")
    assert connected["webhook"].invoke(event)["statusCode"] == 403


def test_flow_runner_runs_the_turn_and_queues_the_answer(
    connected: dict[str, Sandbox], client: Callable[[str], Any], environment: dict[str, str]
) -> None:
    assert connected["flow_runner"].invoke(sample("flow_runner")) == {"batchItemFailures": []}
    [queued] = received(client, environment["OUTBOUND_QUEUE_URL"])
    [expected] = [json.loads(record["body"]) for record in sample("sender")["Records"]]
    assert [message["text"] for message in queued["messages"]] == ["Olá! Qual é o seu nome?"]
    assert set(queued) == set(expected)


def test_sender_posts_to_the_graph_api_and_statuses_records_the_result(
    connected: dict[str, Sandbox], graph: Graph
) -> None:
    assert connected["sender"].invoke(sample("sender")) == {"batchItemFailures": []}
    [(path, payload)] = [taken for taken in graph.taken if "status" not in taken[1]]
    [(_, receipt)] = [taken for taken in graph.taken if "status" in taken[1]]
    assert receipt == {"messaging_product": "whatsapp", "status": "read", "message_id": "wamid.SAMPLE1"}
    assert path == f"/v25.0/{PHONE_NUMBER_ID}/messages"
    assert (payload["to"], payload["type"], payload["text"]["body"]) == (f"+{CONTACT}", "text", "Olá, Ana!")
    [record] = sample("statuses")["Records"]
    [status] = json.loads(record["body"])["statuses"]
    assert payload["biz_opaque_callback_data"] == status["biz_opaque_callback_data"]
    assert connected["statuses"].invoke(sample("statuses")) == {"batchItemFailures": []}
    assert '"moved":1' in connected["statuses"].log.replace(" ", "")


def test_scheduled_runs_the_due_job(connected: dict[str, Sandbox]) -> None:
    answer = connected["scheduled"].invoke(sample("scheduled_due"))
    assert answer["job"] == "due"


def test_events_are_exported_to_the_lake_once(
    connected: dict[str, Sandbox], client: Callable[[str], Any], environment: dict[str, str]
) -> None:
    connected["flow_runner"].invoke(sample("flow_runner"))
    runs = [connected["scheduled"].invoke({"job": "export"}) for _ in range(2)]
    assert [run["up_to_date"] for run in runs] == [True, True]
    assert runs[1]["files"] == 0
    found = client("s3").list_objects_v2(Bucket=environment["LAKE_BUCKET"], Prefix="events/organization_id=")
    assert found["KeyCount"] >= 1
    assert all(entry["Key"].endswith(".parquet") for entry in found["Contents"])


def test_only_jobs_that_exist_are_scheduled(connected: dict[str, Sandbox], build: Path) -> None:
    assert enabled_schedules(build)
    for schedule in enabled_schedules(build):
        event = json.loads(schedule["Target"]["Input"])
        # EventBridge Scheduler replaces the placeholder.
        event["scheduled_time"] = event["scheduled_time"].replace(
            "<aws.scheduler.scheduled-time>", "2026-11-23T00:00:00Z"
        )
        connected["scheduled"].invoke(event)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_that_fails_reveals_its_input_neither_to_lambda_nor_to_the_log(
    functions: dict[str, Sandbox], name: str
) -> None:
    written = len(functions[name].log)
    with pytest.raises(FunctionFailedError) as failed:
        functions[name].invoke({"job": f"{CONTACT} wrote", "Records": [{"body": CONTACT}], CONTACT: "wrote"})
    revealed = f"{failed.value}{functions[name].log[written:]}"
    assert '"errorType":"FunctionFailedError"' in revealed.replace(" ", "")
    assert '"function.failed"' in revealed.replace(" ", "")
    assert CONTACT not in revealed


@pytest.mark.parametrize("event", sorted(path.stem for path in EVENTS.glob("*.json")))
def test_each_sample_event_is_answered(connected: dict[str, Sandbox], event: str) -> None:
    answer = connected[function_of(event)].invoke(sample(event))
    if "statusCode" in answer:
        assert answer["statusCode"] == 200
    elif "job" in answer:
        assert f"scheduled_{answer['job']}" == event
    else:
        assert answer == {"batchItemFailures": []}


def test_a_missing_variable_is_named(
    build: Path, built_layer: Path, environment: dict[str, str], tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    if in_containers(request.config):
        pytest.skip("the build is for another Python than this one")
    without = {name: value for name, value in environment.items() if name != "TABLE_NAME"}
    with (
        sandbox(build / "WebhookFunction", built_layer, without, tmp_path) as function,
        pytest.raises(FunctionFailedError, match=r"(?i)table_name"),
    ):
        function.invoke(sample("webhook"))


def test_sam_local_start_api_serves_the_routes_of_the_template(
    connected: dict[str, Sandbox],
    build: Path,
    variables: dict[str, dict[str, str]],
    parameters: dict[str, str],
    tmp_path: Path,
    request: pytest.FixtureRequest,
) -> None:
    if not in_containers(request.config):
        pytest.skip("needs --sam-local")
    by_id = {FUNCTIONS[name]: variables[name] for name in ("webhook", "api")}
    options = local_options(build, by_id, parameters, tmp_path)
    with start_api(options, free_port("127.0.0.1"), tmp_path) as address:
        described = httpx.get(f"{address}/api/v1/openapi.json", timeout=120)
        assert (described.status_code, described.json()["info"]["title"]) == (200, "PyTake Serverless")
        proof = {"hub.mode": "subscribe", "hub.verify_token": NUMBER["verify_token"], "hub.challenge": "1158201444"}
        verified = httpx.get(f"{address}/api/v1/whatsapp/webhook", params=proof, timeout=120)
        assert (verified.status_code, verified.text) == (200, "1158201444")


def test_a_cold_start_logs_nothing_of_the_libraries(functions: dict[str, Sandbox]) -> None:
    assert "pynamo" not in "".join(function.log for function in functions.values())
