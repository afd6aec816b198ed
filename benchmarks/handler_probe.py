"""A built handler in a process of its own, with the layer and nothing else, and AWS answering at once.

    python -S -P -m benchmarks.handler_probe warm BUILD SECONDS SAMPLES   plain turns, from webhook to statuses; writes SAMPLES
    python -S -P -m benchmarks.handler_probe cold NAME SAMPLES            import, wiring and the first event of a handler
    python -S -P -m benchmarks.handler_probe cold boto3 SAMPLES           a handler that imports boto3 only

Prints one JSON line. First imports the modules that Lambda's runtime client imports before a handler.
"""

import hashlib
import hmac
import http.client
import importlib
import importlib.util
import json
import logging
import os
import sys
import time
import traceback
import uuid
from collections.abc import Callable
from pathlib import Path
from time import perf_counter_ns, process_time_ns
from typing import Any

from benchmarks.instant_aws import InstantAws, Json
from benchmarks.reference import conversation

RUNTIME = (http.client, logging, traceback, uuid)  # see above
REPOSITORY = Path(__file__).parents[1]
ORGANIZATION, PHONE_NUMBER_ID, CONTACT = "demo", "100000000000001", "5511999990001"
SECRET = "demo-app-secret"  # noqa: S105
WIRING = {
    "webhook": "receive_notification",
    "flow_runner": "take_turn",
    "sender": "deliver",
    "statuses": "process_statuses",
    "scheduled": "fire_due_timers",
}
"""The first use case that the wiring of each function creates; for the REST API it depends on the route."""

Handler = Callable[[Json, Any], Any]


class LambdaContext:
    """The context that a handler gets."""

    aws_request_id = "c0ffee00-0000-4000-8000-000000000001"
    function_name = "probe"
    memory_limit_in_mb = 512
    invoked_function_arn = "arn:aws:lambda:us-east-1:000000000000:function:probe"

    def get_remaining_time_in_millis(self) -> int:
        """Return a large value."""
        return 600_000


CONTEXT = LambdaContext()


def sample(name: str) -> Json:
    """A sample event, as `sam local invoke` takes it."""
    event: Json = json.loads((REPOSITORY / "tests" / "events" / f"{name}.json").read_bytes())
    return event


def notification(value: Json) -> Json:
    """The event of API Gateway for a signed post of Meta."""
    metadata = {"display_phone_number": "551140000001", "phone_number_id": PHONE_NUMBER_ID}
    value = {"messaging_product": "whatsapp", "metadata": metadata, **value}
    entry = {"id": "100000000000000", "changes": [{"field": "messages", "value": value}]}
    body = json.dumps({"object": "whatsapp_business_account", "entry": [entry]})
    event = sample("webhook")
    event["body"] = body
    event["headers"]["x-hub-signature-256"] = f"sha256={hmac.new(SECRET.encode(), body.encode(), 'sha256').hexdigest()}"
    return event


def message(contact: str, number: int, text: str) -> Json:
    """A text message of a person."""
    result = {
        "from": contact,
        "id": f"wamid.{number:032d}",
        "timestamp": str(int(time.time())),
        "type": "text",
        "text": {"body": text},
    }
    return notification({"contacts": [{"wa_id": contact, "profile": {"name": "Ana"}}], "messages": [result]})


def status(post: Json, number: int, word: str) -> Json:
    """A delivery status of a message that was sent."""
    result = {
        "id": f"wamid.SENT{number}",
        "status": word,
        "timestamp": str(int(time.time())),
        "recipient_id": post["to"].lstrip("+"),
        "biz_opaque_callback_data": post["biz_opaque_callback_data"],
    }
    return notification({"statuses": [result]})


def records(name: str, bodies: list[str]) -> Json:
    """The event of Lambda for a function that reads a queue."""
    event = sample(name)
    [first] = event["Records"]
    event["Records"] = [
        {**first, "messageId": f"m{number}", "body": body, "md5OfBody": hashlib.md5(body.encode()).hexdigest()}  # noqa: S324
        for number, body in enumerate(bodies)
    ]
    return event


def prepare(cloud: InstantAws) -> None:
    """Publish the reference flow and connect a number, as an administrator does."""
    from pytake.conversation.number_setup import NumberChange
    from pytake.conversation.records import Organization
    from pytake.wiring import api, shared

    cloud.connect()
    authoring = api.flow_authoring()
    for name in ("reference_workload_order", "reference_workload"):
        document = json.loads((REPOSITORY / "examples" / "flows" / f"{name}.json").read_bytes())
        authoring.save_draft(ORGANIZATION, name, document | {"merge_texts": True})
        authoring.publish(ORGANIZATION, name, "probe")
    shared.tenants().put_organization(
        Organization(ORGANIZATION, messages_per_minute=4_800, contact_messages_per_minute=10_000)
    )
    change = NumberChange(
        display_phone_number="+55 11 4000-0001",
        default_flow_id="reference_workload",
        verify_token="demo-verify-token",  # noqa: S106
        app_secret=SECRET,
        access_token="demo-access-token",  # noqa: S106
    )
    api.number_setup().put(ORGANIZATION, PHONE_NUMBER_ID, change)


def handler_of(build: Path, name: str) -> Handler:
    """The handler of a built function, beside those of others."""
    folder = build / f"{''.join(part.title() for part in name.split('_'))}Function"
    spec = importlib.util.spec_from_file_location(f"{name}_handler", folder / "handler.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found: Handler = module.handler
    return found


class MessagePath:
    """The path of a message through the four handlers. Each call is timed without the time of AWS and Meta."""

    def __init__(self, build: Path, cloud: InstantAws) -> None:
        self._cloud = cloud
        self._handlers = {name: handler_of(build, name) for name in ("webhook", "flow_runner", "sender", "statuses")}
        self.times: dict[str, list[int]] = {}
        self.cpu: dict[str, int] = {}
        self.requests: dict[str, list[str]] = {}
        self.units: dict[str, float] = {}
        self.read_units: dict[str, float] = {}
        self.logged: dict[str, int] = {}
        self.samples: dict[str, Json] = {}

    def call(self, stage: str, name: str, event: Json) -> Any:
        """Pass an event to a handler and record the measurements."""
        cloud = self._cloud
        self.samples.setdefault(name, event)
        asked, units, spent, spent_cpu = len(cloud.requests), cloud.write_units, cloud.spent_ns, cloud.spent_cpu_ns
        read_units, logged = cloud.read_units, os.lseek(1, 0, os.SEEK_CUR)
        cpu_begun, begun = process_time_ns(), perf_counter_ns()
        answer = self._handlers[name](event, CONTEXT)
        took = perf_counter_ns() - begun - (cloud.spent_ns - spent)
        self.cpu[stage] = self.cpu.get(stage, 0) + process_time_ns() - cpu_begun - (cloud.spent_cpu_ns - spent_cpu)
        self.times.setdefault(stage, []).append(took)
        self.requests.setdefault(stage, []).extend(cloud.requests[asked:])
        self.units[stage] = self.units.get(stage, 0) + cloud.write_units - units
        self.read_units[stage] = self.read_units.get(stage, 0) + cloud.read_units - read_units
        self.logged[stage] = self.logged.get(stage, 0) + os.lseek(1, 0, os.SEEK_CUR) - logged
        return answer

    def turn(self, contact: str, number: int, text: str) -> None:
        """One message, its reply, and the reply's three statuses."""
        cloud, posted = self._cloud, len(self._cloud.posts)
        answer = self.call("webhook", "webhook", message(contact, number, text))
        assert answer["statusCode"] == 200, answer
        for stage, queue in (("flow_runner", "INBOUND"), ("sender", "OUTBOUND")):
            bodies = cloud.queues.pop(os.environ[f"{queue}_QUEUE_URL"], [])
            assert len(bodies) == 1, (stage, bodies)
            answer = self.call(stage, stage, records(stage, bodies))
            assert answer == {"batchItemFailures": []}, answer
        for place in range(posted, len(cloud.posts)):
            for word in ("sent", "delivered", "read"):
                self.call(f"webhook, {word}", "webhook", status(cloud.posts[place], place + 1, word))
                bodies = cloud.queues.pop(os.environ["STATUSES_QUEUE_URL"], [])
                if bodies:
                    self.call(f"statuses, {word}", "statuses", records("statuses", bodies))


def warm(build: Path, seconds: float, samples: Path) -> Json:
    """Run conversations for this many seconds. The stored items before the first one and the events of its first turn
    are written to `samples` for the cold starts."""
    cloud = InstantAws()
    prepare(cloud)
    cloud.connect_graph()
    stored = {"items": dict(cloud.items), "secrets": dict(cloud.secrets)}
    way = MessagePath(build, cloud)
    way.turn(CONTACT, 0, "hi")
    events = way.samples | {"api": sample("api"), "scheduled": sample("scheduled_due")}
    samples.write_text(json.dumps({**stored, "events": events}))
    for number in range(1, 4):
        for place, (said, _) in enumerate(conversation(number)):
            way.turn(f"{int(CONTACT) + number}", number * 10 + place, said)
    for kept in (way.times, way.cpu, way.requests, way.units, way.read_units, way.logged):
        kept.clear()
    stored_bytes = cloud.stored_bytes
    number, turns, stop = 10, 0, perf_counter_ns() + seconds * 1e9
    while perf_counter_ns() < stop:
        number += 1
        for place, (said, _) in enumerate(conversation(number)):
            way.turn(f"{int(CONTACT) + number}", number * 10 + place, said)
            turns += 1
        cloud.posts.clear()
    stages = {
        stage: {
            "calls": len(times) / turns,
            "p50_ms": sorted(times)[len(times) // 2] / 1e6,
            "p99_ms": sorted(times)[len(times) * 99 // 100] / 1e6,
            "cpu_ms": way.cpu[stage] / len(times) / 1e6,
            "write_units": way.units[stage] / turns,
            "read_units": way.read_units[stage] / turns,
            "log_bytes": way.logged[stage] / turns,
            "requests": {name: way.requests[stage].count(name) / turns for name in sorted(set(way.requests[stage]))},
        }
        for stage, times in way.times.items()
    }
    grown = (cloud.stored_bytes - stored_bytes) / turns
    return {"stages": stages, "stored_bytes": grown, "known": _of_known_people(way, range(1, 4))}


def _of_known_people(way: MessagePath, people: range) -> Json:
    """Per turn: AWS requests of the whole path and write units of the flow runner, for people who write once more."""
    for kept in (way.units, way.requests):
        kept.clear()
    turns = 0
    for number in people:
        for place, (said, _) in enumerate(conversation(number)):
            way.turn(f"{int(CONTACT) + number}", 10_000_000 + number * 10 + place, said)
            turns += 1
    asked = [name for names in way.requests.values() for name in names if not name.startswith("graph.")]
    return {"requests": len(asked) / turns, "write_units": way.units["flow_runner"] / turns}


def cold(name: str, samples: Path) -> Json:
    """Measure a new process until it has answered its first event."""
    result: Json = json.loads(samples.read_bytes())
    cloud = InstantAws(items=result["items"], secrets=result["secrets"])
    cpu_begun, begun = process_time_ns(), perf_counter_ns()
    if name == "boto3":
        import boto3

        imported = wired = perf_counter_ns()
        cpu = process_time_ns()
        boto3.client("dynamodb")
        boto3.client("sqs")
        answered = perf_counter_ns()
    else:
        handler: Handler = importlib.import_module("handler").handler
        imported = perf_counter_ns()
        if name in WIRING:
            getattr(importlib.import_module(f"pytake.wiring.{name}"), WIRING[name])()
        wired = perf_counter_ns()
        cpu = process_time_ns()
        cloud.connect()
        if "httpx" in sys.modules:
            cloud.connect_graph()
        connected = perf_counter_ns()
        handler(result["events"][name], CONTEXT)
        answered = perf_counter_ns() - (connected - wired)
    return {
        "import_ms": (imported - begun) / 1e6,
        "wiring_ms": (wired - imported) / 1e6,
        "first_event_ms": (answered - wired) / 1e6,
        "ready_cpu_ms": (cpu - cpu_begun) / 1e6,
    }


if __name__ == "__main__":
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # logs are written, and go nowhere
    if sys.argv[1] == "warm":
        from tempfile import TemporaryFile  # not above: cold starts are measured here, too

        logs = TemporaryFile()  # noqa: SIM115  for as long as the process lives; its size is counted
        os.dup2(logs.fileno(), 1)
        found = warm(Path(sys.argv[2]), float(sys.argv[3]), Path(sys.argv[4]))
    else:
        found = cold(sys.argv[2], Path(sys.argv[3]))
    answers.write(json.dumps(found) + "\n")
    answers.flush()
