"""The botocore session of a function: requests are those of botocore's own session, which registers more handlers."""

import re
from collections.abc import Callable
from typing import Any

import botocore.session
import pytest
from botocore.awsrequest import AWSResponse
from botocore.session import Session

from layers.core.build_layer import SERVICES as LAYER_SERVICES
from pytake.aws import session as ours
from pytake.aws.session import SERVICES, new_session
from tests.stack import REPOSITORY

SIGNED = ("Authorization", "X-Amz-Date", "amz-sdk-invocation-id", "User-Agent", "X-Amz-Security-Token")

CALLS: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "a turn": (
        "dynamodb",
        lambda client: client.transact_write_items(
            TransactItems=[{"Put": {"TableName": "t", "Item": {"pk": {"S": "a"}}}}], ClientRequestToken="once"
        ),
    ),
    "a batch": (
        "sqs",
        lambda client: client.send_message_batch(
            QueueUrl="https://sqs.us-east-1.amazonaws.com/1/q", Entries=[{"Id": "0", "MessageBody": "x"}]
        ),
    ),
    "an event": (
        "events",
        lambda client: client.put_events(Entries=[{"Source": "a", "DetailType": "b", "Detail": "{}"}]),
    ),
    "a secret": (
        "secretsmanager",
        lambda client: client.put_secret_value(SecretId="s", SecretString="x", ClientRequestToken="a" * 32),
    ),
    "a file": ("s3", lambda client: client.put_object(Bucket="b", Key="k ö+", Body=b"x", Metadata={"a": "b"})),
    "a list": ("s3", lambda client: client.list_objects_v2(Bucket="b", Prefix="k ö+")),
    "a deletion": ("s3", lambda client: client.delete_objects(Bucket="b", Delete={"Objects": [{"Key": "k"}]})),
    "a model": (
        "bedrock-runtime",
        lambda client: client.converse(modelId="m:0", messages=[{"role": "user", "content": [{"text": "Hi"}]}]),
    ),
    "a query": (
        "athena",
        lambda client: client.start_query_execution(QueryString="select 1", ClientRequestToken="b" * 32),
    ),
    "an e-mail": (
        "sesv2",
        lambda client: client.send_email(
            Content={"Simple": {"Subject": {"Data": "a"}, "Body": {"Text": {"Data": "b"}}}},
            Destination={"ToAddresses": ["a@example.com"]},
        ),
    ),
}


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("ACCESS_KEY_ID", "key"), ("SECRET_ACCESS_KEY", "secret"), ("DEFAULT_REGION", "us-east-1")):
        monkeypatch.setenv(f"AWS_{name}", value)


def asked(session: Session, service: Any, call: Callable[[Any], Any]) -> tuple[Any, ...]:
    """The request that a call sends: method, address, headers and body, without what differs between two requests."""
    sent: list[Any] = []

    def answer(request: Any, **_: Any) -> AWSResponse:
        sent.append(request)
        response: Any = AWSResponse(request.url, 200, {}, None)
        response._content = b"<ListBucketResult/>" if service == "s3" else b"{}"
        return response

    client = session.create_client(service)
    client.meta.events.register("before-send", answer)
    call(client)
    [request] = sent
    body = request.body.read() if hasattr(request.body, "read") else request.body
    headers = {name: value for name, value in request.headers.items() if name not in SIGNED}
    return request.method, request.url, headers, body


@pytest.mark.parametrize("name", CALLS)
def test_requests_are_those_of_botocores_own_session(name: str) -> None:
    service, call = CALLS[name]
    assert asked(new_session(), service, call) == asked(botocore.session.get_session(), service, call)


def test_handlers_of_a_service_are_registered_with_its_first_client_once() -> None:
    session = new_session()

    def count(service: str) -> int:
        event = f"before-parameter-build.{service}.PutObject"
        return len(session.get_component("event_emitter")._emitter._handlers.prefix_search(event))

    assert count("s3") == count("dynamodb")
    session.create_client("s3")
    made = count("s3")
    assert made > count("dynamodb")
    session.create_client("s3")
    assert count("s3") == made


def test_the_layer_describes_the_same_services() -> None:
    assert SERVICES == LAYER_SERVICES


def test_the_layer_describes_each_service_that_a_function_asks_for() -> None:
    sources = (REPOSITORY / "layers" / "core" / "pytake").rglob("*.py")
    asked = {name for source in sources for name in re.findall(r'client\("([a-z0-9-]+)"\)', source.read_text())}
    assert {"lambda", "sqs"} <= asked <= SERVICES


def test_credentials_are_those_of_the_environment_or_what_botocore_finds_elsewhere(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert new_session().get_credentials().access_key == "key"
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")

    class Elsewhere:
        def load_credentials(self) -> str:
            return "those of a profile"

    monkeypatch.setattr(ours, "create_credential_resolver", lambda _: Elsewhere())
    assert new_session().get_credentials() == "those of a profile"
