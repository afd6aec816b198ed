"""Forget a person."""

from pytake.conversation.inbox import Inbox
from pytake.conversation.ports import Erasure, OperatorEvent, OperatorEvents


class EraseContact:
    """The use case behind `DELETE /api/v1/contacts/{phone}`. Calling it again is safe, and finds what came meanwhile."""

    def __init__(self, inbox: Inbox, erasure: Erasure, operator_events: OperatorEvents) -> None:
        self._inbox = inbox
        self._erasure = erasure
        self._operator_events = operator_events

    def __call__(self, organization_id: str, person: str, by: str) -> int:
        """Remove what the table holds of a person at every number of the organization; the number of items.

        A phone number and a business-scoped user id are two contacts: nothing says that they are one person. Raises
        `ConflictError` when new items keep coming.

        Not here: the lake. Its events hold no text and no phone number but a pseudonym; erasing the pseudonym's key
        belongs to the export that makes it. What is on a queue at this moment is still worked off, and what that leaves
        behind is found by calling again. Point-in-time backups forget within 35 days.
        """
        removed = sum(self._erasure.erase(key) for key in self._inbox.keys(organization_id, person))
        if removed:
            self._operator_events.publish(
                OperatorEvent("contact.erased", organization_id, {"items": removed, "by": by})
            )
        return removed
