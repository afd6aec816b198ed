"""Record that a person wants no marketing: as Meta reports with a message (error 131050), or as a choice in the settings."""

from msgspec.structs import replace

from pytake.contacts.ports import Contacts
from pytake.conversation.current_conversation import load_current
from pytake.conversation.ports.common import Clock, until_written
from pytake.conversation.ports.conversations import Conversations
from pytake.conversation.records import ConversationKey, TurnRecord
from pytake.conversation.sessions import session_id
from pytake.conversation.turn_contact import contact_write
from pytake.engine import Event, Input


class RecordOptOut:
    """Withdraws a person's consent to marketing. The sender, the statuses function and the flow runner use it."""

    def __init__(self, conversations: Conversations, contacts: Contacts, clock: Clock) -> None:
        self._conversations = conversations
        self._contacts = contacts
        self._clock = clock

    def __call__(self, key: ConversationKey, reported_at: float, source: str) -> bool:
        """Withdraw it as of `reported_at`, as a turn of the conversation with an audit record; False when there is nothing to do.

        `source` is that of the consent. Answers are not affected. Consent that changed later stays as it is. Raises
        `ConflictError` when others keep writing the conversation.
        """
        return until_written(lambda: self._withdraw(key, reported_at, source), "the opt-out")

    def _withdraw(self, key: ConversationKey, reported_at: float, source: str) -> bool:
        before = load_current(self._conversations, key)
        if before is None:
            return False
        stored = self._contacts.load(key.organization_id, before.key.contact_id)
        known = stored.consent_to("marketing")
        if reported_at < known.at or (known.state == "withdrawn" and reported_at == known.at):
            return False
        now = self._clock()
        after = replace(before, seq=before.seq + 1, refused_at=now)
        record = TurnRecord(
            seq=after.seq,
            at=now,
            session_id=session_id(before.session),
            status="opted_out",
            input=Input(type="opt_out"),
            events=[Event("opted_out", {"source": source, "at": reported_at})],
        )
        write, _ = contact_write(stored, before, after, record)
        after.contact = write.contact.for_flows()
        self._conversations.commit(after, record, write)
        return True
