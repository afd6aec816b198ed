"""What a role of the translated template allows."""

import re
from collections.abc import Iterator
from typing import Any

STORED_TABLE = "arn:${AWS::Partition}:dynamodb:${AWS::Region}:${AWS::AccountId}:table/${StoredTable.Value}"
STORED_BUCKET = "arn:${AWS::Partition}:s3:::${StoredBucket.Value}"


def statements(role: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the statements of a role's own policies."""
    for policy in role["Policies"]:
        for statement in policy["PolicyDocument"]["Statement"]:
            yield statement["Fn::If"][1] if "Fn::If" in statement else statement  # with every condition true


def as_list(value: Any) -> list[Any]:
    """Return a value as a list; IAM accepts a single value, too."""
    return value if isinstance(value, list) else [value]


def short(resource: Any) -> str:
    """Return the short name of a resource: its logical id and the rest of the path; ARNs without account and region."""
    if isinstance(resource, str):
        return resource
    if "Fn::GetAtt" in resource:
        return str(resource["Fn::GetAtt"][0])
    if "Ref" in resource:
        return str(resource["Ref"])
    text: str = resource["Fn::Sub"]
    text = text.replace(STORED_TABLE, "Table").replace(STORED_BUCKET, "LakeBucket")
    arn = re.fullmatch(r"arn:\$\{AWS::Partition\}:(\w+):\$\{AWS::Region\}:\$\{AWS::AccountId\}:(.+)", text)
    return f"{arn[1]}:{arn[2]}" if arn else re.sub(r"\$\{(\w+)\.Arn\}", r"\1", text)


def granted(role: dict[str, Any]) -> dict[str, set[str]]:
    """Return the actions that a role allows, by resource."""
    found: dict[str, set[str]] = {}
    for statement in statements(role):
        assert statement["Effect"] == "Allow"
        for resource in as_list(statement["Resource"]):
            found.setdefault(short(resource), set()).update(as_list(statement["Action"]))
    return found
