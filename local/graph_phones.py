"""The phones of the simulated WhatsApp: their messages and the choices that can be tapped."""

import asyncio
import zlib
from collections import OrderedDict, deque
from typing import Any, Literal

from msgspec import Struct

from pytake.whatsapp.message_input import read_input
from pytake.whatsapp.phone import variants

Json = dict[str, Any]

MAX_PHONES = 10_000
MAX_MESSAGES = 1_000  # per phone
MAX_INBOUND_IDS = 100_000  # remembered message ids
TYPING_SECONDS = 25.0
_WINDOW_SECONDS = 24 * 3600
_ENTRY_POINT_SECONDS = 72 * 3600


class Choice(Struct, omit_defaults=True):
    """A button or list row on a phone."""

    id: str
    title: str
    description: str | None = None


class ScreenEntry(Struct, kw_only=True, omit_defaults=True):
    """One message on a phone, in screen order.

    `direction` is `in` for messages of the person and `out` for messages of the business. `status` is sent, delivered,
    read or failed. `message` is Meta's JSON, `text` its plain text.
    """

    seq: int
    direction: Literal["in", "out"]
    id: str
    timestamp: int
    type: str
    text: str
    status: str
    phone_number_id: str
    buttons: list[Choice] | None = None
    rows: list[Choice] | None = None
    message: Json


class MediaFromPerson(Struct, forbid_unknown_fields=True):
    """A file that a person sends, with its `content` in base64. Without it, the file only begins as one of its type does."""

    type: Literal["image", "video", "audio", "document", "sticker"]
    caption: str | None = None
    filename: str | None = None
    mime_type: str | None = None
    id: str | None = None
    voice: bool = False
    content: str | None = None


class LocationFromPerson(Struct, forbid_unknown_fields=True, omit_defaults=True):
    """A location that a person sends."""

    latitude: float
    longitude: float
    name: str | None = None
    address: str | None = None


class SavedPhone(Struct):
    """A phone as saved between two runs."""

    contact_id: str
    name: str
    last_seq: int
    window_until: dict[str, float]
    entries: list[ScreenEntry]
    user_id: str | None = None
    hidden: bool = False
    marketing_stopped: bool = False


class Phone:
    """One phone: its messages, and its customer service windows."""

    def __init__(self, contact_id: str) -> None:
        self.contact_id = contact_id
        self.hidden = False
        """Whether the person hides the phone number from businesses."""
        self.marketing_stopped = False
        self._user_id: str | None = None
        self.name = f"Person {contact_id[-4:]}"
        self.order_lock = asyncio.Lock()
        """Held during the first attempt of a webhook post about this phone, so that messages arrive in order."""
        self.pair_rate: dict[str, float] = {}
        self._entries: deque[ScreenEntry] = deque(maxlen=MAX_MESSAGES)
        self._last_seq = 0
        self._window_until: dict[str, float] = {}
        self._typing_until = 0.0
        self._changed = asyncio.Event()

    @property
    def is_phone(self) -> bool:
        """Whether the contact id is a phone number and not a business-scoped user id."""
        return self.contact_id.isdigit()

    @property
    def user_id(self) -> str:
        """The business-scoped user id. That of a phone number follows from the number, so that it survives a restart."""
        if self._user_id is not None:
            return self._user_id
        return f"BR.{zlib.crc32(self.contact_id.encode())}{self.contact_id[-8:]}" if self.is_phone else self.contact_id

    @property
    def shown_number(self) -> str | None:
        """The phone number, unless the person hides it or is known by the user id only."""
        return self.contact_id if self.is_phone and not self.hidden else None

    def name_as(self, contact_id: str, user_id: str) -> None:
        """The person has this number and this user id from now on."""
        self.contact_id, self._user_id = contact_id, user_id

    def profile(self, *, hidden: bool = False) -> Json:
        """The person as webhooks describe them, Meta's entry of `contacts`; `hidden` leaves the phone number out."""
        phone = {"wa_id": self.shown_number} if self.shown_number is not None and not hidden else {}
        return {"profile": {"name": self.name}, **phone, "user_id": self.user_id}

    def entries(self, after: int = 0) -> list[ScreenEntry]:
        """The entries whose `seq` is greater than `after`."""
        return [entry for entry in self._entries if entry.seq > after]

    def find(self, message_id: str) -> ScreenEntry | None:
        """The message with this id."""
        return next((entry for entry in reversed(self._entries) if entry.id == message_id), None)

    def add_inbound(self, message: Json, phone_number_id: str, now: float) -> ScreenEntry:
        """Add a message of the person and open the customer service window."""
        answer = read_input(message)
        # A click on an ad is a free entry point with a longer window.
        seconds = _ENTRY_POINT_SECONDS if "referral" in message else _WINDOW_SECONDS
        until = max(self._window_until.get(phone_number_id, 0.0), now + seconds)
        self._window_until[phone_number_id] = until
        return self._add("in", message, str(message.get("type")), answer.text, phone_number_id, now)

    def add_outbound(self, message_id: str, payload: Json, phone_number_id: str, now: float) -> ScreenEntry:
        """Add a message of the business; it replaces the typing indicator."""
        self._typing_until = 0.0
        kind = str(payload.get("type", "text"))
        message = {"id": message_id, **payload}
        entry = self._add("out", message, kind, plain_text(payload), phone_number_id, now)
        entry.buttons, entry.rows = _choices(payload)
        return entry

    def window_open(self, phone_number_id: str, now: float) -> bool:
        """Whether this number may send more than templates: the person wrote to it in the last 24 hours (72 after an ad)."""
        return now < self._window_until.get(phone_number_id, 0.0)

    def show_typing(self, now: float) -> None:
        """Show the typing indicator."""
        self._typing_until = now + TYPING_SECONDS

    def typing(self, now: float) -> bool:
        """Whether the typing indicator is shown."""
        return now < self._typing_until

    def mark_read_by_business(self, entry: ScreenEntry) -> None:
        """Mark this message and all earlier ones to the same number as read by the business."""
        for earlier in self._entries:
            if (
                earlier.direction == "in"
                and earlier.seq <= entry.seq
                and earlier.phone_number_id == entry.phone_number_id
            ):
                earlier.status = "read"

    def mark_read_by_person(self) -> list[ScreenEntry]:
        """Mark all delivered messages as read and return those that were unread."""
        unread = [entry for entry in self._entries if entry.direction == "out" and entry.status == "delivered"]
        for entry in unread:
            entry.status = "read"
        return unread

    def find_choice(self, choice_id: str, phone_number_id: str | None) -> tuple[ScreenEntry, Choice] | None:
        """The latest button or row with this id, and its message."""
        for entry in reversed(self._entries):
            if entry.direction == "out" and phone_number_id in (None, entry.phone_number_id):
                for choice in [*(entry.buttons or ()), *(entry.rows or ())]:
                    if choice.id == choice_id:
                        return entry, choice
        return None

    def choice_ids(self) -> list[str]:
        """The ids of all choices, newest first, without repetition."""
        choices = [
            choice.id for entry in reversed(self._entries) for choice in [*(entry.buttons or ()), *(entry.rows or ())]
        ]
        return list(dict.fromkeys(choices))

    def last_form(self, phone_number_id: str | None) -> ScreenEntry | None:
        """The latest form."""
        for entry in reversed(self._entries):
            if entry.message.get("interactive", {}).get("type") == "flow" and phone_number_id in (
                None,
                entry.phone_number_id,
            ):
                return entry
        return None

    def saved(self) -> SavedPhone:
        """The phone as it is saved for the next run."""
        return SavedPhone(
            self.contact_id,
            self.name,
            self._last_seq,
            self._window_until,
            list(self._entries),
            self._user_id,
            self.hidden,
            self.marketing_stopped,
        )

    @classmethod
    def restored(cls, saved: SavedPhone) -> "Phone":
        """The phone of a saved one."""
        phone = cls(saved.contact_id)
        phone.name, phone.hidden, phone.marketing_stopped = saved.name, saved.hidden, saved.marketing_stopped
        phone._user_id = saved.user_id
        phone._last_seq = saved.last_seq
        phone._window_until = saved.window_until
        phone._entries.extend(saved.entries)
        return phone

    async def wait_for_more(self, after: int, seconds: float) -> None:
        """Return when there is an entry after `after`, at the latest after `seconds`."""
        if self._last_seq <= after:
            try:
                await asyncio.wait_for(self._changed.wait(), seconds)
            except TimeoutError:
                return

    def _add(
        self, direction: Literal["in", "out"], message: Json, kind: str, text: str, phone_number_id: str, now: float
    ) -> ScreenEntry:
        self._last_seq += 1
        entry = ScreenEntry(
            seq=self._last_seq,
            direction=direction,
            id=str(message["id"]),
            timestamp=int(now),
            type=kind,
            text=text,
            status="sent",
            phone_number_id=phone_number_id,
            message=message,
        )
        self._entries.append(entry)
        self._changed.set()
        self._changed = asyncio.Event()
        return entry


class Phones:
    """All phones, up to `MAX_PHONES`; the least recently used ones are dropped first."""

    def __init__(self) -> None:
        self._phones: OrderedDict[str, Phone] = OrderedDict()
        self._writers: OrderedDict[str, str] = OrderedDict()
        self._contact_ids: dict[str, str] = {}
        """By business-scoped user id."""

    def all(self) -> list[Phone]:
        """Every phone, most recently used first."""
        return list(reversed(self._phones.values()))

    def get(self, contact_id: str) -> Phone | None:
        """The phone of a contact, if there is one."""
        return self._phones.get(contact_id)

    def add_inbound(self, phone: Phone, message: Json, phone_number_id: str, now: float) -> ScreenEntry:
        """Add a message of the person and remember its sender."""
        self.remember(phone)
        entry = phone.add_inbound(message, phone_number_id, now)
        self._remember_sender(entry.id, phone)
        return entry

    def find_inbound(self, message_id: str) -> tuple[Phone, ScreenEntry] | None:
        """The message of a person with this id, and its phone."""
        phone = self._phones.get(self._writers.get(message_id, ""))
        entry = phone.find(message_id) if phone else None
        return (phone, entry) if phone and entry else None

    def remember(self, phone: Phone) -> Phone:
        """Add a phone, or mark it as the most recently used one."""
        self._phones[phone.contact_id] = phone
        self._phones.move_to_end(phone.contact_id)
        self._contact_ids[phone.user_id] = phone.contact_id
        if len(self._phones) > MAX_PHONES:
            _, dropped = self._phones.popitem(last=False)
            del self._contact_ids[dropped.user_id]
        return phone

    def change_identity(self, phone: Phone, contact_id: str, user_id: str) -> None:
        """Give a phone another number or user id. What is on it stays."""
        before = phone.contact_id
        self._phones.pop(before, None)
        self._contact_ids.pop(phone.user_id, None)
        if (contact_id, user_id) != (before, phone.user_id):
            phone.name_as(contact_id, user_id)
        for message_id in [one for one, writer in self._writers.items() if writer == before]:
            self._writers[message_id] = contact_id
        self.remember(phone)

    def phone_of(self, contact_id: str) -> Phone:
        """The phone of a number, in either spelling, or of a user id, as Meta finds it. A new one is added by `remember`."""
        contact_id = self._contact_ids.get(contact_id, contact_id)
        for spelling in variants(contact_id) if contact_id.isdigit() else ():
            if spelling in self._phones:
                return self._phones[spelling]
        return self._phones.get(contact_id) or Phone(contact_id)

    def saved(self) -> list[SavedPhone]:
        """All phones for the next run, least recently used first."""
        return [phone.saved() for phone in self._phones.values()]

    def restore(self, saved: list[SavedPhone]) -> None:
        """Restore the phones of the last run."""
        for one in saved:
            phone = self.remember(Phone.restored(one))
            for entry in one.entries:
                if entry.direction == "in":
                    self._remember_sender(entry.id, phone)

    def delete(self, contact_id: str) -> bool:
        """Delete a phone and return whether it existed."""
        phone = self._phones.pop(contact_id, None)
        if phone is not None:
            del self._contact_ids[phone.user_id]
        return phone is not None

    def clear(self) -> int:
        """Delete all phones and return how many there were."""
        count = len(self._phones)
        self._phones.clear()
        self._contact_ids.clear()
        self._writers.clear()
        return count

    def _remember_sender(self, message_id: str, phone: Phone) -> None:
        self._writers[message_id] = phone.contact_id
        if len(self._writers) > MAX_INBOUND_IDS:
            self._writers.popitem(last=False)


def plain_text(payload: Json) -> str:
    """The plain text of a message of the business, for a screen without pictures and buttons."""
    kind = str(payload.get("type", "text"))
    content = payload.get(kind)
    if kind == "contacts" and isinstance(content, list):
        return ", ".join(card["name"]["formatted_name"] for card in content)
    if not isinstance(content, dict):
        return ""
    if kind == "text":
        return str(content["body"])
    if kind == "interactive":
        return str(content.get("body", {}).get("text", ""))
    if kind == "template":
        parameters = [
            str(parameter["text"])
            for component in content.get("components") or ()
            for parameter in component.get("parameters") or ()
            if parameter.get("type") == "text"
        ]
        return ": ".join([str(content["name"]), *([", ".join(parameters)] if parameters else [])])
    return str(content.get("caption") or content.get("name") or content.get("emoji") or "")


def _choices(payload: Json) -> tuple[list[Choice] | None, list[Choice] | None]:
    """The buttons and the rows of a message."""
    if payload.get("type") == "template":
        buttons = [
            Choice(parameter["payload"], parameter["payload"])
            for component in payload["template"].get("components") or ()
            for parameter in component.get("parameters") or ()
            if parameter.get("type") == "payload" and isinstance(parameter.get("payload"), str)
        ]
        return buttons or None, None
    interactive = payload.get("interactive", {})
    action = interactive.get("action", {})
    if interactive.get("type") == "button":
        return [Choice(b["reply"]["id"], b["reply"]["title"]) for b in action["buttons"]], None
    if interactive.get("type") == "carousel":
        replies = [b["quick_reply"] for card in action["cards"] for b in card["action"].get("buttons") or ()]
        return [Choice(b["id"], b["title"]) for b in replies] or None, None
    if interactive.get("type") == "list":
        rows = [row for section in action["sections"] for row in section["rows"]]
        return None, [Choice(row["id"], row["title"], row.get("description")) for row in rows]
    return None, None
