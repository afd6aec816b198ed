"""Numbers and organizations on DynamoDB."""

import hashlib
from collections.abc import Sequence
from typing import Any

import msgspec
from pynamodb.exceptions import TransactWriteError, UpdateError
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action
from pynamodb.transactions import TransactWrite

from pytake.aws.table import Item, Table, cancellation_codes, dynamodb_error_code
from pytake.aws.ttl_cache import TtlCache
from pytake.conversation.ports.common import Clock, ConflictError
from pytake.conversation.ports.tenants import TENANT_CACHE_SECONDS
from pytake.conversation.records import Number, Organization

_LOOKUP = "NUMBER"
_SENDING = ("stopped_reason", "stopped_at", "resuming_at")
_encode = msgspec.json.Encoder().encode


class DynamoTenants:
    """Implements `pytake.conversation.ports.tenants.TenantRepository`.

    A number is stored twice in one transaction: under its id, where the webhook finds it, and under its organization, where
    the organization lists it.
    """

    def __init__(self, table: Table, clock: Clock) -> None:
        self._table = table
        self._numbers: TtlCache[Number] = TtlCache(TENANT_CACHE_SECONDS, 1000, clock)
        self._unknown: TtlCache[bool] = TtlCache(TENANT_CACHE_SECONDS, 1000, clock)
        self._organizations: TtlCache[Organization] = TtlCache(TENANT_CACHE_SECONDS, 1000, clock)

    def number(self, phone_number_id: str, *, fresh: bool = False) -> Number | None:
        return self._numbers.get(
            phone_number_id,
            lambda: self._read_number(_number_pk(phone_number_id), _LOOKUP),
            fresher_than=0 if fresh else None,
        )

    def find_numbers(self, phone_number_ids: Sequence[str]) -> dict[str, Number]:
        found: dict[str, Number] = {}
        unread: list[str] = []
        for id_ in phone_number_ids:
            cached = self._numbers.get(id_, lambda: None)
            if cached is not None:
                found[id_] = cached
            elif not self._unknown.get(id_, lambda: None):
                unread.append(id_)
        if unread:
            for item in self._table.item.batch_get([(_number_pk(id_), _LOOKUP) for id_ in unread]):
                number = _number(item)
                found[number.phone_number_id] = number
                self._numbers.put(number.phone_number_id, number)
            for id_ in unread:
                if id_ not in found:
                    self._unknown.put(id_, True)
        return found

    def knows_verify_token(self, token: str) -> bool:
        # The key is a digest of the token: secrets are not compared, so timing reveals nothing.
        return self._get(_verify_pk(hashlib.sha256(token.encode()).hexdigest()), _LOOKUP) is not None

    def organization(self, organization_id: str) -> Organization:
        def load() -> Organization:
            item = self._get(f"ORG#{organization_id}", "SETTINGS")
            body = item.body if item is not None else None
            return msgspec.json.decode(body, type=Organization) if body else Organization(organization_id)

        return self._organizations.get(organization_id, load) or Organization(organization_id)

    def numbers(self, organization_id: str) -> list[Number]:
        items = self._table.item.query(f"ORG#{organization_id}#NUMBERS", consistent_read=True)
        return [_number(item) for item in items]

    def put_number(self, number: Number) -> None:
        item = self._table.item
        body = _encode(msgspec.structs.replace(number, **dict.fromkeys(_SENDING))).decode()
        previous = self._read_number(_number_pk(number.phone_number_id), _LOOKUP)
        # `state` holds the owner: only the organization that owns a number, or its verify token, may write it again.
        ours = item.pk.does_not_exist() | (item.state == number.organization_id)
        this_number = item.pk.does_not_exist() | (item.state == number.phone_number_id)
        sending: dict[str, Any] = {name: getattr(previous, name) if previous else None for name in _SENDING}
        owner = number.organization_id
        try:
            with TransactWrite(connection=self._table.connection) as transaction:
                for pk, sk in (
                    (_number_pk(number.phone_number_id), _LOOKUP),
                    (f"ORG#{owner}#NUMBERS", number.phone_number_id),
                ):
                    transaction.save(item(pk, sk, body=body, state=owner, **sending), condition=ours)
                if number.verify_token_hash:
                    verify = item(_verify_pk(number.verify_token_hash), _LOOKUP, state=number.phone_number_id)
                    transaction.save(verify, condition=this_number)
                if previous and previous.verify_token_hash not in (None, number.verify_token_hash):
                    transaction.delete(item(_verify_pk(str(previous.verify_token_hash)), _LOOKUP))
        except TransactWriteError as error:
            if "ConditionalCheckFailed" in cancellation_codes(error):
                raise ConflictError("another organization or number uses the number or its verify token") from None
            raise
        self._numbers.forget(number.phone_number_id)
        self._unknown.forget(number.phone_number_id)

    def put_organization(self, organization: Organization) -> None:
        self._table.item(f"ORG#{organization.organization_id}", "SETTINGS", body=_encode(organization).decode()).save()
        self._organizations.forget(organization.organization_id)

    def stop_number(self, number: Number, reason: str) -> bool:
        item = self._table.item
        actions: list[Action] = [item.stopped_reason.set(reason), item.resuming_at.remove()]
        return self._set_sending(number, actions, item.stopped_reason.does_not_exist())

    def confirm_stop(self, number: Number, at: float) -> None:
        item = self._table.item
        unknown = item.stopped_reason.exists() & item.stopped_at.does_not_exist()
        self._set_sending(number, [item.stopped_at.set(at)], unknown)

    def begin_resuming(self, number: Number, at: float) -> None:
        item = self._table.item
        actions: list[Action] = [item.stopped_reason.remove(), item.stopped_at.remove(), item.resuming_at.set(at)]
        self._set_sending(number, actions, item.stopped_reason.exists() | item.resuming_at.exists())

    def end_resuming(self, number: Number) -> None:
        item = self._table.item
        self._set_sending(number, [item.resuming_at.remove()], item.resuming_at.exists())

    def _set_sending(self, number: Number, actions: list[Action], condition: Condition) -> bool:
        """Changes both copies of a number, its organization's list first: the other copy is the one that is read."""
        item = self._table.item
        changed = True
        for pk, sk in (
            (f"ORG#{number.organization_id}#NUMBERS", number.phone_number_id),
            (_number_pk(number.phone_number_id), _LOOKUP),
        ):
            try:
                item(pk, sk).update(actions, condition=item.pk.exists() & condition)
                changed = True
            except UpdateError as error:
                if dynamodb_error_code(error) != "ConditionalCheckFailedException":
                    raise
                changed = False
        self._numbers.forget(number.phone_number_id)
        return changed

    def _read_number(self, pk: str, sk: str) -> Number | None:
        item = self._get(pk, sk)
        return _number(item) if item is not None else None

    def _get(self, pk: str, sk: str) -> Item | None:
        try:
            return self._table.item.get(pk, sk, consistent_read=True)
        except self._table.item.DoesNotExist:
            return None


def _number_pk(phone_number_id: str) -> str:
    return f"NUMBER#{phone_number_id}"


def _verify_pk(token_hash: str) -> str:
    return f"VERIFY#{token_hash}"


def _number(item: Item) -> Number:
    number = msgspec.json.decode(item.body or "", type=Number)
    number.stopped_reason = item.stopped_reason
    number.stopped_at = float(item.stopped_at) if item.stopped_at is not None else None
    number.resuming_at = float(item.resuming_at) if item.resuming_at is not None else None
    return number
