"""Record what a person chose in WhatsApp's settings: it changes their consent to marketing, at all numbers."""

from msgspec.structs import replace

from pytake.contacts.consent import Consent, ConsentChange, ConsentState, consent_after
from pytake.contacts.records import ContactRecord
from pytake.conversation.contact_news import ContactNews, Decided
from pytake.conversation.opt_out import RecordOptOut
from pytake.conversation.queues import InboundItem
from pytake.whatsapp.input import PREFERENCE
from pytake.whatsapp.preferences import stops_marketing

SOURCE = "whatsapp"
"""The source of consent that the person changed in WhatsApp's settings."""


class RecordPreference:
    """Stores one choice. Choices count in the order they were made in, whenever they arrive. A repetition changes nothing.

    If the person has a conversation, a stop is a turn there: the audit trail, the lake and the campaign that led to it have it.
    """

    def __init__(self, news: ContactNews, record_opt_out: RecordOptOut) -> None:
        self._news = news
        self._record_opt_out = record_opt_out

    def __call__(self, item: InboundItem) -> bool:
        """Store the choice; whether it changed the consent. Creates the contact of a person who never wrote.

        A choice from before the person was erased is ignored. Raises `ConflictError` when others keep writing the contact or the
        conversation.
        """
        choice = item.message.get(PREFERENCE)
        stops = stops_marketing(choice) if isinstance(choice, dict) else None
        if stops is None:
            return False
        about = self._news.about(item)
        if about is None:
            return False
        if stops and self._record_opt_out(*about, SOURCE):
            return True
        state: ConsentState = "withdrawn" if stops else "granted"

        def decide(stored: ContactRecord, at: float, now: float) -> Decided | None:
            change = ConsentChange("marketing", state, SOURCE, at)
            if stored.consent_to("marketing") == Consent(change.state, change.source, change.at):
                return None
            consent = consent_after(stored.consent, [change])
            return replace(stored, consent=consent, created_at=stored.created_at or now), [change]

        changed = self._news.store(*about, decide)
        return changed is not None and changed[0].consent != changed[1].consent
