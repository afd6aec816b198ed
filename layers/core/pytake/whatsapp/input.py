"""What a person sent, in plain terms: the engine runs a flow on it, the turn's record stores it.

None of it can form a cycle, so the garbage collector need not track it (`gc=False`): that is a fifth of a turn's time.
"""

from typing import Any

from msgspec import Struct

APP_ECHO = "app_echo"
"""The type of a message that staff wrote in the phone app (`pytake.whatsapp.coexistence`)."""

APP_HISTORY = "app_history"
"""The type of messages from before the number was connected. Their list is not an input: `payload` is empty."""

APP_CONTACT = "app_contact"
"""The type of a change in the phone app's address book."""


PREFERENCE = "user_preference"
"""The type of a change of what the person wants to receive, made in WhatsApp's settings (`pytake.whatsapp.preferences`)."""


class InputMedia(Struct, frozen=True, gc=False, omit_defaults=True):
    """A file. `type` is image, video, audio, document or sticker. Meta keeps the `id` for 7 days."""

    id: str
    type: str
    mime_type: str | None = None
    caption: str | None = None
    filename: str | None = None


class InputLocation(Struct, frozen=True, gc=False, omit_defaults=True):
    """A place."""

    latitude: float
    longitude: float
    name: str | None = None
    address: str | None = None


class Input(Struct, frozen=True, gc=False, omit_defaults=True):
    """What the person did, or what happened instead of it.

    `type` is one of

    - `text`, `reply` (a button, a row of a list, a template's quick reply), `media`, `location`, `form` (a WhatsApp Flow),
      `contacts`, `order`, `reaction`, `system`, `edit`, `revoke`, `call_permission`, `unsupported` and `unknown`: a message;
    - `app_echo` and `app_history`: what the phone app of the number reports;
    - `timeout` and `resume`: the time in the state's `due_at` has come;
    - `handed_back`: an agent returned the conversation to a handoff that goes on;
    - `start`: the flow `text` is started for the person, with the parameters `payload`;
    - `event`: a program reported the event `text` with the data `payload`;
    - any other word, which no question accepts.

    `text` is the best plain text: the body, the label that was tapped, the caption, the name of the place; else empty.
    `response` is a form's answer (`pytake.whatsapp.message_input.FORM_TEXT`). `payload` is Meta's own content of the message.
    `is_template_reply`: a template's quick reply was tapped. Templates are sent independently of any flow.
    """

    type: str = "text"
    text: str = ""
    reply_id: str | None = None
    media: InputMedia | None = None
    location: InputLocation | None = None
    response: dict[str, Any] | None = None
    payload: Any = None
    is_template_reply: bool = False
