"""As much of AWS's command line as docs/operations.md uses, so that a test can run the commands of the page as they are.

`python -m tests.cloud.aws_cli lambda put-function-concurrency --function-name f --reserved-concurrent-executions 0`
"""

import json
import sys
from typing import Any

import boto3
import jmespath
from botocore import xform_name

KEPT = {"query", "output"}
"""Options of the command line itself."""


def call(service: str, operation: str, *rest: str) -> Any:
    """Make one call and return the answer, or what `--query` finds in it."""
    client = boto3.client(service)  # type: ignore[call-overload]
    waits = operation == "wait"
    waiter = client.get_waiter(rest[0].replace("-", "_")) if waits else None
    method = {"table-exists": "describe_table"}[rest[0]] if waits else operation.replace("-", "_")
    shape = client.meta.service_model.operation_model(client.meta.method_to_api_mapping[method]).input_shape
    members = {xform_name(name, "-"): (name, member.type_name) for name, member in shape.members.items()}
    given: dict[str, Any] = {}
    kept: dict[str, str] = {}
    words = list(rest[1:] if waits else rest)
    while words:
        option = words.pop(0).removeprefix("--")
        if option in KEPT:
            kept[option] = words.pop(0)
            continue
        name, kind = members[option if option in members else option.removeprefix("no-")]
        given[name] = option in members if kind == "boolean" else _value(kind, words.pop(0))
    if waiter is not None:
        waiter.wait(**given)
        return None
    answer = getattr(client, method)(**given)
    return jmespath.search(kept["query"], answer) if "query" in kept else answer


def _value(kind: str, text: str) -> Any:
    if kind == "structure":  # the short form: Enabled=true,AttributeName=expires_at
        parts = dict(part.split("=", 1) for part in text.split(","))
        return {name: value == "true" if value in ("true", "false") else value for name, value in parts.items()}
    return int(text) if kind in ("integer", "long") else text


if __name__ == "__main__":
    answer = call(*sys.argv[1:])
    if isinstance(answer, list):
        sys.stdout.write("\t".join(map(str, answer)) + "\n")
    elif answer is not None:
        sys.stdout.write((answer if isinstance(answer, str) else json.dumps(answer, default=str)) + "\n")
