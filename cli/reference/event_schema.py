"""The JSON schema of the events for integrators, generated from their structs."""

from functools import reduce
from operator import or_
from typing import Any

import msgspec

from local.flow_schema import with_plain_description
from local.json_layout import lay_out
from pytake.conversation.business_events import EVENTS


def event_schema() -> str:
    """The schema as text. The `detail` of an event is one of its definitions, selected by `type`."""
    union: Any = reduce(or_, EVENTS)
    schema = msgspec.json.schema(union)
    document = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "The detail of a PyTake event",
        **schema,
        "$defs": {name: with_plain_description(definition) for name, definition in schema["$defs"].items()},
    }
    return lay_out(document) + "\n"
