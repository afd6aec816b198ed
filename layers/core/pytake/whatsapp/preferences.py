"""What a person chose in WhatsApp's settings: to stop or to resume marketing messages of a business.

Each choice becomes an `IncomingMessage` of the person, of a type that no person can send: so it takes the way of their messages.
Source: WhatsApp Cloud API, webhook field `user_preferences` (November 2026).
"""

from hashlib import sha256
from typing import Any

import msgspec

from pytake.whatsapp.inbound import IncomingMessage, list_of, messages_of
from pytake.whatsapp.input import PREFERENCE
from pytake.whatsapp.json_values import Json

PREFERENCES_FIELD = "user_preferences"


def read_preferences(value: Any, phone_number_id: str | None, problems: list[str]) -> list[IncomingMessage]:
    """The choices in a change of the field. What cannot be read becomes a problem."""
    if not isinstance(value, dict):
        return []
    raws = [_choice(raw) if isinstance(raw, dict) else raw for raw in list_of(value, PREFERENCES_FIELD, "", problems)]
    return messages_of({"contacts": value.get("contacts"), "messages": raws}, phone_number_id, problems)


def stops_marketing(choice: Json) -> bool | None:
    """Whether a choice stops marketing (True) or resumes it (False); None for one that is about something else."""
    if choice.get("category") != "marketing_messages":
        return None
    return {"stop": True, "resume": False}.get(str(choice.get("value")))


def _choice(raw: Json) -> Json:
    """A choice has no id: the same one twice has the same one."""
    content = msgspec.json.encode(raw, order="deterministic")
    people = {"from": "wa_id", "from_user_id": "user_id", "from_parent_user_id": "parent_user_id"}
    named = {name: raw[key] for name, key in people.items() if isinstance(raw.get(key), str) and raw[key]}
    return {
        **named,
        "id": f"{PREFERENCE}:{sha256(content).hexdigest()}",
        "timestamp": str(raw.get("timestamp")),
        "type": PREFERENCE,
        PREFERENCE: raw,
    }
