"""Day limits of accounts on DynamoDB: one item per account, written conditionally."""

from collections.abc import Callable
from typing import TypeVar

import msgspec
from msgspec.structs import replace

from pytake.aws.table import ConditionFailedError, Table
from pytake.conversation.ports.common import ConflictError, until_written
from pytake.conversation.rate_limits import DayLimit

_SK = "DAYLIMIT"
_read = msgspec.json.Decoder(DayLimit).decode

Result = TypeVar("Result")


class DynamoDayLimits:
    """Implements `pytake.conversation.ports.deliveries.DayLimits`. The item stays: it holds counts, and no person."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def learn(self, organization_id: str, account_id: str, most: int | None, at: float) -> None:
        def change(known: DayLimit) -> tuple[DayLimit, None]:
            return (replace(known, most=most, reported_at=at) if at >= known.reported_at else known), None

        self._change(organization_id, account_id, change)

    def reserve(
        self, organization_id: str, account_id: str, people: int, now: float, unreported: int | None = None
    ) -> int:
        return self._change(organization_id, account_id, lambda known: known.reserve(people, now, unreported))

    def remaining(self, organization_id: str, account_id: str, now: float, unreported: int | None = None) -> int | None:
        try:
            found = self._table.item.get(_pk(organization_id, account_id), _SK, consistent_read=True)
        except self._table.item.DoesNotExist:
            return unreported
        return _read(found.body or "{}").remaining(now, unreported)

    def _change(
        self, organization_id: str, account_id: str, change: Callable[[DayLimit], tuple[DayLimit, Result]]
    ) -> Result:
        item, pk = self._table.item, _pk(organization_id, account_id)

        def write() -> Result:
            try:
                found = item.get(pk, _SK, consistent_read=True)
            except item.DoesNotExist:
                found = item(pk, _SK)
            known = _read(found.body) if found.body else DayLimit()
            after, result = change(known)
            if after == known:
                return result
            revision = int(found.revision or 0)
            entry = item(pk, _SK, body=msgspec.json.encode(after).decode(), revision=revision + 1)
            try:
                self._table.put(entry, item.revision == revision if revision else item.pk.does_not_exist())
            except ConditionFailedError:
                raise ConflictError("the day limit was written by another worker") from None
            return result

        return until_written(write, "the day limit")


def _pk(organization_id: str, account_id: str) -> str:
    return f"ORG#{organization_id}#DAYLIMIT#{account_id}"
