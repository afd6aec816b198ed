"""Teams and canned replies on DynamoDB: one item for each list of an organization."""

from collections.abc import Mapping
from typing import TypeVar

import msgspec

from pytake.aws.table import Table
from pytake.aws.updates import update_if
from pytake.conversation.desk import CannedReply, DeskChangedError, Team

_Entry = TypeVar("_Entry", Team, CannedReply)


class DynamoDesk:
    """Implements `pytake.conversation.desk.Desk`."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def teams(self, organization_id: str) -> tuple[dict[str, Team], int]:
        return self._load(organization_id, "TEAMS", Team)

    def put_teams(self, organization_id: str, teams: Mapping[str, Team], expected: int | None) -> int:
        return self._put(organization_id, "TEAMS", teams, expected)

    def replies(self, organization_id: str) -> tuple[dict[str, CannedReply], int]:
        return self._load(organization_id, "REPLIES", CannedReply)

    def put_replies(self, organization_id: str, replies: Mapping[str, CannedReply], expected: int | None) -> int:
        return self._put(organization_id, "REPLIES", replies, expected)

    def _load(self, organization_id: str, sk: str, type_: type[_Entry]) -> tuple[dict[str, _Entry], int]:
        try:
            item = self._table.item.get(_pk(organization_id), sk, consistent_read=True)
        except self._table.item.DoesNotExist:
            return {}, 0
        entries: dict[str, _Entry] = msgspec.json.decode(item.body or "{}", type=dict[str, type_])  # type: ignore[valid-type]
        return entries, int(item.revision or 0)

    def _put(self, organization_id: str, sk: str, entries: Mapping[str, _Entry], expected: int | None) -> int:
        item, place = self._table.item, (_pk(organization_id), sk)
        body = item.body.set(msgspec.json.encode(entries).decode())
        written = item(*place)
        unchanged = item.revision == expected if expected else item.pk.does_not_exist() if expected == 0 else None
        if not update_if(written, [body, item.revision.add(1)], unchanged):
            raise DeskChangedError
        return int(written.revision or 0)


def _pk(organization_id: str) -> str:
    return f"ORG#{organization_id}#DESK"
