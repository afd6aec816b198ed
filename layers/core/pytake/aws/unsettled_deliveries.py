"""The deliveries of an organization that people look after, on DynamoDB."""

from collections.abc import Iterator
from itertools import groupby

from pytake.aws.deliveries import delivery_of
from pytake.aws.table import Item, Table, conversation_key, held_pk, is_unexpired, unsettled_pk
from pytake.conversation.ports.common import Clock
from pytake.conversation.ports.deliveries import UnsettledDelivery, UnsettledState
from pytake.conversation.records import ConversationKey, Delivery

PAGE = 50
"""About as many as a page of the API has."""


class DynamoUnsettledDeliveries:
    """Implements `pytake.conversation.ports.deliveries.UnsettledDeliveries`."""

    def __init__(self, table: Table, clock: Clock) -> None:
        self._table = table
        self._clock = clock

    def listed(
        self, organization_id: str, state: UnsettledState, after: UnsettledDelivery | None = None
    ) -> Iterator[UnsettledDelivery]:
        item = self._table.item
        older = item.recent_at <= after.at if after is not None else None
        places = item.recent.query(
            unsettled_pk(organization_id, state), older, scan_index_forward=False, page_size=PAGE
        )
        page: list[Item] = []
        for _, equal in groupby(places, lambda place: place.recent_at):
            page += sorted(equal, key=lambda place: (conversation_key(place.pk), place.sk))
            if len(page) >= PAGE:
                yield from self._read(page, state, after)
                page = []
        yield from self._read(page, state, after)

    def _read(
        self, places: list[Item], state: UnsettledState, after: UnsettledDelivery | None
    ) -> Iterator[UnsettledDelivery]:
        if not places:
            return
        now = self._clock()
        found = {
            (entry.pk, entry.sk): entry
            for entry in self._table.item.batch_get([(place.pk, place.sk) for place in places], consistent_read=True)
        }
        for place in places:
            entry = found.get((place.pk, place.sk))
            if entry is None or not is_unexpired(entry, now):
                continue
            delivery = delivery_of(entry)
            unsettled = UnsettledDelivery(conversation_key(entry.pk), delivery, float(place.recent_at or 0))
            if delivery.state != state or (delivery.reached_meta and delivery.status != "failed"):
                continue  # it was redriven, or a late status settled it
            if after is None or unsettled.order > after.order:
                yield unsettled

    def held(
        self, organization_id: str, phone_number_id: str, after: tuple[str, int] | None = None
    ) -> Iterator[UnsettledDelivery]:
        item = self._table.item
        behind = item.sk > f"{after[0]}#{after[1]:010d}" if after is not None else None
        for entry in item.query(held_pk(organization_id, phone_number_id), behind, consistent_read=True):
            contact_id, _, turn = entry.sk.rpartition("#")
            key = ConversationKey(organization_id, phone_number_id, contact_id)
            due_at = float(entry.due_at) if entry.due_at is not None else None
            delivery = Delivery(int(turn), 0, "waiting", not_before=due_at)
            yield UnsettledDelivery(key, delivery, float(entry.updated_at or 0))
