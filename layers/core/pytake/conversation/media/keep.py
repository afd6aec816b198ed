"""Keep the files that people send: Meta deletes them after some days, and its addresses are valid for five minutes."""

import hashlib
import hmac

from pytake.conversation.media.keys import file_key, received_id
from pytake.conversation.ports.common import Clock, RecordMetric
from pytake.conversation.ports.conversations import Conversations
from pytake.conversation.ports.lake import EventLog
from pytake.conversation.ports.media import MediaFile, MediaFiles, MediaTooLargeError, MetaMedia
from pytake.conversation.ports.tenants import Secrets, TenantRepository
from pytake.conversation.queues import MediaItem
from pytake.whatsapp.errors import ErrorClass
from pytake.whatsapp.media_types import UNKNOWN_TYPE, base_type, is_of_type
from pytake.whatsapp.sending import SendFailedError

_GONE = (ErrorClass.PERMANENT, ErrorClass.MEDIA)


class KeepMedia:
    """The use case behind the queue `media`. Repeating it is safe: the same file is stored under the same key again."""

    def __init__(
        self,
        conversations: Conversations,
        tenants: TenantRepository,
        secrets: Secrets,
        pseudonyms: EventLog,
        meta: MetaMedia,
        files: MediaFiles,
        most: int,
        clock: Clock,
        record_metric: RecordMetric,
    ) -> None:
        self._conversations = conversations
        self._tenants = tenants
        self._secrets = secrets
        self._pseudonyms = pseudonyms
        self._meta = meta
        self._files = files
        self._most = most
        self._clock = clock
        self._record_metric = record_metric

    def __call__(self, item: MediaItem) -> str:
        """Store the file; returns what happened: `kept`, `erased`, `number_unknown`, `too_large`, `gone`, `damaged`.

        Raises `SendFailedError` when Meta may give the file later: try again. The metric `MediaNotKept` counts the files that
        are too large, gone or damaged.
        """
        outcome = self._keep(item)
        if outcome in ("too_large", "gone", "damaged"):
            self._record_metric("MediaNotKept", 1)
        return outcome

    def _keep(self, item: MediaItem) -> str:
        number = self._tenants.number(item.phone_number_id)
        if number is None or number.organization_id != item.organization_id:
            return "number_unknown"
        # The pseudonym first: an erasure that begins after the next line finds it, and with it the file.
        names = self._pseudonyms.pseudonyms(item.organization_id, [item.contact_id], self._clock())
        if self._is_erased(item):
            return "erased"
        id_ = received_id(item.contact_id, names[item.contact_id], item.media.id)
        key = file_key(item.organization_id, id_) or ""
        token = self._secrets.access_token(item.organization_id, item.phone_number_id)
        if token is None:
            return "number_unknown"
        try:
            return self._fetch(item, token, key)
        except MediaTooLargeError:
            return "too_large"
        except SendFailedError as error:
            if error.error_class in _GONE:
                return "gone"
            raise

    def _fetch(self, item: MediaItem, token: str, key: str) -> str:
        found = self._meta.describe(item.phone_number_id, token, item.media.id)
        if found.size is not None and found.size > self._most:
            return "too_large"
        content = self._meta.download(found.url, token, self._most)
        if found.sha256 and not hmac.compare_digest(hashlib.sha256(content).hexdigest(), found.sha256):
            return "damaged"
        claimed = base_type(found.mime_type or item.media.mime_type or "")
        mime_type = claimed if is_of_type(content, claimed) else UNKNOWN_TYPE
        self._files.put(key, MediaFile(content, mime_type, item.media.filename))
        return "kept"

    def _is_erased(self, item: MediaItem) -> bool:
        conversation = self._conversations.load(item.key)
        erased_at = conversation.erased_at if conversation is not None else self._conversations.erased_at(item.key)
        return item.received_at <= erased_at
