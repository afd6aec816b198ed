"""Take in a webhook POST: verify it, split it, queue its parts. Nothing else happens before Meta has its answer.

Of its parts only one kind is not queued: that a message was sent which is known to be accepted (ADR 0008).
"""

from collections.abc import Iterator

from msgspec import Struct

from pytake.conversation.ports.common import Clock, RecordMetric, no_metrics
from pytake.conversation.ports.deliveries import Deliveries
from pytake.conversation.ports.messaging import OperatorEvent, OperatorEvents, Queues
from pytake.conversation.ports.tenants import Secrets, TenantRepository
from pytake.conversation.queues import InboundItem, StatusesItem
from pytake.conversation.records import Number
from pytake.conversation.statuses import without_known_sent
from pytake.whatsapp import signature
from pytake.whatsapp.inbound import Change, read_notification

ID_DIGITS = 20

STATUSES_PER_ITEM = 100
"""Statuses are small (about 600 bytes): a hundred stay far below SQS's limit of 1 MiB."""


class BadSignatureError(Exception):
    """No receiving number's app secret made the signature of this body."""


class Received(Struct, frozen=True):
    """What a POST held and where it went: `statuses` were queued, `suppressed` were known already."""

    messages: int
    statuses: int
    suppressed: int
    unknown_numbers: int
    problems: int


class ReceiveNotification:
    """The webhook's use case.

    The organization comes from the receiving number of each change, never from the body. Each change must be signed with
    the secret of its own number: a POST that is genuine for one organization cannot smuggle in messages for another.
    """

    def __init__(
        self,
        tenants: TenantRepository,
        secrets: Secrets,
        queues: Queues,
        deliveries: Deliveries,
        operator_events: OperatorEvents,
        clock: Clock,
        record_metric: RecordMetric = no_metrics,
    ) -> None:
        self._tenants = tenants
        self._secrets = secrets
        self._queues = queues
        self._deliveries = deliveries
        self._operator_events = operator_events
        self._clock = clock
        self._record_metric = record_metric

    def verify_token(self, token: str) -> bool:
        """Is this the verify token of a number we know?"""
        return bool(token) and self._tenants.knows_verify_token(token)

    def __call__(self, body: bytes, signature_header: str | None, correlation_id: str | None = None) -> Received:
        """Queue everything in `body`.

        Raises `NotJsonError` or `NotWhatsAppError` for a body that is none of Meta's, `BadSignatureError` when it names known
        numbers and none of their secrets made the signature (counted as `SignaturesRefused`), `QueueingFailedError` when the
        queues did not take all.
        """
        changes = read_notification(body).changes
        known: dict[str, Number] = {}
        unknown: set[str] = set()
        for phone_number_id in dict.fromkeys(change.phone_number_id for change in changes if change.phone_number_id):
            number = self._tenants.number(phone_number_id)
            if number is None:
                unknown.add(phone_number_id)
            else:
                known[phone_number_id] = number
        signed = {id_: number for id_, number in known.items() if self._is_signed_for(number, body, signature_header)}
        if known and not signed:
            self._record_metric("SignaturesRefused", 1)
            raise BadSignatureError
        for phone_number_id in sorted(unknown):
            # Nobody signed this: only what looks like an id is passed on.
            shown = phone_number_id if phone_number_id.isdecimal() and len(phone_number_id) <= ID_DIGITS else None
            self._tell("webhook.unknown_number", None, phone_number_id=shown)
        for phone_number_id in sorted(known.keys() - signed.keys()):
            self._tell("webhook.bad_signature", known[phone_number_id].organization_id, phone_number_id=phone_number_id)

        now = self._clock()
        routed = [(signed[c.phone_number_id], c) for c in changes if c.phone_number_id in signed]
        inbound = [item for number, change in routed for item in _inbound_items(number, change, now, correlation_id)]
        statuses = without_known_sent(list(_statuses_items(routed, correlation_id)), self._deliveries)
        problems = 0
        for change in changes:
            number = signed.get(change.phone_number_id or "")
            for problem in change.problems:
                problems += 1
                self._tell("webhook.malformed_part", number.organization_id if number else None, problem=problem)
            if change.others and (number or not change.phone_number_id):
                organization_id = number.organization_id if number else None
                self._tell("webhook.account_update", organization_id, field=change.field, account_id=change.account_id)
        if inbound:
            self._queues.put_inbound(inbound)
        if statuses:
            self._queues.put_statuses(statuses)
        queued = sum(len(item.statuses) for item in statuses)
        return Received(
            messages=len(inbound),
            statuses=queued,
            suppressed=sum(len(change.statuses) for _, change in routed) - queued,
            unknown_numbers=len(unknown),
            problems=problems,
        )

    def _is_signed_for(self, number: Number, body: bytes, header: str | None) -> bool:
        for fresh in (False, True):
            secrets = self._secrets.of_number(number.organization_id, number.phone_number_id, fresh=fresh)
            if secrets is not None and signature.verify(body, header, secrets.app_secrets):
                return True
        return False

    def _tell(self, type_: str, organization_id: str | None, **detail: str | None) -> None:
        self._operator_events.publish(OperatorEvent(type_, organization_id, detail))


def _inbound_items(number: Number, change: Change, now: float, correlation_id: str | None) -> Iterator[InboundItem]:
    # Meta keeps no order inside a POST; the person's own clock does. Sorting is stable: equal seconds stay as they came.
    for message in sorted(change.messages, key=lambda message: message.timestamp):
        yield InboundItem(
            organization_id=number.organization_id,
            phone_number_id=number.phone_number_id,
            contact_id=message.contact_id,
            message=message.raw,
            received_at=now,
            profile_name=message.profile_name,
            correlation_id=correlation_id,
        )


def _statuses_items(routed: list[tuple[Number, Change]], correlation_id: str | None) -> Iterator[StatusesItem]:
    by_number: dict[str, tuple[Number, list[dict[str, object]]]] = {}
    for number, change in routed:
        by_number.setdefault(number.phone_number_id, (number, []))[1].extend(change.statuses)
    for number, statuses in by_number.values():
        for start in range(0, len(statuses), STATUSES_PER_ITEM):
            yield StatusesItem(
                number.organization_id,
                number.phone_number_id,
                statuses[start : start + STATUSES_PER_ITEM],
                correlation_id,
            )
