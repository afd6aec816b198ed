"""Receive a webhook POST: verify it, split it, queue its parts. Nothing else happens before Meta has its answer.

Only one kind of part is not queued: the status `sent` of a message that is known to be accepted (ADR 0008).
"""

from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct

from pytake.conversation.ports.common import Clock, RecordMetric, no_metrics
from pytake.conversation.ports.deliveries import Deliveries
from pytake.conversation.ports.messaging import OperatorEvent, OperatorEvents, Queues
from pytake.conversation.ports.tenants import Secrets, TenantRepository
from pytake.conversation.queues import InboundItem, StatusesItem
from pytake.conversation.records import Number
from pytake.conversation.status_filter import without_known_sent
from pytake.whatsapp import signature
from pytake.whatsapp.inbound import Change, read_notification

ID_DIGITS = 20

STATUSES_PER_ITEM = 100
"""A status has about 600 bytes: a hundred stay far below SQS's limit of 1 MiB."""


class BadSignatureError(Exception):
    """The body is not signed with the app secret of any receiving number."""


class Received(Struct, frozen=True):
    """What a POST contained: `statuses` were queued, `suppressed` statuses were known already."""

    messages: int
    statuses: int
    suppressed: int
    unknown_numbers: int
    problems: int


class ReceiveNotification:
    """The webhook's use case.

    The organization is that of each change's receiving number; it never comes from the body. Each change must be signed with
    the secret of its own number: a genuine POST of one organization cannot smuggle in messages for another.
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
        """Whether this is the verify token of a known number."""
        return bool(token) and self._tenants.knows_verify_token(token)

    def __call__(self, body: bytes, signature_header: str | None, correlation_id: str | None = None) -> Received:
        """Verify `body` and queue its messages and statuses.

        Raises `NotJsonError` or `NotWhatsAppError` when the body is not a notification of Meta. Raises `BadSignatureError` when
        it names known numbers and is not signed for any of them. Raises `QueueingFailedError` when the queues did not take
        everything. The metric `SignaturesRefused` counts bad signatures.
        """
        changes = read_notification(body).changes
        known, unknown = self._known_numbers(changes)
        signed = {id_: number for id_, number in known.items() if self._is_signed_for(number, body, signature_header)}
        if known and not signed:
            self._record_metric("SignaturesRefused", 1)
            raise BadSignatureError
        self._report_unaccepted(unknown, [known[id_] for id_ in sorted(known.keys() - signed.keys())])

        now = self._clock()
        accepted = [(signed[c.phone_number_id], c) for c in changes if c.phone_number_id in signed]
        inbound = [item for number, change in accepted for item in _inbound_items(number, change, now, correlation_id)]
        statuses = without_known_sent(list(_statuses_items(accepted, correlation_id)), self._deliveries)
        problems = self._report_other_parts(changes, signed)
        if inbound:
            self._queues.put_inbound(inbound)
        if statuses:
            self._queues.put_statuses(statuses)
        queued = sum(len(item.statuses) for item in statuses)
        return Received(
            messages=len(inbound),
            statuses=queued,
            suppressed=sum(len(change.statuses) for _, change in accepted) - queued,
            unknown_numbers=len(unknown),
            problems=problems,
        )

    def _known_numbers(self, changes: Sequence[Change]) -> tuple[dict[str, Number], list[str]]:
        """The known receiving numbers by id, and the ids of unknown ones."""
        known: dict[str, Number] = {}
        unknown: list[str] = []
        for phone_number_id in dict.fromkeys(change.phone_number_id for change in changes if change.phone_number_id):
            number = self._tenants.number(phone_number_id)
            if number is None:
                unknown.append(phone_number_id)
            else:
                known[phone_number_id] = number
        return known, unknown

    def _is_signed_for(self, number: Number, body: bytes, header: str | None) -> bool:
        for fresh in (False, True):
            secrets = self._secrets.of_number(number.organization_id, number.phone_number_id, fresh=fresh)
            if secrets is not None and signature.verify(body, header, secrets.app_secrets):
                return True
        return False

    def _report_unaccepted(self, unknown: Sequence[str], unsigned: Sequence[Number]) -> None:
        """Report the changes that are not accepted: for unknown numbers, and for numbers that the body is not signed for."""
        for phone_number_id in sorted(unknown):
            # The body is not signed for this number: report only what looks like an id.
            shown = phone_number_id if phone_number_id.isdecimal() and len(phone_number_id) <= ID_DIGITS else None
            self._report("webhook.unknown_number", None, phone_number_id=shown)
        for number in unsigned:
            self._report("webhook.bad_signature", number.organization_id, phone_number_id=number.phone_number_id)

    def _report_other_parts(self, changes: Sequence[Change], signed: Mapping[str, Number]) -> int:
        """Report malformed parts and account updates; returns the number of malformed parts."""
        problems = 0
        for change in changes:
            number = signed.get(change.phone_number_id or "")
            organization_id = number.organization_id if number else None
            for problem in change.problems:
                problems += 1
                self._report("webhook.malformed_part", organization_id, problem=problem)
            if change.others and (number or not change.phone_number_id):
                self._report(
                    "webhook.account_update", organization_id, field=change.field, account_id=change.account_id
                )
        return problems

    def _report(self, type_: str, organization_id: str | None, **detail: str | None) -> None:
        self._operator_events.publish(OperatorEvent(type_, organization_id, detail))


def _inbound_items(number: Number, change: Change, now: float, correlation_id: str | None) -> Iterator[InboundItem]:
    # The messages of a POST have no order: sort them by their timestamps. Sorting is stable, so equal seconds keep their order.
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


def _statuses_items(accepted: list[tuple[Number, Change]], correlation_id: str | None) -> Iterator[StatusesItem]:
    by_number: dict[str, tuple[Number, list[dict[str, object]]]] = {}
    for number, change in accepted:
        by_number.setdefault(number.phone_number_id, (number, []))[1].extend(change.statuses)
    for number, statuses in by_number.values():
        for start in range(0, len(statuses), STATUSES_PER_ITEM):
            yield StatusesItem(
                number.organization_id,
                number.phone_number_id,
                statuses[start : start + STATUSES_PER_ITEM],
                correlation_id,
            )
