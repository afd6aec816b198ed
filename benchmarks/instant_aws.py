"""An AWS and a Graph API that answer inside the process: no network, no waiting. It keeps items, queues and secrets, and
counts requests, read and write units as AWS bills them.

It replaces the HTTP connections of botocore and httpx, so that the product still serialises, signs and parses. Its own time
is measured and subtracted. Conditions of writes always hold: it covers the plain case, tests cover the others. It uses only the
standard library, because it runs with the built layer.
"""

import json
import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from time import perf_counter_ns, process_time_ns
from typing import Any

Json = dict[str, Any]
Item = dict[str, dict[str, Any]]

INDEXES = {"due": ("due_pk", "due_at"), "log": ("log_pk", "log_sk"), "recent": ("recent_pk", "recent_at")}
"""The table's indexes (keys only): a write that changes an entry's keys costs units of its own."""

ENTRY_BYTES = 300
"""An index entry (keys only, both the table's and its own), the hundred on top included; measured entries are smaller."""


@dataclass
class InstantAws:
    """The stored items, queues and secrets, and the counted requests."""

    items: dict[str, Item] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)
    queues: dict[str, list[str]] = field(default_factory=dict)
    posts: list[Json] = field(default_factory=list)  # to the Graph API
    requests: list[str] = field(default_factory=list)
    write_units: float = 0
    read_units: float = 0
    spent_ns: int = 0
    spent_cpu_ns: int = 0

    def connect(self) -> None:
        """Replace the HTTP connections of botocore, and of httpx if it is installed."""
        import botocore.httpsession
        from botocore.awsrequest import AWSResponse
        from botocore.compat import HTTPHeaders

        def send(_: Any, request: Any) -> Any:
            begun, cpu = perf_counter_ns(), process_time_ns()
            target: str = request.headers["X-Amz-Target"]
            target = target if isinstance(target, str) else target.decode()
            status, answer = self.answer(target, json.loads(request.body))
            headers = HTTPHeaders()
            headers["x-amzn-RequestId"] = "instant"
            response: Any = AWSResponse(request.url, status, headers, None)
            response._content = json.dumps(answer).encode()  # what it would have read from the connection
            self.spent_ns += perf_counter_ns() - begun
            self.spent_cpu_ns += process_time_ns() - cpu
            return response

        botocore.httpsession.URLLib3Session.send = send  # type: ignore[method-assign, assignment]

    def connect_graph(self) -> None:
        """Replace the connection to the Graph API. Imports httpx."""
        import httpx

        def handle(_: Any, request: Any) -> Any:
            begun, cpu = perf_counter_ns(), process_time_ns()
            body = json.loads(request.read())
            if body.get("status") == "read":  # a read receipt, beside the messages
                self.requests.append("graph.read")
                answer: Json = {"success": True}
            else:
                self.posts.append(body)
                self.requests.append("graph.messages")
                answer = {"messaging_product": "whatsapp", "messages": [{"id": f"wamid.SENT{len(self.posts)}"}]}
            response = httpx.Response(200, headers={"content-type": "application/json"}, content=json.dumps(answer))
            self.spent_ns += perf_counter_ns() - begun
            self.spent_cpu_ns += process_time_ns() - cpu
            return response

        httpx.HTTPTransport.handle_request = handle  # type: ignore[method-assign, assignment]

    @property
    def stored_bytes(self) -> int:
        """The billed bytes of the table: items and index entries, each plus a hundred bytes."""
        entries = sum(_entry(item, names) is not None for item in self.items.values() for names in INDEXES.values())
        return sum(_size(item) + 100 for item in self.items.values()) + entries * ENTRY_BYTES

    def answer(self, target: str, asked: Json) -> tuple[int, Json]:
        """The status and the body for one request."""
        service, _, operation = target.rpartition(".")
        service = {"DynamoDB_20120810": "dynamodb", "AmazonSQS": "sqs", "AWSEvents": "events"}.get(service, service)
        self.requests.append(f"{service}.{operation}")
        answers: dict[str, Callable[[Json], Json | None]] = {
            "dynamodb.GetItem": self._get,
            "dynamodb.BatchGetItem": self._get_batch,
            "dynamodb.Query": self._query,
            "dynamodb.PutItem": lambda asked: self._write({"Put": asked}, 1),
            "dynamodb.UpdateItem": lambda asked: self._write({"Update": asked}, 1),
            "dynamodb.DeleteItem": lambda asked: self._write({"Delete": asked}, 1),
            "dynamodb.TransactWriteItems": self._transact,
            "sqs.SendMessage": self._send,
            "sqs.SendMessageBatch": self._send_batch,
            "secretsmanager.GetSecretValue": self._secret,
            "secretsmanager.PutSecretValue": self._put_secret,
            "secretsmanager.CreateSecret": self._put_secret,
            "events.PutEvents": lambda asked: {"FailedEntryCount": 0, "Entries": [{} for _ in asked["Entries"]]},
        }
        found = answers[f"{service}.{operation}"](asked)
        return (200, found) if found is not None else (400, {"__type": "ResourceNotFoundException"})

    def _get(self, asked: Json) -> Json:
        item = self.items.get(_key(asked["Key"]))
        self.read_units += max(1, math.ceil(_size(item) / 4096)) * (1 if asked.get("ConsistentRead") else 0.5)
        return {"Item": item} if item is not None else {}

    def _get_batch(self, asked: Json) -> Json:
        [(table, wanted)] = asked["RequestItems"].items()
        consistent = wanted.get("ConsistentRead", False)
        found = [self._get({"Key": key, "ConsistentRead": consistent}) for key in wanted["Keys"]]
        return {"Responses": {table: [one["Item"] for one in found if one]}, "UnprocessedKeys": {}}

    def _query(self, asked: Json) -> Json:
        if asked.get("IndexName"):
            return {"Items": [], "Count": 0, "ScannedCount": 0}
        values = asked["ExpressionAttributeValues"]
        wanted = [next(iter(values[name].values())) for name in re.findall(r":\w+", asked["KeyConditionExpression"])]
        pk, prefix = wanted[0], wanted[1] if len(wanted) > 1 else ""
        found = [item for item in self.items.values() if item["pk"]["S"] == pk and item["sk"]["S"].startswith(prefix)]
        return {"Items": found, "Count": len(found), "ScannedCount": len(found)}

    def _transact(self, asked: Json) -> Json:
        for write in asked["TransactItems"]:
            self._write(write, 2)
        return {}

    def _write(self, write: Json, units_per_kilobyte: int) -> Json:
        [(kind, asked)] = write.items()
        key = _key(asked["Item"] if kind == "Put" else asked["Key"])
        before = self.items.get(key)
        after: Item | None = None
        if kind == "Put":
            after = asked["Item"]
        elif kind == "Update":
            after = _updated(before or asked["Key"], asked)
        elif kind == "ConditionCheck":
            after = before
        largest = max(_size(before), _size(after), 1)
        self.write_units += math.ceil(largest / 1024) * units_per_kilobyte
        for names in INDEXES.values():
            old, new = _entry(before, names), _entry(after, names)
            if old != new:
                self.write_units += (old is not None) + (new is not None)
        if after is None:
            self.items.pop(key, None)
            return {}
        self.items[key] = after
        return {"Attributes": after} if asked.get("ReturnValues", "NONE") != "NONE" else {}

    def _send(self, asked: Json) -> Json:
        self.queues.setdefault(asked["QueueUrl"], []).append(asked["MessageBody"])
        return {"MessageId": "instant"}

    def _send_batch(self, asked: Json) -> Json:
        for entry in asked["Entries"]:
            self.queues.setdefault(asked["QueueUrl"], []).append(entry["MessageBody"])
        return {"Successful": [{"Id": entry["Id"], "MessageId": "instant"} for entry in asked["Entries"]], "Failed": []}

    def _secret(self, asked: Json) -> Json | None:
        text = self.secrets.get(asked["SecretId"])
        return {"Name": asked["SecretId"], "SecretString": text} if text is not None else None

    def _put_secret(self, asked: Json) -> Json:
        name = asked.get("SecretId") or asked["Name"]
        self.secrets[name] = asked["SecretString"]
        return {"Name": name}


def _key(key: Item) -> str:
    return f"{key['pk']['S']}\n{key['sk']['S']}"


def _entry(item: Item | None, names: tuple[str, str]) -> list[Any] | None:
    return [item[name] for name in names] if item is not None and all(name in item for name in names) else None


def _size(item: Item | None) -> int:
    """Bytes of an item: names and values, as DynamoDB counts them."""
    return sum(len(name) + len(str(next(iter(typed.values()))).encode()) for name, typed in (item or {}).items())


def _updated(before: Item, asked: Json) -> Item:
    """The item after an update expression with SET of a value or sum, ADD of a number or a set, or REMOVE."""
    item = dict(before)
    names: dict[str, str] = asked.get("ExpressionAttributeNames", {})
    values: Item = asked.get("ExpressionAttributeValues", {})
    sections = re.split(r"\b(SET|REMOVE|ADD|DELETE)\b ?", asked.get("UpdateExpression", ""))
    for action, clauses in zip(sections[1::2], sections[2::2], strict=True):
        for clause in re.findall(r"(?:[^,(]|\([^)]*\))+", clauses):
            name = names[re.findall(r"#\w+", clause)[0]]
            value = next((values[found] for found in re.findall(r":\w+", clause)), None)
            if action == "REMOVE":
                item.pop(name, None)
            elif value is not None and "SS" in value:
                item[name] = {"SS": sorted({*item.get(name, {"SS": []})["SS"], *value["SS"]})}
            elif value is not None and (action == "ADD" or "+" in clause):
                item[name] = {"N": str(float(item.get(name, {"N": "0"})["N"]) + float(value["N"]))}
            elif value is not None:
                item[name] = value
    return item
