"""Find the conversation of the person who wrote, whatever Meta calls them in this message (ADR 26)."""

from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace

from pytake.contacts.identities import Sender, is_phone, sender_of, survivor
from pytake.contacts.records import ContactRecord, new_contact
from pytake.conversation.current_conversation import load_current
from pytake.conversation.merge_contacts import MergeContacts
from pytake.conversation.ports.aliases import Aliases, FoundIdentities
from pytake.conversation.ports.common import ConflictError
from pytake.conversation.ports.conversations import Conversations
from pytake.conversation.queues import InboundItem
from pytake.conversation.records import Conversation, ConversationKey
from pytake.whatsapp.phone import variants


class FoundConversation(Struct, frozen=True):
    """The person's conversation, None if they have none at the number yet. `learned` are identities that were not known to be
    theirs. `sender` says what the conversation has to know from now on; None: nothing new.

    `contact` is the contact of a conversation that begins, and that no erasure is known for; None: it has to be read.
    """

    key: ConversationKey
    conversation: Conversation | None
    sender: Sender | None = None
    learned: tuple[str, ...] = ()
    contact: ContactRecord | None = None


class FindConversation:
    """Finds the conversation that an inbound item belongs to.

    A message under a phone number whose conversation knows the sender costs one read, that of the conversation. An unknown id,
    or a message without a phone number, costs one eventually consistent read more, which also finds the contact.
    """

    def __init__(self, conversations: Conversations, aliases: Aliases, merge_contacts: MergeContacts) -> None:
        self._conversations = conversations
        self._aliases = aliases
        self._merge_contacts = merge_contacts

    def __call__(self, item: InboundItem, *, consistent: bool = False) -> FoundConversation:
        """The conversation. Contacts that the message proves to be one person are merged first.

        `consistent`: an earlier try failed, perhaps because of what an eventually consistent read had not seen. Raises
        `ConflictError` when another worker merges the same contacts.
        """
        if item.due_at is not None or item.event is not None or item.start is not None:
            known = load_current(self._conversations, item.key)
            return FoundConversation(known.key if known is not None else item.key, known)
        sender = sender_of(item.contact_id, item.user_id, item.parent_user_id, item.username, item.message)
        known = load_current(self._conversations, item.key) if is_phone(item.contact_id) else None
        if known is not None and not _teaches(sender, known) and not sender.reports_change:
            return FoundConversation(known.key, known, _name_of(sender, known))
        absent = item.key if known is None and is_phone(item.contact_id) else None
        return self._find(item, sender, known, consistent=consistent or known is not None, absent=absent)

    def _find(
        self,
        item: InboundItem,
        sender: Sender,
        known: Conversation | None,
        *,
        consistent: bool,
        absent: ConversationKey | None = None,
    ) -> FoundConversation:
        """`absent`: the key of a conversation that was just read, and does not exist."""
        organization_id, number = item.organization_id, item.phone_number_id
        spellings = [spelling for id_ in sender.ids if is_phone(id_) for spelling in variants(id_)]
        ids = list(dict.fromkeys([*sender.ids, *spellings]))
        found = self._aliases.find(organization_id, ids, number, consistent=consistent)
        has_left = known is not None and _has_left(known, item.contact_id)
        left = item.contact_id if has_left and sender.user_id is not None else None
        contacts = _contacts(ids, found, known, left)
        if len(contacts) > 1:
            if not consistent:
                return self._find(item, sender, known, consistent=True)
            stays, goes = survivor(contacts[0], contacts[1])
            last = number if goes in _named(ids, known, left) else None
            self._merge_contacts(organization_id, stays, goes, last)
            known = load_current(self._conversations, known.key) if known is not None else None
            return self._find(item, sender, known, consistent=True)
        contact_id = contacts[0] if contacts else next(id_ for id_ in sender.ids if id_ != left)
        key = ConversationKey(organization_id, number, contact_id)
        if key == absent:
            own = None
        else:
            own = known if known is not None and known.key == key else load_current(self._conversations, key)
        if own is not None and own.key != key:
            raise ConflictError("the contact was merged meanwhile")
        learned = tuple(
            id_
            for id_ in sender.ids
            if id_ not in (contact_id, left)
            and (id_ not in found.aliases or found.aliases[id_].contact_id != contact_id)
        )
        # Late: from before the number changed. It says who the person is, and nothing of what holds now.
        is_late = has_left and own is known and own is not None and sender.user_id != own.user_id
        if own is not None and not (learned or is_late or sender.reports_change or _teaches(sender, own)):
            return FoundConversation(key, own, _name_of(sender, own))
        if own is not None and not consistent:
            return self._find(item, sender, known, consistent=True)
        if contact_id not in ids:
            found = self._aliases.find(organization_id, [contact_id], consistent=True)
        alias = found.aliases.get(contact_id)
        # A worker died while it merged contacts, perhaps because of another message.
        for merged in sorted(alias.merging) if alias is not None else ():
            last = number if merged in _named(ids, known, left) else None
            self._merge_contacts(organization_id, contact_id, merged, last)
            return self._find(item, sender, None if known is None else own, consistent=True)
        contact = None
        if own is None and contact_id in ids and contact_id not in found.erased:
            contact = found.contacts.get(contact_id) or new_contact(contact_id)
        return FoundConversation(key, own, None if is_late else sender, learned, contact)


def identified(conversation: Conversation, sender: Sender) -> Conversation:
    """The conversation with what a message says about its sender."""
    contact = conversation.contact
    if sender.phone is not None and contact.phone != f"+{sender.phone}":
        contact = replace(contact, phone=f"+{sender.phone}")
    return replace(
        conversation,
        contact=contact,
        user_id=sender.user_id or conversation.user_id,
        parent_user_id=sender.parent_user_id or conversation.parent_user_id,
        username=sender.username or conversation.username,
    )


def _teaches(sender: Sender, known: Conversation) -> bool:
    """Whether the message names an identity that the conversation does not have."""
    return (
        (sender.user_id is not None and sender.user_id != known.user_id)
        or (sender.parent_user_id is not None and sender.parent_user_id != known.parent_user_id)
        or (sender.phone is not None and known.contact.phone != f"+{sender.phone}")
    )


def _name_of(sender: Sender, known: Conversation) -> Sender | None:
    return sender if sender.username not in (None, known.username) else None


def _has_left(known: Conversation, phone: str) -> bool:
    """Whether the person has another phone number by now. A message from this one may be from its next owner."""
    return known.contact.phone is not None and known.contact.phone.removeprefix("+") not in variants(phone)


def _named(identities: Sequence[str], known: Conversation | None, left: str | None) -> set[str]:
    """The contacts whose conversation at the number is found under their own id when the message is repeated."""
    if left is not None:
        return {*identities} - {*variants(left)}
    return {*identities, *([known.key.contact_id] if known is not None else ())}


def _contacts(
    identities: Sequence[str], found: FoundIdentities, known: Conversation | None, left: str | None
) -> list[str]:
    """The contacts that these identities lead to. More than one: they are the same person."""
    contacts = dict[str, None]()
    if known is not None and left is None:
        contacts[known.key.contact_id] = None
    for identity in identities:
        if left is not None and identity in variants(left):
            continue
        if identity in found.aliases:
            contacts[found.aliases[identity].contact_id] = None
        elif identity in found.contacts:
            contacts[identity] = None
        if identity in found.conversations:
            contacts[identity] = None
    return list(contacts)
