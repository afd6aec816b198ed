"""The messages of a conversation as the REST API shows them."""

from datetime import datetime

from pydantic import ConfigDict, Field

from pytake.conversation.transcript import Speaker
from rest.media import TranscriptMedia
from rest.models import ApiModel


class TranscriptMessage(ApiModel):
    """One message. `delivery` is null for a message of the person."""

    model_config = ConfigDict(from_attributes=True)

    speaker: Speaker
    author: str | None = Field(
        description="Who wrote an agent's message: the subject of their token, or `phone_app` for the WhatsApp Business app"
    )
    text: str
    timestamp: datetime
    type: str
    options: list[str] = Field(description="Buttons or rows the person could choose from")
    turn: int = Field(description="0 for a message from before the number was connected, which its phone app shared")
    session_id: str | None
    flow_id: str | None
    node_id: str | None
    delivery: str | None = Field(
        description="queued, waiting, claimed, accepted, held_for_quality_assessment, ambiguous, deferred, template_paused, "
        "template_disabled, template_rejected, dead; then Meta's sent, delivered, read, failed"
    )
    delivery_at: datetime | None
    error_code: int | None
    reason: str | None
    fallback: bool = Field(description="The number's template was sent in place of the text")
    labels: list[str] = Field(description="What the flow's `label` actions said of the person's message")
    revoked: bool = Field(description="The sender deleted it for everyone: its text is gone")
    media: TranscriptMedia | None
    message_id: str | None = Field(description="Meta's ID of the message, if it is known")
    reaction_to: str | None = Field(
        description="The `message_id` of the message to which a `reaction` is. Its text is the emoji; empty: it was removed"
    )
    merged_from: str | None = Field(
        description="The contact in whose conversation the message was before it was merged into this one: `turn` counts there"
    )


class Transcript(ApiModel):
    """The messages in order, oldest first. `truncated`: there are older messages."""

    phone_number_id: str
    contact_id: str
    messages: list[TranscriptMessage]
    truncated: bool
