"""Campaigns and their audiences on DynamoDB (ADR 32).

A campaign is one item. Each part of its audience is an item too, and so are the part's counts, from which a report is made
without reading the people.
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from itertools import islice

import msgspec
from msgspec.structs import replace
from pynamodb.exceptions import TransactWriteError
from pynamodb.transactions import TransactWrite

from pytake.aws.table import ConditionFailedError, Item, Table, cancellation_codes
from pytake.campaigns.audience import AudienceCounts, AudiencePart, total, without
from pytake.campaigns.records import Campaign
from pytake.conversation.ports.common import Clock, ConflictError, until_written
from pytake.conversation.retention_policy import RetentionPolicy

ACTIVE_PK, RECOUNT_PK = "CAMPAIGNS", "RECOUNTS"
"""The partitions of the index `due` with active campaigns, and with parts that are recounted."""

_PART, _COUNTS = "PART#", "COUNTS#"
_CONFLICTS = frozenset({"ConditionalCheckFailed", "TransactionConflict"})

_encode = msgspec.json.Encoder().encode
_read_campaign = msgspec.json.Decoder(Campaign)
_read_part = msgspec.json.Decoder(AudiencePart)
_read_counts = msgspec.json.Decoder(AudienceCounts)


class DynamoCampaigns:
    """Implements `pytake.campaigns.ports.Campaigns`."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def load(self, organization_id: str, campaign_id: str) -> Campaign | None:
        try:
            found = self._table.item.get(_campaigns_pk(organization_id), campaign_id, consistent_read=True)
        except self._table.item.DoesNotExist:
            return None
        return _campaign(found)

    def save(self, campaign: Campaign) -> Campaign:
        item = self._table.item
        body = _encode(replace(campaign, revision=0)).decode()
        stored = item(
            _campaigns_pk(campaign.organization_id), campaign.campaign_id, body=body, revision=campaign.revision + 1
        )
        if campaign.is_active:
            is_later = campaign.status == "scheduled" and campaign.chunk is None
            stored.due_pk, stored.due_at = ACTIVE_PK, (campaign.definition.start_at or 0) if is_later else 0
        unchanged = item.revision == campaign.revision if campaign.revision else item.pk.does_not_exist()
        try:
            self._table.put(stored, unchanged)
        except ConditionFailedError:
            raise ConflictError("the campaign was written by another worker") from None
        return replace(campaign, revision=campaign.revision + 1)

    def page(self, organization_id: str, limit: int, after: str = "") -> list[Campaign]:
        behind = self._table.item.sk > after if after else None
        found = self._table.item.query(_campaigns_pk(organization_id), behind, consistent_read=True)
        return [_campaign(entry) for entry in islice(found, limit)]

    def active(self, now: float) -> list[tuple[str, str]]:
        item = self._table.item
        found = item.due.query(ACTIVE_PK, item.due_at <= now)
        return [(entry.pk.split("#")[1], entry.sk) for entry in found]


class DynamoAudiences:
    """Implements `pytake.campaigns.ports.Audiences`."""

    def __init__(self, table: Table, retention: RetentionPolicy, clock: Clock) -> None:
        self._table = table
        self._retention = retention
        self._clock = clock

    def load(self, organization_id: str, campaign_id: str, zone: str, number: int) -> AudiencePart | None:
        pk = audience_pk(organization_id, campaign_id)
        try:
            return _part(self._table.item.get(pk, _PART + _place(zone, number), consistent_read=True))
        except self._table.item.DoesNotExist:
            return None

    def put(self, organization_id: str, campaign_id: str, part: AudiencePart) -> AudiencePart:
        item, pk = self._table.item, audience_pk(organization_id, campaign_id)
        expires_at = int(self._clock()) + self._retention(organization_id)
        place = _place(part.zone, part.number)
        stored = item(
            pk,
            _PART + place,
            body=_encode(replace(part, revision=0)).decode(),
            revision=part.revision + 1,
            seq=part.epoch,
            expires_at=expires_at,
        )
        if part.recount_at is not None:
            stored.due_pk, stored.due_at = RECOUNT_PK, part.recount_at
        counts = item(pk, _COUNTS + place, body=_encode(part.counts()).decode(), expires_at=expires_at)
        unwritten = item.pk.does_not_exist() | (item.seq <= part.epoch)
        unchanged = item.revision == part.revision if part.revision else unwritten
        try:
            with TransactWrite(connection=self._table.connection) as transaction:
                transaction.save(stored, condition=unchanged)
                transaction.save(counts)
        except TransactWriteError as error:
            if set(cancellation_codes(error)) & _CONFLICTS:
                raise ConflictError("the part was written by another worker") from None
            raise
        return replace(part, revision=part.revision + 1)

    def counts(self, organization_id: str, campaign_id: str) -> AudienceCounts:
        pk = audience_pk(organization_id, campaign_id)
        found = self._table.item.query(pk, self._table.item.sk.startswith(_COUNTS))
        return total(_read_counts.decode(entry.body or "") for entry in found)

    def to_recount(self, now: float) -> Iterator[tuple[str, str, str, int]]:
        item = self._table.item
        for entry in item.due.query(RECOUNT_PK, item.due_at <= now):
            _, organization_id, _, campaign_id = entry.pk.split("#")
            zone, number = entry.sk.removeprefix(_PART).split("#")
            yield organization_id, campaign_id, zone, int(number)

    def forget(self, organization_id: str, contact_ids: Sequence[str]) -> int:
        return forget(self._table, organization_id, contact_ids)


def forget(table: Table, organization_id: str, contact_ids: Iterable[str]) -> int:
    """Remove erased people from all audiences of an organization; returns how many parts changed.

    The parts of all campaigns are searched on the server; only those that name a contact are read and written.
    """
    item, changed = table.item, 0
    ids = list(dict.fromkeys(contact_ids))
    campaigns = item.query(_campaigns_pk(organization_id), consistent_read=True, attributes_to_get=["pk", "sk"])
    for campaign_id in [entry.sk for entry in campaigns]:
        for contact_id in ids:
            named = item.query(
                audience_pk(organization_id, campaign_id),
                item.sk.startswith(_PART),
                filter_condition=item.body.contains(_encode(contact_id).decode()),
                consistent_read=True,
                attributes_to_get=["pk", "sk"],
            )
            for entry in list(named):
                changed += until_written(partial(_forget, table, entry.pk, entry.sk, contact_id), "a part")
    return changed


def _forget(table: Table, pk: str, sk: str, contact_id: str) -> int:
    """Remove a person from a part. Everything else of its items stays, also when they expire."""
    try:
        stored = table.item.get(pk, sk, consistent_read=True)
    except table.item.DoesNotExist:
        return 0
    part = _part(stored)
    if contact_id not in part.recipients:
        return 0
    after = without(part, contact_id)
    stored.body, stored.revision = _encode(replace(after, revision=0)).decode(), part.revision + 1
    counts = table.item(pk, sk.replace(_PART, _COUNTS, 1), body=_encode(after.counts()).decode())
    counts.expires_at = stored.expires_at
    try:
        with TransactWrite(connection=table.connection) as transaction:
            transaction.save(stored, condition=table.item.revision == part.revision)
            transaction.save(counts)
    except TransactWriteError as error:
        if set(cancellation_codes(error)) & _CONFLICTS:
            raise ConflictError("the part was written by another worker") from None
        raise
    return 1


def audience_pk(organization_id: str, campaign_id: str) -> str:
    return f"ORG#{organization_id}#AUDIENCE#{campaign_id}"


def _campaigns_pk(organization_id: str) -> str:
    return f"ORG#{organization_id}#CAMPAIGNS"


def _place(zone: str, number: int) -> str:
    return f"{zone}#{number:06d}"


def _campaign(item: Item) -> Campaign:
    return replace(_read_campaign.decode(item.body or ""), revision=int(item.revision or 0))


def _part(item: Item) -> AudiencePart:
    return replace(_read_part.decode(item.body or ""), revision=int(item.revision or 0))
