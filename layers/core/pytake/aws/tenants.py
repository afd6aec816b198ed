"""Numbers and organizations on DynamoDB."""

import hashlib
from collections.abc import Callable, Collection, Sequence
from typing import Any, TypeVar

import msgspec
from pynamodb.attributes import UnicodeAttribute
from pynamodb.exceptions import TransactWriteError
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action
from pynamodb.transactions import TransactWrite

from pytake.aws.change_log import change_item, recorded
from pytake.aws.table import Item, Table, cancellation_codes
from pytake.aws.updates import update_if
from pytake.conversation.change_log import Author, Resource, change_of
from pytake.conversation.ports.common import Clock, ConflictError, until_written
from pytake.conversation.ports.tenants import TENANT_CACHE_SECONDS
from pytake.conversation.records import Number, Organization
from pytake.conversation.ttl_cache import TtlCache
from pytake.engine.timetable import Timetable

WRITE_ATTEMPTS = 20
"""How often a number is written while others change the same number or the same verify token."""

_LOOKUP = "NUMBER"
_REMOVED = "#removed"  # no organization has this id
_SENDING = ("stopped_reason", "stopped_at", "resuming_at", "resumed_at", "held_since", "held_until")
_UNSET: dict[str, Any] = dict.fromkeys(_SENDING)
_encode = msgspec.json.Encoder().encode

_Setting = TypeVar("_Setting", Organization, dict[str, Timetable])


class DynamoTenants:
    """Implements `pytake.conversation.ports.tenants.TenantRepository`.

    A number is stored twice in one transaction: under its id, where the webhook finds it, and under its organization, where
    the organization lists it.
    """

    def __init__(self, table: Table, clock: Clock) -> None:
        self._table = table
        self._numbers: TtlCache[Number] = TtlCache(TENANT_CACHE_SECONDS, 1000, clock)
        self._unknown: TtlCache[bool] = TtlCache(TENANT_CACHE_SECONDS, 1000, clock)
        self._accounts: TtlCache[dict[str, str]] = TtlCache(TENANT_CACHE_SECONDS, 1000, clock)
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

    def find_accounts(self, waba_ids: Sequence[str]) -> dict[str, dict[str, str]]:
        found: dict[str, dict[str, str]] = {}
        unread: list[str] = []
        for id_ in waba_ids:
            cached = self._accounts.get(id_, lambda: None)
            if cached is None:
                unread.append(id_)
            elif cached:
                found[id_] = cached
        if unread:
            items = {i.pk: i for i in self._table.item.batch_get([(_account_pk(id_), _LOOKUP) for id_ in unread])}
            for id_ in unread:
                numbers = _members(items.get(_account_pk(id_)))
                self._accounts.put(id_, numbers)
                if numbers:
                    found[id_] = numbers
        return found

    def knows_verify_token(self, token: str) -> bool:
        # The key is a digest of the token: secrets are not compared, so timing reveals nothing.
        return self._get(_verify_pk(hashlib.sha256(token.encode()).hexdigest()), _LOOKUP) is not None

    def organization(self, organization_id: str) -> Organization:
        def load() -> Organization:
            item = self._get(f"ORG#{organization_id}", "SETTINGS")
            body = item.body if item is not None else None
            found = msgspec.json.decode(body, type=Organization) if body else Organization(organization_id)
            if item is not None and item.timetables:
                found.timetables = msgspec.json.decode(item.timetables, type=dict[str, Timetable])
            return found

        return self._organizations.get(organization_id, load) or Organization(organization_id)

    def numbers(self, organization_id: str) -> list[Number]:
        items = self._table.item.query(f"ORG#{organization_id}#NUMBERS", consistent_read=True)
        return [_number(item) for item in items if item.state != _REMOVED]

    def number_ids(self, organization_id: str) -> list[str]:
        return [item.sk for item in self._table.item.query(f"ORG#{organization_id}#NUMBERS", consistent_read=True)]

    def put_number(self, number: Number, author: Author | None = None, secrets: Collection[str] = ()) -> None:
        self._write(number, lambda: self._replace(number, author, secrets))

    def remove_number(self, number: Number, author: Author | None = None) -> None:
        self._write(number, lambda: self._release(number, None, author))

    def move_number(self, number: Number, to: Number) -> None:
        self._write(number, lambda: self._release(number, to))

    def _write(self, number: Number, write: Callable[[], None]) -> None:
        for attempt in range(1, WRITE_ATTEMPTS + 1):
            try:
                write()
                break
            except TransactWriteError as error:
                changed = set(cancellation_codes(error)) & {"ConditionalCheckFailed", "TransactionConflict"}
                if not changed or attempt == WRITE_ATTEMPTS:
                    raise
        self._numbers.forget(number.phone_number_id)
        self._unknown.forget(number.phone_number_id)
        if number.waba_id is not None:
            self._accounts.forget(number.waba_id)

    def _replace(self, number: Number, author: Author | None, secrets: Collection[str]) -> None:
        """Write a number and its part of the verify tokens, if nothing that was read has changed meanwhile."""
        item, owner, token = self._table.item, number.organization_id, number.verify_token_hash
        body = _encode(msgspec.structs.replace(number, **_UNSET)).decode()
        previous = self._get(_number_pk(number.phone_number_id), _LOOKUP)
        if previous is not None and previous.state != owner:
            raise ConflictError("another organization has the number")
        expected = item.pk.does_not_exist() if previous is None else item.body == previous.body
        old = _number(previous) if previous is not None else None
        old_token = old.verify_token_hash if old is not None else None
        old_account = old.waba_id if old is not None else None
        # Updates, because a number may be stopped or resumed meanwhile.
        actions: list[Action] = [item.body.set(body), item.state.set(owner)]
        with TransactWrite(connection=self._table.connection) as transaction:
            transaction.update(item(_number_pk(number.phone_number_id), _LOOKUP), actions, condition=expected)
            transaction.update(item(f"ORG#{owner}#NUMBERS", number.phone_number_id), actions)
            if token is not None:
                self._claim_token(transaction, token, number)
            if old_token is not None and old_token != token:
                self._release_token(transaction, old_token, number.phone_number_id)
            if number.waba_id != old_account:
                self._set_member(transaction, old_account, number.phone_number_id, None)
                self._set_member(transaction, number.waba_id, number.phone_number_id, owner)
            self._record(transaction, author, old, number, secrets)

    def _record(
        self,
        transaction: TransactWrite,
        author: Author | None,
        before: Number | None,
        after: Number | None,
        secrets: Collection[str] = (),
    ) -> None:
        """Record the change of a number. `secrets`: those of its secrets that change."""
        number = after or before
        if author is None or number is None:
            return
        old, new = (msgspec.structs.replace(one, **_UNSET) if one is not None else None for one in (before, after))
        hidden = ("verify_token_hash",)
        change = change_of(author, "numbers", old, new, number.phone_number_id, hidden=hidden, also=secrets)
        if change is not None:
            transaction.save(change_item(self._table, number.organization_id, change))

    def _release(self, number: Number, to: Number | None, author: Author | None = None) -> None:
        """Take a number from its organization, and give it to that of `to`."""
        item, id_ = self._table.item, number.phone_number_id
        previous = self._get(_number_pk(id_), _LOOKUP)
        if previous is None or previous.state != number.organization_id:
            if to is not None:
                raise ConflictError("the organization does not have the number any more")
            return
        known = _number(previous)
        token = known.verify_token_hash
        unchanged = item.body == previous.body
        with TransactWrite(connection=self._table.connection) as transaction:
            if to is None:
                transaction.delete(item(_number_pk(id_), _LOOKUP), condition=unchanged)
            else:
                body = _encode(to).decode()
                moved = item(_number_pk(id_), _LOOKUP, body=body, state=to.organization_id)
                transaction.save(moved, condition=unchanged)
                listed = item(f"ORG#{to.organization_id}#NUMBERS", id_, body=body, state=to.organization_id)
                transaction.save(listed)
            transaction.save(item(f"ORG#{number.organization_id}#NUMBERS", id_, state=_REMOVED))
            if token is not None:
                self._release_token(transaction, token, id_)
            self._set_member(transaction, known.waba_id, id_, to.organization_id if to is not None else None)
            self._record(transaction, author, known, None)

    def _claim_token(self, transaction: TransactWrite, token: str, number: Number) -> None:
        """Add a number to those of a verify token. Raises `ConflictError` when another organization uses the token."""
        found, users = self._token_users(token)
        user = self._read_number(_number_pk(users[0]), _LOOKUP) if users else None
        if user is not None and user.organization_id != number.organization_id:
            raise ConflictError("another organization uses the verify token")
        users = sorted({*users, number.phone_number_id})
        transaction.save(self._table.item(_verify_pk(token), _LOOKUP, state=" ".join(users)), condition=found)

    def _release_token(self, transaction: TransactWrite, token: str, phone_number_id: str) -> None:
        """Remove a number from those of a verify token, which is valid as long as a number uses it."""
        found, users = self._token_users(token)
        entry = self._table.item(_verify_pk(token), _LOOKUP)
        rest = [user for user in users if user != phone_number_id]
        if rest:
            entry.state = " ".join(rest)
            transaction.save(entry, condition=found)
        else:
            transaction.delete(entry, condition=found)

    def _token_users(self, token: str) -> tuple[Condition, list[str]]:
        """The numbers of a verify token, all of one organization, and the condition that they are still the same."""
        entry, item = self._get(_verify_pk(token), _LOOKUP), self._table.item
        if entry is None:
            return item.pk.does_not_exist(), []
        return item.state == entry.state, (entry.state or "").split()

    def _set_member(
        self, transaction: TransactWrite, waba_id: str | None, phone_number_id: str, organization_id: str | None
    ) -> None:
        """Set the organization of one of an account's numbers; None takes the number out of the account."""
        if waba_id is None:
            return
        entry, item = self._get(_account_pk(waba_id), _LOOKUP), self._table.item
        members = _members(entry)
        if organization_id is None:
            members.pop(phone_number_id, None)
        else:
            members[phone_number_id] = organization_id
        unchanged = item.pk.does_not_exist() if entry is None else item.body == entry.body
        changed = item(_account_pk(waba_id), _LOOKUP, body=_encode(members).decode())
        if members:
            transaction.save(changed, condition=unchanged)
        elif entry is not None:
            transaction.delete(changed, condition=unchanged)

    def put_organization(self, organization: Organization, author: Author | None = None) -> None:
        settings, id_ = msgspec.structs.replace(organization, timetables={}), organization.organization_id
        self._set(id_, "organization", self._table.item.body, Organization, Organization(id_), settings, author)

    def put_timetables(
        self, organization_id: str, timetables: dict[str, Timetable], author: Author | None = None
    ) -> None:
        attribute = self._table.item.timetables
        self._set(organization_id, "timetables", attribute, dict[str, Timetable], {}, timetables, author)

    def _set(
        self,
        organization_id: str,
        resource: Resource,
        attribute: UnicodeAttribute,
        type_: type[_Setting],
        unset: _Setting,
        value: _Setting,
        author: Author | None,
    ) -> None:
        """Change one attribute of an organization's item, so that settings and timetables do not overwrite each other."""
        place = (f"ORG#{organization_id}", "SETTINGS")

        def write() -> None:
            stored = self._get(*place)
            old: str | None = getattr(stored, str(attribute.attr_name)) if stored is not None else None
            before = msgspec.json.decode(old, type=type_) if old else unset
            change = change_of(author, resource, before, value) if author is not None else None
            unchanged = attribute == old if old is not None else attribute.does_not_exist()
            with recorded(self._table, organization_id, change) as transaction:
                action = attribute.set(_encode(value).decode())
                transaction.update(self._table.item(*place), [action], condition=unchanged)

        until_written(write, f"the {resource}")
        self._organizations.forget(organization_id)

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
        actions: list[Action] = [item.stopped_reason.remove(), item.stopped_at.remove()]
        actions += [item.resuming_at.set(at), item.resumed_at.set(at)]
        self._set_sending(number, actions, item.stopped_reason.exists() | item.resuming_at.exists())

    def end_resuming(self, number: Number) -> None:
        item = self._table.item
        self._set_sending(number, [item.resuming_at.remove()], item.resuming_at.exists())

    def hold_turns_until(self, number: Number, until: float, now: float) -> None:
        item = self._table.item
        ended = item.held_until.does_not_exist() | (item.held_until <= now)
        self._set_sending(number, [item.held_until.set(until), item.held_since.remove()], ended)
        self._set_sending(number, [item.held_until.set(until)], item.held_until < until)

    def confirm_holding(self, number: Number, at: float) -> None:
        item = self._table.item
        unknown = item.held_until.exists() & item.held_since.does_not_exist()
        self._set_sending(number, [item.held_since.set(at)], unknown)

    def _set_sending(self, number: Number, actions: list[Action], condition: Condition) -> bool:
        """Changes both copies of a number, its organization's list first: the other copy is the one that is read."""
        item = self._table.item
        changed = True
        for pk, sk in (
            (f"ORG#{number.organization_id}#NUMBERS", number.phone_number_id),
            (_number_pk(number.phone_number_id), _LOOKUP),
        ):
            changed = update_if(item(pk, sk), actions, item.pk.exists() & condition)
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


def _account_pk(waba_id: str) -> str:
    return f"WABA#{waba_id}"


def _members(item: Item | None) -> dict[str, str]:
    """The organizations of an account's numbers, by number."""
    return msgspec.json.decode(item.body or "{}", type=dict[str, str]) if item is not None else {}


def _verify_pk(token_hash: str) -> str:
    return f"VERIFY#{token_hash}"


def _number(item: Item) -> Number:
    number = msgspec.json.decode(item.body or "", type=Number)
    number.stopped_reason = item.stopped_reason
    number.stopped_at = float(item.stopped_at) if item.stopped_at is not None else None
    number.resuming_at = float(item.resuming_at) if item.resuming_at is not None else None
    number.resumed_at = float(item.resumed_at) if item.resumed_at is not None else None
    number.held_since = float(item.held_since) if item.held_since is not None else None
    number.held_until = float(item.held_until) if item.held_until is not None else None
    return number
