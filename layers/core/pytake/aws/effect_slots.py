"""Slots for the calls of an organization: one conditional write takes one, another frees it. Turns without calls need none."""

import logging
from collections.abc import Callable, Sequence
from random import sample

from pynamodb.expressions.update import Action

from pytake.aws.table import Table
from pytake.aws.updates import update_if
from pytake.conversation.ports.conversations import EffectSlot

LEASE_SECONDS = 60
"""The longest invocation of a flow runner (template.yaml: TurnTimeoutSeconds)."""

MAX_LOOK_UPS = 4
"""How many slots a turn tries before it returns to the queue."""

Choose = Callable[[Sequence[int], int], list[int]]
"""So many different elements of a sequence, in any order."""


class DynamoEffectSlots:
    """Implements `pytake.conversation.ports.conversations.EffectSlots` with `per_organization` slots for each organization.

    A slot is an item that stores until when it is taken. Turns choose slots at random, so that they rarely want the same one.
    """

    def __init__(self, table: Table, per_organization: int, choose: Choose = sample) -> None:
        self._table = table
        self._per_organization = per_organization
        self._choose = choose

    def take(self, organization_id: str, now: float) -> EffectSlot | None:
        item, until = self._table.item, round(now + LEASE_SECONDS, 3)
        count = min(self._per_organization, MAX_LOOK_UPS)
        for number in self._choose(range(self._per_organization), count):
            entry = item(_pk(organization_id), _sk(number))
            free = item.theoretical_arrival.does_not_exist() | (item.theoretical_arrival <= now)
            actions: list[Action] = [
                item.theoretical_arrival.set(until),
                item.expires_at.set(int(until) + LEASE_SECONDS),
            ]
            if update_if(entry, actions, free):
                return EffectSlot(number, until)
        return None

    def free(self, organization_id: str, slot: EffectSlot) -> None:
        item = self._table.item
        try:
            item(_pk(organization_id), _sk(slot.number)).update(
                [item.theoretical_arrival.set(0)], condition=item.theoretical_arrival == slot.until
            )
        except Exception as error:
            # It becomes free by itself. A turn must not be repeated, with its calls, because of it.
            logging.getLogger(__name__).warning("effect_slot.not_freed error=%s", type(error).__name__)


def _pk(organization_id: str) -> str:
    return f"ORG#{organization_id}#EFFECTS"


def _sk(number: int) -> str:
    return f"SLOT#{number:04d}"
