"""Campaigns: what the API and the scheduled function use."""

from functools import cache

from pytake.aws.campaigns import DynamoAudiences, DynamoCampaigns
from pytake.aws.segments import DynamoSegments
from pytake.wiring import shared


@cache
def campaigns() -> DynamoCampaigns:
    return DynamoCampaigns(shared.table())


@cache
def audiences() -> DynamoAudiences:
    return DynamoAudiences(shared.table(), shared.retention(), shared.clock)


@cache
def segments() -> DynamoSegments:
    return DynamoSegments(shared.table())
