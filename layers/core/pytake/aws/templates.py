"""The copies of templates on DynamoDB: one item per template under its organization, and one per account that was listed."""

from collections.abc import Iterator
from itertools import islice

import msgspec
from msgspec import Struct
from pynamodb.exceptions import PutError

from pytake.aws.table import Item, Table, dynamodb_error_code
from pytake.conversation.ports.common import Clock, ConflictError
from pytake.conversation.ports.templates import ChangeTemplate
from pytake.conversation.ports.tenants import TENANT_CACHE_SECONDS
from pytake.conversation.templates.stored import StoredTemplate, TemplateKey
from pytake.conversation.ttl_cache import TtlCache

WRITE_ATTEMPTS = 10

_read = msgspec.json.Decoder(StoredTemplate).decode


class _Found(Struct):
    """A cached look-up. It also remembers that a copy is missing."""

    copy: StoredTemplate | None


class DynamoTemplates:
    """Implements `pytake.conversation.ports.templates.Templates`."""

    def __init__(self, table: Table, clock: Clock) -> None:
        self._table = table
        self._cache: TtlCache[_Found] = TtlCache(TENANT_CACHE_SECONDS, 1000, clock)

    def find(self, key: TemplateKey) -> StoredTemplate | None:
        def load() -> _Found:
            item = self._get(key, consistent=False)
            return _Found(_read(item.body or "") if item is not None else None)

        found = self._cache.get("#".join((key.organization_id, _sk(key))), load)
        return found.copy if found is not None else None

    def page(self, organization_id: str, limit: int, after: str = "") -> list[tuple[str, StoredTemplate]]:
        item = self._table.item
        behind = item.sk > after if after else None
        found = item.query(_pk(organization_id), behind, consistent_read=True)
        return list(islice(((entry.sk, _read(entry.body or "")) for entry in _copies(found)), limit))

    def of_account(self, organization_id: str, waba_id: str, name: str | None = None) -> list[StoredTemplate]:
        prefix = f"{waba_id}#" if name is None else f"{waba_id}#{name}#"
        found = self._table.item.query(
            _pk(organization_id), self._table.item.sk.startswith(prefix), consistent_read=True
        )
        return [_read(entry.body or "") for entry in found]

    def change(self, key: TemplateKey, change: ChangeTemplate) -> tuple[StoredTemplate | None, StoredTemplate]:
        item = self._table.item
        for _ in range(WRITE_ATTEMPTS):
            entry = self._get(key, consistent=True)
            before = _read(entry.body or "") if entry is not None else None
            after = change(before)
            if after == before:
                return before, after
            unchanged = item.body == entry.body if entry is not None else item.pk.does_not_exist()
            body = msgspec.json.encode(after).decode()
            try:
                item(_pk(key.organization_id), _sk(key), body=body).save(condition=unchanged)
            except PutError as error:
                if dynamodb_error_code(error) != "ConditionalCheckFailedException":
                    raise
                continue
            self._cache.forget("#".join((key.organization_id, _sk(key))))
            return before, after
        raise ConflictError(f"the copy of {key.name} was not written in {WRITE_ATTEMPTS} attempts")

    def listed_at(self, organization_id: str, waba_id: str) -> float | None:
        try:
            item = self._table.item.get(_pk(organization_id), waba_id)
        except self._table.item.DoesNotExist:
            return None
        return float(item.updated_at) if item.updated_at is not None else None

    def set_listed(self, organization_id: str, waba_id: str, at: float) -> None:
        self._table.item(_pk(organization_id), waba_id, updated_at=at).save()

    def remove_account(self, organization_id: str, waba_id: str) -> None:
        item = self._table.item
        # Its own item sorts before its templates.
        found = item.query(_pk(organization_id), item.sk.between(waba_id, f"{waba_id}#~"))
        with item.batch_write() as batch:
            for entry in found:
                batch.delete(entry)

    def _get(self, key: TemplateKey, *, consistent: bool) -> Item | None:
        try:
            return self._table.item.get(_pk(key.organization_id), _sk(key), consistent_read=consistent)
        except self._table.item.DoesNotExist:
            return None


def _copies(items: Iterator[Item]) -> Iterator[Item]:
    return (item for item in items if "#" in item.sk)


def _pk(organization_id: str) -> str:
    return f"ORG#{organization_id}#TEMPLATES"


def _sk(key: TemplateKey) -> str:
    return f"{key.waba_id}#{key.name}#{key.language}"
