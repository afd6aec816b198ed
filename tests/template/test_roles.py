"""A snapshot of the permissions of each function: a new permission requires a change of this file."""

from tests.stack import Stack
from tests.template.permissions import as_list, granted, statements

TABLE = "Table"
INDEXES = ("Table/index/due", "Table/index/log", "Table/index/recent")
SECRETS = "secretsmanager:secret:pytake/${Stage}/*"
APP_SECRETS = "secretsmanager:secret:pytake/${Stage}/*/app-secret*"
ACCESS_TOKENS = "secretsmanager:secret:pytake/${Stage}/*/access-token*"
FLOW_SECRETS = "secretsmanager:secret:pytake/${Stage}/*/flow-secrets*"
MODELS = (
    "arn:${AWS::Partition}:bedrock:*::foundation-model/${AllowedModels}",
    "bedrock:inference-profile/*${AllowedModels}",
)
EMAIL_IDENTITIES = "ses:identity/*"
OUR_FUNCTIONS = "lambda:function:pytake-${Stage}-*"
ALARMS = "cloudwatch:alarm:*"
BUS = "events:event-bus/${EventBusName}"

GLUE = ("glue:catalog", "glue:database/default", "glue:database/${LakeDatabase}", "glue:table/${LakeDatabase}/*")
ASK_THE_LAKE: dict[str, set[str]] = {
    "athena:workgroup/${WorkGroup}": {
        "athena:StartQueryExecution",
        "athena:GetQueryExecution",
        "athena:GetQueryResults",
    },
    **{place: {"glue:GetDatabase", "glue:GetTable", "glue:GetPartitions"} for place in GLUE},
    "LakeBucket": {"s3:ListBucket", "s3:ListBucketMultipartUploads", "s3:GetBucketLocation"},
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
    """Return the permissions that all functions have."""
    return {
        logs: {"logs:CreateLogStream", "logs:PutLogEvents"},
        "*": {"xray:PutTraceSegments", "xray:PutTelemetryRecords"},  # X-Ray has no resources to name
    }


PERMISSIONS: dict[str, dict[str, set[str]]] = {
    "WebhookRole": {
        TABLE: {"dynamodb:BatchGetItem", "dynamodb:GetItem"},
        APP_SECRETS: {"secretsmanager:GetSecretValue"},
        "InboundQueue": {"sqs:SendMessage"},
        "StatusesQueue": {"sqs:SendMessage"},
        BUS: {"events:PutEvents"},
        **everyone("WebhookLogs"),
    },
    "FlowRunnerRole": {
        TABLE: {
            "dynamodb:BatchGetItem",
            "dynamodb:ConditionCheckItem",
            "dynamodb:GetItem",
            "dynamodb:PutItem",
            "dynamodb:Query",
            "dynamodb:UpdateItem",
        },
        "InboundQueue": {*CONSUME, "sqs:SendMessage"},
        "InboundDeadLetters": {"sqs:SendMessage"},
        "OutboundQueue": {"sqs:SendMessage"},
        "MediaQueue": {"sqs:SendMessage"},
        "LakeBucket/flows/*": {"s3:GetObject"},
        FLOW_SECRETS: {"secretsmanager:GetSecretValue"},
        **{model: {"bedrock:InvokeModel"} for model in MODELS},
        EMAIL_IDENTITIES: {"ses:SendEmail"},
        BUS: {"events:PutEvents"},
        **everyone("FlowRunnerLogs"),
    },
    "SenderRole": {
        TABLE: {
            "dynamodb:BatchGetItem",
            "dynamodb:DeleteItem",
            "dynamodb:GetItem",
            "dynamodb:PutItem",
            "dynamodb:Query",
            "dynamodb:UpdateItem",
        },
        "MediaQueue": CONSUME,
        "LakeBucket/media/contacts/*": {"s3:PutObject"},
        "LakeBucket/files/*": {"s3:GetObject"},
        "LakeBucket": {"s3:ListBucket"},  # below files/ only, see the condition
        "OutboundQueue": {*CONSUME, "sqs:SendMessage"},
        "OutboundDeadLetters": {"sqs:SendMessage"},
        "BulkQueue": {*CONSUME, "sqs:SendMessage"},
        "BulkDeadLetters": {"sqs:SendMessage"},
        ACCESS_TOKENS: {"secretsmanager:GetSecretValue"},
        BUS: {"events:PutEvents"},
        **everyone("SenderLogs"),
    },
    "StatusesRole": {
        TABLE: {"dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"},
        "StatusesQueue": CONSUME,
        "OutboundQueue": {"sqs:SendMessage"},
        "BulkQueue": {"sqs:SendMessage"},
        BUS: {"events:PutEvents"},
        **everyone("StatusesLogs"),
    },
    "ScheduledRole": {
        **dict.fromkeys((TABLE, *INDEXES), EVERY_ITEM_ACTION),
        "InboundQueue": {"sqs:SendMessage"},
        "OutboundQueue": {"sqs:SendMessage"},
        "BulkQueue": {"sqs:SendMessage"},
        "ScheduleDeadLetters": {"sqs:SendMessage"},
        **dict.fromkeys(("InboundDeadLetters", "OutboundDeadLetters", "BulkDeadLetters", "MediaDeadLetters"), SWEEP),
        "StatusesDeadLetters": {*SWEEP, "sqs:SendMessage"},
        "LakeBucket/events/*": {"s3:DeleteObjectVersion", "s3:GetObject", "s3:PutObject"},
        "LakeBucket/daily/*": {"s3:DeleteObjectVersion", "s3:GetObject", "s3:PutObject"},
        "LakeBucket/media/*": {"s3:DeleteObjectVersion"},
        "LakeBucket/imports/*": {"s3:DeleteObjectVersion", "s3:GetObject"},
        "LakeBucket/flows/*": {"s3:GetObject"},
        "LakeBucket/athena/*": {
            "s3:GetObject",
            "s3:PutObject",
            "s3:DeleteObject",
            "s3:DeleteObjectVersion",
            "s3:AbortMultipartUpload",
            "s3:ListMultipartUploadParts",
        },
        **ASK_THE_LAKE,
        "athena:workgroup/${WorkGroup}": {
            *ASK_THE_LAKE["athena:workgroup/${WorkGroup}"],
            "athena:BatchGetQueryExecution",
        },
        "LakeBucket": {
            "s3:ListBucket",
            "s3:ListBucketVersions",
            "s3:ListBucketMultipartUploads",
            "s3:GetBucketLocation",
        },
        BUS: {"events:PutEvents"},
        **everyone("ScheduledLogs"),
    },
    "ApiRole": {
        **dict.fromkeys((TABLE, *INDEXES), EVERY_ITEM_ACTION),
        "InboundQueue": {"sqs:SendMessage"},
        "OutboundQueue": {"sqs:SendMessage"},
        "BulkQueue": {"sqs:SendMessage"},
        "LakeBucket/flows/*": {"s3:GetObject", "s3:PutObject"},
        "LakeBucket/media/uploads/*": {"s3:GetObject", "s3:PutObject", "s3:DeleteObject"},
        "LakeBucket/files/*": {"s3:GetObject", "s3:PutObject", "s3:DeleteObject"},
        "LakeBucket/media/contacts/*": {"s3:GetObject"},
        "LakeBucket/erasures/*": {"s3:PutObject"},
        "LakeBucket/imports/*": {"s3:PutObject"},
        "lambda:function:pytake-${Stage}-scheduled:live": {"lambda:InvokeFunction"},
        "LakeBucket/events/*": {"s3:GetObject"},
        "LakeBucket/daily/*": {"s3:GetObject"},
        "LakeBucket/athena/*": {
            "s3:GetObject",
            "s3:PutObject",
            "s3:AbortMultipartUpload",
            "s3:ListMultipartUploadParts",
        },
        **ASK_THE_LAKE,
        SECRETS: {
            "secretsmanager:CreateSecret",
            "secretsmanager:DeleteSecret",
            "secretsmanager:GetSecretValue",
            "secretsmanager:PutSecretValue",
            "secretsmanager:UpdateSecretVersionStage",
        },
        BUS: {"events:PutEvents"},
        **everyone("ApiLogs"),
    },
    "ConsoleRole": everyone("ConsoleLogs"),
    "ScheduleRole": {
        "ScheduledFunctionAliaslive": {"lambda:InvokeFunction"},
        "ScheduleDeadLetters": {"sqs:SendMessage"},
    },
    "DeploymentRole": {
        OUR_FUNCTIONS: {"lambda:GetAlias", "lambda:GetProvisionedConcurrencyConfig", "lambda:UpdateAlias"},
        ALARMS: {"cloudwatch:DescribeAlarms"},
    },
}

# The resources that may contain a star, and why.
STARS = {
    "*": "X-Ray has no resources to name",
    SECRETS: "two secrets per number and one per organization, made while the system runs",
    APP_SECRETS: "one per number, with random characters at the end once it exists",
    ACCESS_TOKENS: "one per number, with random characters at the end once it exists",
    FLOW_SECRETS: "one secret per organization; its ARN ends in six random characters once it exists",
    **dict.fromkeys(MODELS, "a flow names its model"),
    EMAIL_IDENTITIES: "the address to send from, its domain, and recipients while SES's sandbox is on",
    "LakeBucket/flows/*": "one object per large flow",
    "LakeBucket/erasures/*": "one object per erasure",
    "LakeBucket/imports/*": "files of contacts, until they are imported",
    "LakeBucket/media/*": "files of people and of agents",
    "LakeBucket/media/contacts/*": "files of people",
    "LakeBucket/media/uploads/*": "files that agents send",
    "LakeBucket/files/*": "library files",
    "LakeBucket/events/*": "the lake's objects",
    "LakeBucket/daily/*": "the lake's objects",
    "LakeBucket/athena/*": "results of queries",
    OUR_FUNCTIONS: "the functions of this stage; their names would make a circle with their aliases",
    ALARMS: "CodeDeploy asks for all alarms at once",
    "glue:table/${LakeDatabase}/*": "the tables of the lake's own database",
}


def test_each_function_has_exactly_the_listed_permissions(stack: Stack) -> None:
    roles = stack.properties("AWS::IAM::Role")
    assert {name: granted(role) for name, role in roles.items()} == PERMISSIONS


def test_each_function_has_its_own_role_without_managed_policies(stack: Stack) -> None:
    functions = stack.properties("AWS::Lambda::Function").values()
    roles = [function["Role"]["Fn::GetAtt"][0] for function in functions]
    assert len(set(roles)) == len(roles)
    for role in stack.properties("AWS::IAM::Role").values():
        assert "ManagedPolicyArns" not in role


def test_stars_are_only_where_they_are_needed(stack: Stack) -> None:
    for role in stack.properties("AWS::IAM::Role").values():
        for resource, actions in granted(role).items():
            assert not any("*" in action for action in actions)
            assert "*" not in resource or resource in STARS


def test_only_the_scheduler_of_this_stage_may_use_its_role(stack: Stack) -> None:
    [statement] = stack.properties("AWS::IAM::Role")["ScheduleRole"]["AssumeRolePolicyDocument"]["Statement"]
    assert set(statement["Condition"]["StringEquals"]) == {"aws:SourceAccount", "aws:SourceArn"}


def test_emails_leave_only_from_the_configured_address_and_only_with_one(stack: Stack) -> None:
    policy = stack.properties("AWS::IAM::Role")["FlowRunnerRole"]["Policies"][0]["PolicyDocument"]
    (choice,) = [statement["Fn::If"] for statement in policy["Statement"] if "Fn::If" in statement]
    assert (choice[0], choice[2]) == ("SendsEmails", {"Ref": "AWS::NoValue"})
    assert choice[1]["Condition"] == {"StringEquals": {"ses:FromAddress": {"Ref": "EmailFrom"}}}


def test_no_role_may_scan(stack: Stack) -> None:
    for role in stack.properties("AWS::IAM::Role").values():
        assert "dynamodb:Scan" not in set().union(*granted(role).values())


def test_no_policy_has_two_statements_of_the_same_name(stack: Stack) -> None:
    """IAM refuses such a policy."""
    for name, role in stack.properties("AWS::IAM::Role").items():
        for policy in role["Policies"]:
            found = [one["Sid"] for one in policy["PolicyDocument"]["Statement"] if "Sid" in one]
            assert len(set(found)) == len(found), name


def test_the_sender_lists_library_files_and_nothing_else_of_the_bucket(stack: Stack) -> None:
    role = stack.properties("AWS::IAM::Role")["SenderRole"]
    (listing,) = [one for one in statements(role) if "s3:ListBucket" in as_list(one["Action"])]
    assert listing["Condition"] == {"StringLike": {"s3:prefix": "files/*"}}
