"""The copies of message templates: what the API, the sender and the statuses function use."""

from functools import cache

from pytake.aws.templates import DynamoTemplates
from pytake.wiring import shared


@cache
def templates() -> DynamoTemplates:
    return DynamoTemplates(shared.table(), shared.clock)
