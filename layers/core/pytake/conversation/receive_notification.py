"""Receive a webhook POST: verify it, split it, queue its parts. Nothing else happens before Meta has its answer.

Only one kind of part is not queued: the status `sent` of a message that is known to be accepted (ADR 0008).
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeVar

from msgspec import Struct

from pytake.conversation.ports.common import Clock, RecordMetric, no_metrics
from pytake.conversation.ports.deliveries import Deliveries
from pytake.conversation.ports.messaging import OperatorEvent, OperatorEvents, Queues
from pytake.conversation.ports.tenants import Secrets, TenantRepository
from pytake.conversation.queues import AccountChange, InboundItem, StatusesItem
from pytake.conversation.records import Number
from pytake.conversation.status_filter import without_known_sent
from pytake.whatsapp import signature
from pytake.whatsapp.inbound import Change, read_notification
from pytake.whatsapp.template_changes import FIELDS as TEMPLATE_FIELDS
from pytake.whatsapp.unverified import MAX_NUMBERS, check_kind, check_size, claimed_accounts, claimed_numbers

MAX_TRIES = 2
"""Numbers whose secrets are read for a body until one has signed it: a stranger may name connected ones."""

MAX_SIGNED_NUMBERS = 100
"""Receiving numbers of one signed POST: DynamoDB reads no more at once. Meta names one in most of them."""

APP_FIELDS = frozenset(("smb_message_echoes", "history", "smb_app_state_sync"))
PREFERENCES_FIELD = "user_preferences"
READ_FIELDS = APP_FIELDS | {PREFERENCES_FIELD}
"""The fields of numbers that their owners also use in the phone app."""

STATUSES_PER_ITEM = 100
"""A status has about 600 bytes: a hundred stay far below SQS's limit of 1 MiB."""


ACCOUNT_CHANGES_PER_ITEM = 20
"""A change of a template's texts has some kilobytes."""

ACCOUNT_FIELDS = TEMPLATE_FIELDS | {"account_update", "business_capability_update"}
"""The fields of an account that change something here. The others are only reported."""

OwnersOfAccount = Mapping[str, str]
"""An account's organizations, each with one of its numbers there."""


class BadSignatureError(Exception):
    """The header is not a signature, or the body is not signed with the app secret of any receiving number."""


class Received(Struct, frozen=True):
    """What a POST contained: `statuses` were queued, `suppressed` statuses were known already."""

    messages: int
    statuses: int
    suppressed: int
    unknown_numbers: int
    problems: int


_Entry = TypeVar("_Entry", bound=tuple[str, ...])


class _SignatureCheck:
    """Whether the secrets of numbers signed one body. Anyone can post, so a few are tried; all others once one has signed it.

    Cached secrets cost no request and are tried first. Of the others, other ones are tried in each minute: a body that the app
    of the third organization of an account signed is taken at one of Meta's next tries.
    """

    def __init__(self, secrets: Secrets, body: bytes, header: str | None, now: float) -> None:
        self._secrets = secrets
        self._body = body
        self._header = header
        self._minute = int(now // 60)
        self._tries = 0
        self._is_genuine = False

    def signed_by(self, organization_id: str, phone_number_id: str) -> bool:
        if not self._is_genuine and self._tries == MAX_TRIES:
            return False
        self._tries += 1
        for fresh in (False, True):
            secrets = self._secrets.app_secrets(organization_id, phone_number_id, fresh=fresh)
            if secrets and signature.verify(self._body, self._header, secrets):
                self._is_genuine = True
                return True
        return False

    def numbers(self, known: Mapping[str, Number]) -> dict[str, Number]:
        """The numbers that signed the body."""
        numbers = [(id_, number.organization_id) for id_, number in sorted(known.items())]
        return {id_: known[id_] for id_, organization in self._in_turn(numbers) if self.signed_by(organization, id_)}

    def accounts(self, known: Mapping[str, Mapping[str, str]]) -> dict[str, OwnersOfAccount]:
        """The accounts whose numbers signed the body, with their organizations: each has to have signed it.

        At most `MAX_NUMBERS` secrets are tried.
        """
        numbers = [(waba_id, *entry) for waba_id, members in sorted(known.items()) for entry in sorted(members.items())]
        signed: dict[str, OwnersOfAccount] = {}
        for waba_id, phone_number_id, organization_id in self._in_turn(numbers[:MAX_NUMBERS]):
            found = signed.get(waba_id, {})
            if organization_id not in found and self.signed_by(organization_id, phone_number_id):
                signed[waba_id] = {**found, organization_id: phone_number_id}
        return signed

    def _in_turn(self, numbers: Sequence[_Entry]) -> list[_Entry]:
        """The numbers in the order in which their secrets are tried, after those in the cache."""
        if not self._is_genuine and len(numbers) > MAX_TRIES:
            cached = (self._secrets.cached_app_secrets(entry[-1], entry[-2]) for entry in numbers)
            self._is_genuine = any(signature.verify(self._body, self._header, one) for one in cached if one)
        one_of_each = list({entry[-1]: entry for entry in reversed(numbers)}.values())[::-1]
        start = self._minute * MAX_TRIES % max(len(one_of_each), 1)
        others = [entry for entry in numbers if entry not in one_of_each]
        return [*one_of_each[start:], *one_of_each[:start], *others]


class ReceiveNotification:
    """The webhook's use case.

    The organization is that of each change's receiving number; it never comes from the body. Each change must be signed with
    the secret of its own number: a genuine POST of one organization cannot smuggle in messages for another. A change of a
    WhatsApp Business account must be signed with the secret of one of its numbers, and concerns the organizations of these.
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

        Anyone can post here: before a signature is verified, nothing is decoded or published, and the numbers that the body
        names are looked up in one request, or the accounts if it names no number. Of the known ones, the secrets of `MAX_TRIES`
        numbers are read and tried, besides those in the cache.

        Raises `BodyTooLargeError`; `BadSignatureError` when the header is not a signature, or not the one of a known number
        or account in the body; `NotJsonError` or `NotWhatsAppError` when the body is not a notification of Meta;
        `QueueingFailedError` when the queues did not take everything. The metric `SignaturesRefused` counts bad signatures for
        known numbers and accounts, `UnverifiedPosts` the other posts that cannot be verified.
        """
        check_size(body)
        if not signature.is_well_formed(signature_header):
            self._record_metric("UnverifiedPosts", 1)
            raise BadSignatureError
        claimed = claimed_numbers(body)
        known = self._tenants.find_numbers(claimed) if claimed else {}
        check = _SignatureCheck(self._secrets, body, signature_header, self._clock())
        signed = check.numbers(known)
        known_accounts = self._find_accounts(claimed_accounts(body)) if not claimed else {}
        accounts = check.accounts(known_accounts)
        if not signed and not accounts:
            if known or known_accounts:
                self._record_metric("SignaturesRefused", 1)
                raise BadSignatureError
            check_kind(body)
            self._record_metric("UnverifiedPosts", 1)
            return Received(messages=0, statuses=0, suppressed=0, unknown_numbers=len(claimed), problems=0)
        changes = read_notification(body).changes
        ids = list(dict.fromkeys(change.phone_number_id for change in changes if change.phone_number_id))
        more = [id_ for id_ in ids if id_ not in claimed][:MAX_SIGNED_NUMBERS]
        if more:
            found = self._tenants.find_numbers(more)
            known, signed = known | found, signed | check.numbers(found)
        more = [id_ for id_ in _accounts_of(changes) if id_ not in known_accounts]
        accounts |= check.accounts(self._find_accounts(more))
        unknown = [id_ for id_ in ids if id_ not in known]
        self._report_unaccepted(unknown, [known[id_] for id_ in sorted(known.keys() - signed.keys())])
        return self._queue(changes, signed, accounts, len(unknown), correlation_id)

    def _queue(
        self,
        changes: Sequence[Change],
        signed: Mapping[str, Number],
        accounts: Mapping[str, OwnersOfAccount],
        unknown: int,
        correlation_id: str | None,
    ) -> Received:
        """Queue the changes of the numbers and accounts whose secrets signed the body."""
        now = self._clock()
        accepted = [(number, c) for c in changes if (number := signed.get(c.phone_number_id or "")) is not None]
        self._read_app_fields(changes, signed)
        inbound = [item for number, change in accepted for item in _inbound_items(number, change, now, correlation_id)]
        statuses = without_known_sent(list(_statuses_items(accepted, correlation_id)), self._deliveries)
        statuses += _account_items(changes, accounts, now, correlation_id)
        problems = self._report_other_parts(changes, signed, accounts)
        try:
            if inbound:
                self._queues.put_inbound(inbound)
        finally:  # statuses do not wait for a message that the queue refuses
            if statuses:
                self._queues.put_statuses(statuses)
        queued = sum(len(item.statuses) for item in statuses)
        return Received(
            messages=len(inbound),
            statuses=queued,
            suppressed=sum(len(change.statuses) for _, change in accepted) - queued,
            unknown_numbers=unknown,
            problems=problems,
        )

    def _read_app_fields(self, changes: Sequence[Change], signed: Mapping[str, Number]) -> None:
        """Add what the phone apps of coexisting numbers report, and what people choose, to the messages of its change."""
        for change in changes:
            number = signed.get(change.phone_number_id or "")
            if number is None or change.field not in READ_FIELDS:
                continue
            value = change.others[0]["value"]
            if change.field == PREFERENCES_FIELD:
                from pytake.whatsapp.preferences import read_preferences

                change.messages.extend(read_preferences(value, number.phone_number_id, change.problems))
                continue
            from pytake.whatsapp.coexistence import read_app_messages, refused_history  # few webhooks need it

            change.messages.extend(read_app_messages(change.field, value, number.phone_number_id, change.problems))
            for code in refused_history(value):
                detail = {"phone_number_id": number.phone_number_id, "code": str(code)}
                self._report("history.refused", number.organization_id, **detail)

    def _find_accounts(self, waba_ids: Sequence[str]) -> dict[str, dict[str, str]]:
        return self._tenants.find_accounts(waba_ids) if waba_ids else {}

    def _report_unaccepted(self, unknown: Sequence[str], unsigned: Sequence[Number]) -> None:
        """Report the changes that are not accepted: for unknown numbers, and for numbers that the body is not signed for."""
        if unknown:
            self._report("webhook.unknown_number", None, phone_number_id=unknown[0], count=str(len(unknown)))
        for number in unsigned:
            self._report("webhook.bad_signature", number.organization_id, phone_number_id=number.phone_number_id)

    def _report_other_parts(
        self, changes: Sequence[Change], signed: Mapping[str, Number], accounts: Mapping[str, OwnersOfAccount]
    ) -> int:
        """Report malformed parts and account updates, each once per kind; returns the number of malformed parts."""
        problems: dict[str | None, list[str]] = {}
        updates: dict[tuple[str | None, str, str | None], None] = {}
        for change in changes:
            number = signed.get(change.phone_number_id or "")
            organization_id = number.organization_id if number else None
            if change.problems:
                problems.setdefault(organization_id, []).extend(change.problems)
            if change.others and change.field not in READ_FIELDS and (number or not change.phone_number_id):
                owners = [organization_id] if number else accounts.get(change.account_id or "", [None])
                updates |= {(owner, change.field, change.account_id): None for owner in owners}
        for organization_id, field, account_id in updates:
            self._report("webhook.account_update", organization_id, field=field, account_id=account_id)
        for organization_id, found in problems.items():
            self._report("webhook.malformed_part", organization_id, problem=found[0], count=str(len(found)))
        return sum(map(len, problems.values()))

    def _report(self, type_: str, organization_id: str | None, **detail: str | None) -> None:
        self._operator_events.publish(OperatorEvent(type_, organization_id, detail))


def _accounts_of(changes: Sequence[Change]) -> list[str]:
    """The accounts that changes without a number are about: not more than are looked up at once."""
    ids = (change.account_id for change in changes if change.others and not change.phone_number_id)
    return list(dict.fromkeys(id_ for id_ in ids if id_))[:MAX_SIGNED_NUMBERS]


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
            user_id=message.user_id,
            parent_user_id=message.parent_user_id,
            username=message.username,
        )


def _account_items(
    changes: Sequence[Change], accounts: Mapping[str, OwnersOfAccount], now: float, correlation_id: str | None
) -> Iterator[StatusesItem]:
    """The changes that are acted upon, for each organization with a number of the account that signed them."""
    found: dict[tuple[str, str], list[AccountChange]] = {}
    for change in changes:
        if change.field not in ACCOUNT_FIELDS or change.account_id is None:
            continue
        for other in change.others:
            if isinstance(other["value"], dict):
                one = AccountChange(change.account_id, change.field, other["value"], float(change.at or int(now)))
                for owner in accounts.get(change.account_id, {}).items():
                    found.setdefault(owner, []).append(one)
    for owner, ones in found.items():
        for start in range(0, len(ones), ACCOUNT_CHANGES_PER_ITEM):
            part = ones[start : start + ACCOUNT_CHANGES_PER_ITEM]
            yield StatusesItem(*owner, [], correlation_id, part)


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
