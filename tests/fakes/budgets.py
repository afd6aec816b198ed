"""The reservations of budgets, in memory."""

from pytake.campaigns.ports import ReservedBudget


class MemoryBudgetLedger:
    def __init__(self) -> None:
        self.months: dict[tuple[str, str], ReservedBudget] = {}
        self.reservations: dict[tuple[str, str], tuple[str, int]] = {}
        self.settled: set[tuple[str, str]] = set()

    def reserve(
        self, organization_id: str, month: str, reservation_id: str, micros: int, limit: int
    ) -> ReservedBudget | None:
        known = self.reserved(organization_id, month)
        if (organization_id, reservation_id) not in self.reservations:
            if known.micros + micros > limit:
                return None
            self.reservations[organization_id, reservation_id] = month, micros
            known = self.months[organization_id, month] = ReservedBudget(known.micros + micros, known.is_warned)
        return known

    def settle(self, organization_id: str, reservation_id: str, micros: int) -> None:
        place = organization_id, reservation_id
        if place not in self.reservations or place in self.settled:
            return
        self.settled.add(place)
        month, reserved = self.reservations[place]
        self.reservations[place] = month, max(0, min(micros, reserved))
        known = self.reserved(organization_id, month)
        unused = reserved - max(0, min(micros, reserved))
        self.months[organization_id, month] = ReservedBudget(known.micros - unused, known.is_warned)

    def reservation(self, organization_id: str, reservation_id: str) -> int | None:
        place = organization_id, reservation_id
        return self.reservations[place][1] if place in self.reservations else None

    def reserved(self, organization_id: str, month: str) -> ReservedBudget:
        return self.months.get((organization_id, month), ReservedBudget())

    def note_warning(self, organization_id: str, month: str) -> None:
        self.months[organization_id, month] = ReservedBudget(self.reserved(organization_id, month).micros, True)
