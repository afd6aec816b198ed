"""Merge two contacts that turn out to be one person (ADR 26)."""

from msgspec.structs import replace

from pytake.contacts.ports import Contacts
from pytake.contacts.records import ContactRecord, emptied, merged_contact, new_contact
from pytake.conversation.ports.aliases import Aliases
from pytake.conversation.ports.common import WRITE_ATTEMPTS, Clock, ConflictError, until_written
from pytake.conversation.ports.conversations import Conversations
from pytake.conversation.ports.messaging import OperatorEvent, OperatorEvents
from pytake.conversation.ports.tenants import TenantRepository
from pytake.conversation.records import MARKER_SECONDS, Conversation, ConversationKey, TurnRecord
from pytake.conversation.sessions import closing, session_id
from pytake.engine import Contact, Event, Input

MERGED = "merged"
"""The status of the turn that merges two conversations, and the type of its input."""


class MergeContacts:
    """Merges contacts, once, also when several workers find out at the same time."""

    def __init__(
        self,
        conversations: Conversations,
        contacts: Contacts,
        aliases: Aliases,
        tenants: TenantRepository,
        operator_events: OperatorEvents,
        clock: Clock,
    ) -> None:
        self._conversations = conversations
        self._contacts = contacts
        self._aliases = aliases
        self._tenants = tenants
        self._operator_events = operator_events
        self._clock = clock

    def __call__(self, organization_id: str, survivor: str, merged: str, phone_number_id: str | None) -> None:
        """Merge the contact `merged` into `survivor`: the identities, then the contacts, then the conversations at each number.

        The conversations at `phone_number_id`, whose message has caused the merge, come last: until then the message shows that
        the merge is not finished. None: the message does not name the contact that goes, so it would not show that. The end of
        the merge is then noted after all conversations. Calling it again continues a merge that was interrupted. Raises
        `ConflictError` when other workers keep writing.
        """
        self._aliases.merge(organization_id, survivor, merged)
        until_written(lambda: self._merge_contact(organization_id, survivor, merged), "the merged contact")
        conversations = sum(
            self._merge_at(ConversationKey(organization_id, number, survivor), merged)
            for number in self._tenants.number_ids(organization_id)
            if number != phone_number_id
        )
        self._aliases.finish_merge(organization_id, survivor, merged)
        if phone_number_id is not None:
            conversations += self._merge_at(ConversationKey(organization_id, phone_number_id, survivor), merged)
        detail = {"conversations": conversations}
        self._operator_events.publish(OperatorEvent("contact.merged", organization_id, detail))

    def _merge_contact(self, organization_id: str, survivor: str, merged: str) -> None:
        """Store the contact that both become, unless the one that goes was never stored."""
        stays, goes = (self._contacts.load(organization_id, id_) for id_ in (survivor, merged))
        if replace(goes, revision=0) not in (new_contact(merged), replace(emptied(goes), revision=0)):
            self._contacts.merge(organization_id, merged_contact(stays, goes), goes)

    def _merge_at(self, key: ConversationKey, merged: str) -> int:
        """Merge the conversations at one number; how many were merged. The one that stays gets its copy of the contact."""
        for _ in range(WRITE_ATTEMPTS):
            stays, goes = self._conversations.load(key), self._conversations.load(replace(key, contact_id=merged))
            if stays is not None and stays.merged_into is not None:
                raise ConflictError("the contact was merged into another one")
            # After the conversations: a turn that changes the contact meanwhile changes one of them too.
            contact = self._contacts.load(key.organization_id, key.contact_id)
            try:
                if goes is not None and goes.merged_into is None:
                    merged_ones = merged_conversations(key, stays, goes, contact, self._clock())
                    self._conversations.merge(*merged_ones, contact.revision or None)
                    return 1
                if stays is not None and contact.revision and stays.contact_revision < contact.revision:
                    self._conversations.update_contact(stays, _with_contact(stays, contact))
            except ConflictError:
                continue
            return 0
        raise ConflictError(f"conversations not merged in {WRITE_ATTEMPTS} attempts")


def merged_conversations(
    key: ConversationKey, stays: Conversation | None, goes: Conversation, contact: ContactRecord, now: float
) -> tuple[Conversation, TurnRecord, Conversation, TurnRecord]:
    """The conversation that stays, with the record of its turn, and what is left of the other one, with its record.

    The rule: the session in which the person wrote last continues, and the other one is closed. An opt-out of either holds.
    Of a business-scoped id and a username, the one of the conversation with the later message counts. The contact is the merged
    one, if it was ever stored; otherwise it follows the same rule (`pytake.contacts.records.merged_contact`).
    """
    left = replace(goes, seq=goes.seq + 1, session=None, merged={}, merged_into=key.contact_id)
    event = Event("contact_merged", {"into": key.contact_id})
    before = _record(left, session_id(goes.session), now, [event])
    if stays is None:
        stays = Conversation(key=key, contact=Contact(key.contact_id))
    later, earlier = (goes, stays) if goes.last_inbound_at > stays.last_inbound_at else (stays, goes)
    sessions = [session for one in (later, earlier) if (session := one.open_session(now)) is not None]
    closed = [one.session for one in (stays, goes) if one.session is not None and one.session not in sessions[:1]]
    after = replace(
        stays,
        seq=stays.seq + 1,
        contact=_merged_contact(stays, later.contact, earlier.contact, contact),
        session=sessions[0] if sessions else None,
        last_inbound_at=max(stays.last_inbound_at, goes.last_inbound_at),
        opted_out=stays.opted_out or goes.opted_out or contact.opted_out,
        apologised_at=max(stays.apologised_at or 0, goes.apologised_at or 0) or None,
        pair_rate_until=max(stays.pair_rate_until, goes.pair_rate_until),
        active_at=max(stays.active_at, goes.active_at),
        erased_at=max(stays.erased_at, goes.erased_at),
        usage=later.usage or earlier.usage,
        user_id=later.user_id or earlier.user_id,
        parent_user_id=later.parent_user_id or earlier.parent_user_id,
        username=later.username or earlier.username,
        merged=_merged_ids(stays, goes, now),
    )
    events = [event for session in closed for event in closing(session, MERGED)]
    events.insert(0, Event("contact_merged", {"from": goes.key.contact_id, "turn": goes.seq}))
    record = _record(after, session_id(after.session), now, events)
    return after, record, left, before


def _with_contact(conversation: Conversation, contact: ContactRecord) -> Conversation:
    opted_out = conversation.opted_out or contact.opted_out
    return replace(conversation, contact=contact.for_flows(), contact_revision=contact.revision, opted_out=opted_out)


def _merged_contact(stays: Conversation, later: Contact, earlier: Contact, stored: ContactRecord) -> Contact:
    if stored.revision:
        return stored.for_flows()
    return Contact(
        id=stays.key.contact_id,
        phone=stays.contact.phone or later.phone or earlier.phone,
        name=later.name or earlier.name,
        fields={**earlier.fields, **later.fields},
        tags=list(dict.fromkeys([*earlier.tags, *later.tags])),
        language=later.language or earlier.language,
    )


def _merged_ids(stays: Conversation, goes: Conversation, now: float) -> dict[str, float]:
    """The contacts whose turns may have taken a message that Meta still repeats."""
    known = {**goes.merged, **stays.merged, goes.key.contact_id: now}
    return {contact_id: at for contact_id, at in known.items() if at > now - MARKER_SECONDS}


def _record(after: Conversation, session_id: str, now: float, events: list[Event]) -> TurnRecord:
    return TurnRecord(
        seq=after.seq, at=now, session_id=session_id, status=MERGED, input=Input(type=MERGED), events=events
    )
