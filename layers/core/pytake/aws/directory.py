"""Numbers and organizations on DynamoDB."""

import hashlib

import msgspec
from pynamodb.exceptions import TransactWriteError, UpdateError
from pynamodb.transactions import TransactWrite

from pytake.aws.caching import AgeingCache
from pytake.aws.table import Item, Table
from pytake.conversation.ports import Clock, ConflictError
from pytake.conversation.records import Number, Organization

CACHE_SECONDS = 5
"""A change of a number or an organization reaches every warm worker within this time."""

_LOOKUP = "NUMBER"
_encode = msgspec.json.Encoder().encode


class DynamoDirectory:
    """Implements `pytake.conversation.ports.Directory`.

    A number is stored twice in one transaction: under its id, where the webhook finds it, and under its organization, where
    the organization lists it.
    """

    def __init__(self, table: Table, clock: Clock) -> None:
        self._table = table
        self._numbers: AgeingCache[Number] = AgeingCache(CACHE_SECONDS, 1000, clock)
        self._organizations: AgeingCache[Organization] = AgeingCache(CACHE_SECONDS, 1000, clock)

    def number(self, phone_number_id: str) -> Number | None:
        return self._numbers.get(phone_number_id, lambda: self._read_number(_number_pk(phone_number_id), _LOOKUP))

    def knows_verify_token(self, token: str) -> bool:
        # The token is looked up by its digest: no comparison of secrets, so no timing to learn from.
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
        body = _encode(msgspec.structs.replace(number, stopped_reason=None)).decode()
        previous = self._read_number(_number_pk(number.phone_number_id), _LOOKUP)
        # `state` holds the owner: only the organization that has a number, or its verify token, may write it again.
        ours = item.pk.does_not_exist() | (item.state == number.organization_id)
        this_number = item.pk.does_not_exist() | (item.state == number.phone_number_id)
        stopped = previous.stopped_reason if previous else None
        owner = number.organization_id
        try:
            with TransactWrite(connection=self._table.connection) as transaction:
                for pk, sk in (
                    (_number_pk(number.phone_number_id), _LOOKUP),
                    (f"ORG#{owner}#NUMBERS", number.phone_number_id),
                ):
                    transaction.save(item(pk, sk, body=body, state=owner, stopped_reason=stopped), condition=ours)
                if number.verify_token_hash:
                    verify = item(_verify_pk(number.verify_token_hash), _LOOKUP, state=number.phone_number_id)
                    transaction.save(verify, condition=this_number)
                if previous and previous.verify_token_hash not in (None, number.verify_token_hash):
                    transaction.delete(item(_verify_pk(str(previous.verify_token_hash)), _LOOKUP))
        except TransactWriteError as error:
            if any(reason and reason.code == "ConditionalCheckFailed" for reason in error.cancellation_reasons):
                raise ConflictError("the number or its verify token belongs to somebody else") from None
            raise
        self._numbers.forget(number.phone_number_id)

    def put_organization(self, organization: Organization) -> None:
        self._table.item(f"ORG#{organization.organization_id}", "SETTINGS", body=_encode(organization).decode()).save()
        self._organizations.forget(organization.organization_id)

    def stop_number(self, number: Number, reason: str | None) -> None:
        item = self._table.item
        action = item.stopped_reason.remove() if reason is None else item.stopped_reason.set(reason)
        for pk, sk in (
            (_number_pk(number.phone_number_id), _LOOKUP),
            (f"ORG#{number.organization_id}#NUMBERS", number.phone_number_id),
        ):
            try:
                item(pk, sk).update([action], condition=item.pk.exists())
            except UpdateError as error:
                if error.cause_response_code != "ConditionalCheckFailedException":
                    raise
        self._numbers.forget(number.phone_number_id)

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
    return number
