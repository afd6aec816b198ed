"""Which delivery statuses still matter: the furthest one of each send, and none that is already known."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from pytake.conversation.callback_data import SendKey, read_callback_data
from pytake.conversation.ports.deliveries import Deliveries
from pytake.conversation.queues import StatusesItem

STATUS_RANK = {"sent": 1, "delivered": 2, "failed": 2, "read": 3, "played": 4}
"""A status replaces only a status of lower rank: a delivered message cannot fail any more, a read one was not lost."""

MAX_LOOKUPS = 10
"""Up to this many `sent` statuses are looked up one by one. Meta posts them one by one, unless it catches up."""


def send_and_rank(status: Mapping[str, Any]) -> tuple[SendKey, int] | None:
    """The send that a status belongs to, and its rank. None when the status is not ours or has no rank."""
    send = read_callback_data(status.get("biz_opaque_callback_data"))
    rank = STATUS_RANK.get(str(status.get("status")), 0)
    return (send, rank) if send is not None and rank else None


def is_of_number(send: SendKey, item: StatusesItem) -> bool:
    """Whether a send is of the number that received the statuses: statuses of another number's sends are not accepted."""
    return (send[0].organization_id, send[0].phone_number_id) == (item.organization_id, item.phone_number_id)


def message_id_of(status: Mapping[str, Any]) -> str | None:
    """Meta's id of the message in a status."""
    found = status.get("id")
    return found if isinstance(found, str) else None


def without_superseded(items: Sequence[StatusesItem]) -> list[StatusesItem]:
    """The items without the statuses that a further status of the same send and message id supersedes, in any of the items.

    So a batch writes once per message. A `failed` status always stays, because it has consequences. A status that stays gets
    the pricing of one that does not, if it has none of its own.
    """
    furthest: dict[tuple[SendKey, str | None], tuple[int, dict[str, Any]]] = {}
    for item in items:
        for status in item.statuses:
            if (found := _own_send_and_rank(status, item)) is not None:
                place = found[0], message_id_of(status)
                rank, known = furthest.get(place, (0, {}))
                furthest[place] = (
                    (found[1], priced(status, known)) if found[1] > rank else (rank, priced(known, status))
                )

    def left(item: StatusesItem) -> Iterator[dict[str, Any]]:
        for status in item.statuses:
            found = _own_send_and_rank(status, item)
            if found is None or status["status"] == "failed":
                yield status
                continue
            rank, furthest_status = furthest[found[0], message_id_of(status)]
            if found[1] == rank:
                yield priced(status, furthest_status)

    return [replace(item, statuses=list(left(item))) for item in items]


def priced(status: dict[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """The status, with the pricing of another status of the same message if it has none."""
    return status if "pricing" in status or "pricing" not in other else {**status, "pricing": other["pricing"]}


def without_known_sent(items: Sequence[StatusesItem], deliveries: Deliveries) -> list[StatusesItem]:
    """The items without each `sent` of a message that is known to be accepted, and without the items that are empty then.

    A look-up in the ledger costs an eighth of a status on the queue and in its function (ADR 0008). More than `MAX_LOOKUPS`
    of them are not looked up: together on the queue they cost less. Neither is one beside a further status of its message,
    with which it goes to the queue and is not written.
    """
    sent = [
        (status, found[0])
        for item in without_superseded(items)
        for status in item.statuses
        if status.get("status") == "sent" and (found := _own_send_and_rank(status, item)) is not None
    ]
    if not 0 < len(sent) <= MAX_LOOKUPS:
        return list(items)
    known = {
        id(status)
        for status, (key, turn, index, send) in sent
        if deliveries.is_accepted(key, turn, index, send=send, message_id=message_id_of(status))
    }
    left = [replace(item, statuses=[status for status in item.statuses if id(status) not in known]) for item in items]
    return [item for item in left if item.statuses]


def _own_send_and_rank(status: Mapping[str, Any], item: StatusesItem) -> tuple[SendKey, int] | None:
    """Like `send_and_rank`; None also for a send of another number."""
    found = send_and_rank(status)
    return found if found is not None and is_of_number(found[0], item) else None
