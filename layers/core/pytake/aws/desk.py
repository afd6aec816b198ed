"""Teams and canned replies on DynamoDB: one item for each list of an organization."""

from collections.abc import Mapping
from typing import TypeVar

import msgspec
from pynamodb.expressions.update import Action

from pytake.aws.change_log import recorded
from pytake.aws.table import Table
from pytake.conversation.change_log import Author, Resource, change_of
from pytake.conversation.desk import CannedReply, DeskChangedError, Team
from pytake.conversation.ports.common import until_written

_Entry = TypeVar("_Entry", Team, CannedReply)


class DynamoDesk:
    """Implements `pytake.conversation.desk.Desk`."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def teams(self, organization_id: str) -> tuple[dict[str, Team], int]:
        return self._load(organization_id, "TEAMS", Team)

    def put_teams(self, organization_id: str, teams: Mapping[str, Team], expected: int | None, author: Author) -> int:
        return self._put(organization_id, "TEAMS", Team, "teams", teams, expected, author)

    def replies(self, organization_id: str) -> tuple[dict[str, CannedReply], int]:
        return self._load(organization_id, "REPLIES", CannedReply)

    def put_replies(
        self, organization_id: str, replies: Mapping[str, CannedReply], expected: int | None, author: Author
    ) -> int:
        return self._put(organization_id, "REPLIES", CannedReply, "canned_replies", replies, expected, author)

    def _load(self, organization_id: str, sk: str, type_: type[_Entry]) -> tuple[dict[str, _Entry], int]:
        try:
            item = self._table.item.get(_pk(organization_id), sk, consistent_read=True)
        except self._table.item.DoesNotExist:
            return {}, 0
        entries: dict[str, _Entry] = msgspec.json.decode(item.body or "{}", type=dict[str, type_])  # type: ignore[valid-type]
        return entries, int(item.revision or 0)

    def _put(
        self,
        organization_id: str,
        sk: str,
        type_: type[_Entry],
        resource: Resource,
        entries: Mapping[str, _Entry],
        expected: int | None,
        author: Author,
    ) -> int:
        item = self._table.item

        def write() -> int:
            before, revision = self._load(organization_id, sk, type_)
            if expected not in (None, revision):
                raise DeskChangedError
            change = change_of(author, resource, before, entries)
            if change is None:
                return revision
            body = msgspec.json.encode(entries).decode()
            actions: list[Action] = [item.body.set(body), item.revision.set(revision + 1)]
            unchanged = item.revision == revision if revision else item.pk.does_not_exist()
            with recorded(self._table, organization_id, change) as transaction:
                transaction.update(item(_pk(organization_id), sk), actions, condition=unchanged)
            return revision + 1

        return until_written(write, f"the {resource}")


def _pk(organization_id: str) -> str:
    return f"ORG#{organization_id}#DESK"
