"""What each function may do, as a snapshot: a new permission is a decision, so it changes this file."""

import re
from collections.abc import Iterator
from typing import Any

from tests.stack import Stack

TABLE = "Table"
INDEXES = ("Table/index/due", "Table/index/log")
SECRETS = "secretsmanager:secret:pytake/${Stage}/*"
FLOW_SECRETS = "secretsmanager:secret:pytake/${Stage}/*/flow-secrets*"
MODELS = ("arn:${AWS::Partition}:bedrock:*::foundation-model/*", "bedrock:inference-profile/*")
BUS = "events:event-bus/${EventBusName}"

GLUE = ("glue:catalog", "glue:database/${LakeDatabase}", "glue:table/${LakeDatabase}/*")
ASK_THE_LAKE: dict[str, set[str]] = {
    "athena:workgroup/${WorkGroup}": {
        "athena:StartQueryExecution",
        "athena:GetQueryExecution",
        "athena:GetQueryResults",
    },
    **{place: {"glue:GetDatabase", "glue:GetTable", "glue:GetPartitions"} for place in GLUE},
    "LakeBucket": {"s3:ListBucket", "s3:GetBucketLocation"},
}

EVERY_ITEM_ACTION = {
    "dynamodb:BatchGetItem",
    "dynamodb:BatchWriteItem",
    "dynamodb:ConditionCheckItem",
    "dynamodb:DeleteItem",
    "dynamodb:GetItem",
    "dynamodb:PutItem",
    "dynamodb:Query",
    "dynamodb:UpdateItem",
}
CONSUME = {"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ChangeMessageVisibility"}


SWEEP = {"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility"}


def everyone(logs: str) -> dict[str, set[str]]:
    """Return what all functions may do."""
    return {
        logs: {"logs:CreateLogStream", "logs:PutLogEvents"},
        "*": {"xray:PutTraceSegments", "xray:PutTelemetryRecords"},  # X-Ray has no resources to name
    }


PERMISSIONS: dict[str, dict[str, set[str]]] = {
    "WebhookRole": {
        TABLE: {"dynamodb:GetItem"},
        SECRETS: {"secretsmanager:GetSecretValue"},
        "InboundQueue": {"sqs:SendMessage"},
        "StatusesQueue": {"sqs:SendMessage"},
        BUS: {"events:PutEvents"},
        **everyone("WebhookLogs"),
    },
    "FlowRunnerRole": {
        TABLE: {
            "dynamodb:ConditionCheckItem",
            "dynamodb:GetItem",
            "dynamodb:PutItem",
            "dynamodb:Query",
            "dynamodb:UpdateItem",
        },
        "InboundQueue": CONSUME,
        "InboundDeadLetters": {"sqs:SendMessage"},
        "OutboundQueue": {"sqs:SendMessage"},
        "LakeBucket/flows/*": {"s3:GetObject"},
        FLOW_SECRETS: {"secretsmanager:GetSecretValue"},
        **{model: {"bedrock:InvokeModel"} for model in MODELS},
        BUS: {"events:PutEvents"},
        **everyone("FlowRunnerLogs"),
    },
    "SenderRole": {
        TABLE: {
            "dynamodb:DeleteItem",
            "dynamodb:GetItem",
            "dynamodb:PutItem",
            "dynamodb:Query",
            "dynamodb:UpdateItem",
        },
        "OutboundQueue": {*CONSUME, "sqs:SendMessage"},
        "OutboundDeadLetters": {"sqs:SendMessage"},
        SECRETS: {"secretsmanager:GetSecretValue"},
        BUS: {"events:PutEvents"},
        **everyone("SenderLogs"),
    },
    "StatusesRole": {
        TABLE: {"dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"},
        "StatusesQueue": CONSUME,
        "OutboundQueue": {"sqs:SendMessage"},
        BUS: {"events:PutEvents"},
        **everyone("StatusesLogs"),
    },
    "ScheduledRole": {
        **dict.fromkeys((TABLE, *INDEXES), EVERY_ITEM_ACTION),
        "InboundQueue": {"sqs:SendMessage"},
        "ScheduleDeadLetters": {"sqs:SendMessage"},
        **dict.fromkeys(("InboundDeadLetters", "OutboundDeadLetters"), SWEEP),
        "StatusesDeadLetters": {*SWEEP, "sqs:SendMessage"},
        "LakeBucket/events/*": {"s3:DeleteObjectVersion", "s3:GetObject", "s3:PutObject"},
        "LakeBucket/daily/*": {"s3:DeleteObjectVersion", "s3:GetObject", "s3:PutObject"},
        "LakeBucket/athena/*": {
            "s3:GetObject",
            "s3:PutObject",
            "s3:DeleteObject",
            "s3:DeleteObjectVersion",
            "s3:AbortMultipartUpload",
        },
        **ASK_THE_LAKE,
        "LakeBucket": {"s3:ListBucket", "s3:ListBucketVersions", "s3:GetBucketLocation"},
        BUS: {"events:PutEvents"},
        **everyone("ScheduledLogs"),
    },
    "ApiRole": {
        **dict.fromkeys((TABLE, *INDEXES, "Table/index/recent"), EVERY_ITEM_ACTION),
        "InboundQueue": {"sqs:SendMessage"},
        "OutboundQueue": {"sqs:SendMessage"},
        "LakeBucket/flows/*": {"s3:GetObject", "s3:PutObject"},
        "LakeBucket/events/*": {"s3:GetObject"},
        "LakeBucket/daily/*": {"s3:GetObject"},
        "LakeBucket/athena/*": {"s3:GetObject", "s3:PutObject", "s3:AbortMultipartUpload"},
        **ASK_THE_LAKE,
        SECRETS: {
            "secretsmanager:CreateSecret",
            "secretsmanager:GetSecretValue",
            "secretsmanager:PutSecretValue",
            "secretsmanager:UpdateSecretVersionStage",
        },
        BUS: {"events:PutEvents"},
        **everyone("ApiLogs"),
    },
    "ScheduleRole": {
        "ScheduledFunction": {"lambda:InvokeFunction"},
        "ScheduleDeadLetters": {"sqs:SendMessage"},
    },
}

# Where a star may stand, and why.
STARS = {
    "*": "X-Ray has no resources to name",
    SECRETS: "one secret per number and one per organization, made while the system runs",
    FLOW_SECRETS: "one secret per organization; its ARN ends in six characters of chance, and without them while there is none",
    **dict.fromkeys(MODELS, "a flow names its model"),
    "LakeBucket/flows/*": "one object per large flow",
    "LakeBucket/events/*": "the lake's objects",
    "LakeBucket/daily/*": "the lake's objects",
    "LakeBucket/athena/*": "results of queries",
    "glue:table/${LakeDatabase}/*": "the tables of the lake's own database",
}


def statements(role: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the statements of a role's own policies."""
    for policy in role["Policies"]:
        yield from policy["PolicyDocument"]["Statement"]


def as_list(value: Any) -> list[Any]:
    """Return a value that IAM lets stand alone as a list."""
    return value if isinstance(value, list) else [value]


def short(resource: Any) -> str:
    """Return a resource as a name: the logical id, and what follows it; ARNs without account and region."""
    if isinstance(resource, str):
        return resource
    if "Fn::GetAtt" in resource:
        return str(resource["Fn::GetAtt"][0])
    text: str = resource["Fn::Sub"]
    arn = re.fullmatch(r"arn:\$\{AWS::Partition\}:(\w+):\$\{AWS::Region\}:\$\{AWS::AccountId\}:(.+)", text)
    return f"{arn[1]}:{arn[2]}" if arn else re.sub(r"\$\{(\w+)\.Arn\}", r"\1", text)


def granted(role: dict[str, Any]) -> dict[str, set[str]]:
    """Return what a role may do, by resource."""
    found: dict[str, set[str]] = {}
    for statement in statements(role):
        assert statement["Effect"] == "Allow"
        for resource in as_list(statement["Resource"]):
            found.setdefault(short(resource), set()).update(as_list(statement["Action"]))
    return found


def test_each_function_may_do_what_it_does_and_nothing_else(stack: Stack) -> None:
    roles = stack.properties("AWS::IAM::Role")
    assert {name: granted(role) for name, role in roles.items()} == PERMISSIONS


def test_each_function_has_its_own_role_without_managed_policies(stack: Stack) -> None:
    functions = stack.properties("AWS::Lambda::Function").values()
    roles = [function["Role"]["Fn::GetAtt"][0] for function in functions]
    assert len(set(roles)) == len(roles)
    for role in stack.properties("AWS::IAM::Role").values():
        assert "ManagedPolicyArns" not in role


def test_no_action_and_no_resource_is_wider_than_it_must_be(stack: Stack) -> None:
    for role in stack.properties("AWS::IAM::Role").values():
        for resource, actions in granted(role).items():
            assert not any("*" in action for action in actions)
            assert "*" not in resource or resource in STARS


def test_only_the_scheduler_of_this_stage_may_use_its_role(stack: Stack) -> None:
    [statement] = stack.properties("AWS::IAM::Role")["ScheduleRole"]["AssumeRolePolicyDocument"]["Statement"]
    assert set(statement["Condition"]["StringEquals"]) == {"aws:SourceAccount", "aws:SourceArn"}


def test_nobody_may_scan(stack: Stack) -> None:
    for role in stack.properties("AWS::IAM::Role").values():
        assert "dynamodb:Scan" not in set().union(*granted(role).values())
