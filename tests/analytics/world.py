"""Two organizations whose conversations are exported to a lake in memory."""

from pytake.conversation.export import ExportResult, ExportToLake
from pytake.conversation.lake_events import events_of
from tests.conversation.product import ECHO_FLOW, Product
from tests.fakes.lake import MemoryEventLog, MemoryLake

HOUR = 3600

NUMBERS = {"acme": "100000000000001", "zoo": "100000000000002"}


class World:
    def __init__(self) -> None:
        self.product = Product()
        self.clock = self.product.clock
        self.clock.now = 1_770_001_200.0 // HOUR * HOUR + 60
        for organization_id, number in NUMBERS.items():
            self.product.add_organization(organization_id, number, ECHO_FLOW)
        self.log = MemoryEventLog(self.product.conversations, self.product.deliveries)
        self.lake = MemoryLake()
        self.measured: list[tuple[str, float]] = []
        self.export = ExportToLake(
            self.log,
            self.lake,
            self.product.held_turns,
            self.clock,
            lambda *record_metric: self.measured.append(record_metric),
            lambda _again: 0,
        )

    def talk(self, hours: int) -> None:
        """A conversation an hour in each organization, by a person each."""
        for hour in range(hours):
            for number in NUMBERS.values():
                for text in ("Hi", "Ana"):
                    self.product.say(text, phone=f"55119{hour:08d}", number=number)
            self.clock.forward(HOUR)

    def run(self) -> ExportResult:
        return self.export(300)

    def expected(self) -> list[str]:
        """The ids of all events there are, straight from the records."""
        return sorted(
            event.event_id
            for key, records in self.product.conversations.records.items()
            for record in records.values()
            for event in events_of(
                key,
                record,
                self.product.deliveries.of_conversation(key),
                self.log.pseudonyms(key.organization_id, [key.contact_id], 0)[key.contact_id],
            )
        )

    def ids(self) -> list[str]:
        return sorted(event.event_id for event in self.lake.rows())
