"""What searches in messages."""

import time

from pytake.conversation.message_search import SearchMessages
from pytake.wiring import use_case
from pytake.wiring.api import inbox, read_transcript


@use_case
def search_messages() -> SearchMessages:
    return SearchMessages(inbox(), read_transcript().matching, time.monotonic)
