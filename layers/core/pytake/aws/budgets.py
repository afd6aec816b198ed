"""The budgets of organizations on DynamoDB: one item for a month's sum, and one for each reservation, written together."""

from pynamodb.exceptions import TransactWriteError
from pynamodb.expressions.update import Action
from pynamodb.transactions import TransactWrite

from pytake.aws.table import THROTTLED, Item, Table, cancellation_codes
from pytake.campaigns.ports import ReservedBudget
from pytake.conversation.ports.common import Clock
from pytake.conversation.queues import digest

ATTEMPTS = 20
"""How often a reservation is tried while others reserve at the same moment."""

KEPT_SECONDS = 62 * 24 * 3600
"""A reservation is needed until it is settled; a message that is queued again comes back within weeks."""

_WARNED, _SETTLED = "warned", "settled"
_AGAIN = frozenset({"TransactionConflict", *THROTTLED})
_REFUSED = "ConditionalCheckFailed"


class DynamoBudgetLedger:
    """Implements `pytake.campaigns.ports.BudgetLedger`."""

    def __init__(self, table: Table, clock: Clock) -> None:
        self._table = table
        self._clock = clock

    def reserve(
        self, organization_id: str, month: str, reservation_id: str, micros: int, limit: int
    ) -> ReservedBudget | None:
        item = self._table.item
        reservation = item(*_reservation(organization_id, reservation_id))
        reservation.name, reservation.reserved = month, micros
        reservation.expires_at = int(self._clock()) + KEPT_SECONDS
        is_left = item.reserved <= limit - micros
        if micros <= limit:
            is_left |= item.reserved.does_not_exist()
        for attempt in range(1, ATTEMPTS + 1):
            try:
                with TransactWrite(connection=self._table.connection) as transaction:
                    transaction.save(reservation, condition=item.pk.does_not_exist())
                    transaction.update(
                        item(*_sum(organization_id, month)), [item.reserved.add(micros)], condition=is_left
                    )
                break
            except TransactWriteError as error:
                codes = cancellation_codes(error)
                if codes[:1] == [_REFUSED]:
                    break  # it was reserved before
                if codes[1:] == [_REFUSED]:
                    return None
                if not set(codes) & _AGAIN or attempt == ATTEMPTS:
                    raise
        return self.reserved(organization_id, month)

    def settle(self, organization_id: str, reservation_id: str, micros: int) -> None:
        item = self._table.item
        known = self._find(*_reservation(organization_id, reservation_id))
        if known is None or known.state == _SETTLED or known.name is None:
            return
        reserved = int(known.reserved or 0)
        used = max(0, min(micros, reserved))
        for attempt in range(1, ATTEMPTS + 1):
            try:
                with TransactWrite(connection=self._table.connection) as transaction:
                    settled: list[Action] = [item.state.set(_SETTLED), item.reserved.set(used)]
                    transaction.update(known, settled, condition=item.state.does_not_exist())
                    total = item(*_sum(organization_id, known.name))
                    transaction.update(total, [item.reserved.add(used - reserved)])
                return
            except TransactWriteError as error:
                codes = cancellation_codes(error)
                if codes[:1] == [_REFUSED]:
                    return
                if not set(codes) & _AGAIN or attempt == ATTEMPTS:
                    raise

    def reservation(self, organization_id: str, reservation_id: str) -> int | None:
        found = self._find(*_reservation(organization_id, reservation_id))
        return int(found.reserved or 0) if found is not None else None

    def reserved(self, organization_id: str, month: str) -> ReservedBudget:
        found = self._find(*_sum(organization_id, month))
        return ReservedBudget(int(found.reserved or 0), found.state == _WARNED) if found else ReservedBudget()

    def note_warning(self, organization_id: str, month: str) -> None:
        self._table.item(*_sum(organization_id, month)).update([self._table.item.state.set(_WARNED)])

    def _find(self, pk: str, sk: str) -> Item | None:
        try:
            return self._table.item.get(pk, sk, consistent_read=True)
        except self._table.item.DoesNotExist:
            return None


def _sum(organization_id: str, month: str) -> tuple[str, str]:
    return f"ORG#{organization_id}", f"BUDGET#{month}"


def _reservation(organization_id: str, reservation_id: str) -> tuple[str, str]:
    """By a digest: the id may name a person."""
    return f"ORG#{organization_id}#BUDGET#{digest(reservation_id)}", "RESERVATION"
