"""The forms of the ids in addresses and queries."""

from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Path, Query

FLOW_ID = r"^[A-Za-z0-9._-]{1,64}$"
PHONE_NUMBER_ID = r"^[0-9]{5,20}$"

FlowId = Annotated[str, Path(pattern=FLOW_ID, description="The flow's id: letters, digits, `.`, `_`, `-`")]
PhoneNumberId = Annotated[
    str, Path(pattern=PHONE_NUMBER_ID, description="Meta's id of the phone number, not the number itself")
]
AtNumber = Annotated[
    str | None,
    Query(
        pattern=PHONE_NUMBER_ID,
        description="One of your phone numbers. Default: the one with the person's latest conversation",
    ),
]
