"""Files of people are kept under a pseudonym, and files of agents are uploaded once per number."""

import copy
from typing import Any

import msgspec
import pytest

from pytake.conversation.agent_messaging import RequestIdReusedError
from pytake.conversation.erase_contact import SETTLE_SECONDS, EraseContact, FinishErasures
from pytake.conversation.inbox import Inbox
from pytake.conversation.lake_events import pseudonyms
from pytake.conversation.media.keep import KeepMedia
from pytake.conversation.media.keys import file_key
from pytake.conversation.media.library import MediaLibrary
from pytake.conversation.media.sendable import REFRESH_SECONDS
from pytake.conversation.ports.media import MediaFile, MediaSizeError, UnknownMediaError, UnsupportedMediaError
from pytake.conversation.queues import MediaItem
from pytake.conversation.retention_policy import RetentionPolicy
from pytake.conversation.transcript import ReadTranscript, TranscriptMedia
from pytake.conversation.turn import TakeTurn
from pytake.whatsapp.errors import ErrorClass
from pytake.whatsapp.input import InputMedia
from pytake.whatsapp.outbound import Media, Text
from pytake.whatsapp.sending import SendFailedError
from tests import fakes
from tests.conversation.product import ECHO_FLOW, NUMBER, PHONE, Product
from tests.fakes.lake import MemoryEventLog, MemoryLake
from tests.fakes.media import MemoryMediaFiles, MemoryUploads, ScriptedMetaMedia

IMAGE = MediaFile(b"\xff\xd8\xff\xe0 picture", "image/jpeg")
SENT = {"type": "image", "image": {"id": "77", "mime_type": "image/jpeg", "sha256": "s", "caption": "Look"}}
PDF = MediaFile(b"%PDF-1.7 contract", "application/pdf", "contract.pdf")


class World:
    """The product with files: those of people, those of agents, and those at Meta."""

    def __init__(self, most: int = 1000) -> None:
        self.product = Product()
        self.product.add_organization("acme", NUMBER, ECHO_FLOW)
        self.product.take_turn = self.turns(keep_media=True)
        self.log = MemoryEventLog(self.product.conversations, self.product.deliveries)
        self.files = MemoryMediaFiles(self.product.clock)
        self.uploads = MemoryUploads()
        self.meta = ScriptedMetaMedia()
        self.meta.files["77"] = IMAGE
        self.measured: list[tuple[str, float]] = []
        product = self.product
        self.keep = KeepMedia(
            product.conversations,
            product.tenants,
            product.secrets,
            self.log,
            self.meta,
            self.files,
            most,
            product.clock,
            lambda *metric: self.measured.append(metric),
        )
        self.library = MediaLibrary(self.files, self.uploads, product.secrets, self.meta, self.log, product.clock)

    def turns(self, *, keep_media: bool) -> TakeTurn:
        use = copy.copy(self.product.take_turn)
        use._keep_media = self.product.queues.put_media if keep_media else None
        return use

    def sends_picture(self, **more: Any) -> MediaItem:
        """The person sends a picture; the item that the flow runner queues."""
        self.product.post(self.product.notification({**self.product.message(""), "text": None, **SENT, **more}))
        self.product.run_queues()
        return self.product.queues.media[-1]

    @property
    def kept(self) -> list[MediaFile]:
        return [file for file, _ in self.files.stored.values()]


@pytest.fixture
def world() -> World:
    return World()


def test_a_picture_is_kept_under_a_key_that_names_nobody(world: World) -> None:
    item = world.sends_picture()
    assert item.media == InputMedia("77", "image", "image/jpeg", "Look")
    assert world.keep(item) == world.keep(item) == "kept"
    assert world.kept == [IMAGE]
    (key,) = world.files.stored
    assert key.startswith("media/contacts/acme/")
    assert PHONE not in key
    assert "77" not in key.rpartition("/")[2][:2]


def test_only_messages_with_files_are_queued_and_only_if_files_are_kept(world: World) -> None:
    world.product.say("Hi")
    assert world.product.queues.media == []
    world.product.take_turn = world.turns(keep_media=False)
    world.product.post(world.product.notification({**world.product.message(""), "text": None, **SENT}))
    world.product.run_queues()
    assert world.product.queues.media == []


def test_a_message_that_comes_again_queues_its_file_again(world: World) -> None:
    message = {**world.product.message(""), "text": None, **SENT}
    for _ in range(2):
        world.product.queues.forget_deduplication()
        world.product.post(world.product.notification(message))
        world.product.run_queues()
    assert [item.media.id for item in world.product.queues.media] == ["77", "77"]


@pytest.mark.parametrize(
    ("damage", "outcome"),
    [
        (lambda world: setattr(world.meta, "damaged", True), "damaged"),
        (lambda world: world.meta.files.update({"77": MediaFile(b"\xff\xd8\xff" * 500, "image/jpeg")}), "too_large"),
        (lambda world: setattr(world.meta, "failure", SendFailedError(ErrorClass.PERMANENT, code=100)), "gone"),
        (lambda world: world.product.tenants.by_id.clear(), "number_unknown"),
    ],
)
def test_a_file_that_cannot_be_kept_is_not(world: World, damage: Any, outcome: str) -> None:
    item = world.sends_picture()
    damage(world)
    assert world.keep(item) == outcome
    assert world.kept == []
    assert world.measured == ([] if outcome == "number_unknown" else [("MediaNotKept", 1)])


def test_a_failure_of_meta_is_tried_again(world: World) -> None:
    item = world.sends_picture()
    world.meta.failure = SendFailedError(ErrorClass.RETRY, http_status=500)
    with pytest.raises(SendFailedError):
        world.keep(item)
    world.meta.failure = None
    assert world.keep(item) == "kept"


def test_contents_that_are_not_of_their_type_are_only_bytes(world: World) -> None:
    world.meta.files["77"] = MediaFile(b"<script>alert(1)</script>", "image/jpeg")
    world.keep(world.sends_picture())
    assert [file.mime_type for file in world.kept] == ["application/octet-stream"]


class Erasure:
    def __init__(self, world: World) -> None:
        product, log = world.product, world.log
        self.erasure = fakes.MemoryErasure(product.conversations, product.deliveries, product.held_turns)
        self.erase = EraseContact(
            Inbox(product.conversations, product.conversations.aliases, product.tenants, product.clock),
            self.erasure,
            fakes.MemoryErasureJournal(),
            fakes.MemoryImports(),
            product.events,
            product.clock,
        )
        self.log = log
        self.finish = FinishErasures(self.erasure, MemoryLake(), world.files, Letters(), product.events, product.clock)


class Letters:
    def remove(self, keys: list[Any]) -> int:
        return 0


def test_an_erased_person_s_files_go_and_others_stay(world: World) -> None:
    world.keep(world.sends_picture())
    other = msgspec.structs.replace(world.product.queues.media[-1], contact_id="5511888888888")
    world.keep(other)
    assert len(world.kept) == 2
    erasure = Erasure(world)
    erasure.erase("acme", PHONE, "ana")
    name = pseudonyms(world.log.keys["acme", PHONE], PHONE).contact
    erasure.erasure.unfinished[0].contacts = [name]
    world.product.clock.forward(SETTLE_SECONDS)
    assert erasure.finish(lambda *_: None) == 1
    assert [name in key for key in world.files.stored] == [False]


def test_a_file_that_was_sent_before_the_erasure_is_not_kept_after_it(world: World) -> None:
    item = world.sends_picture()
    Erasure(world).erase("acme", PHONE, "ana")
    assert world.keep(item) == "erased"
    assert world.kept == []
    world.product.clock.forward(1)
    assert world.keep(world.sends_picture()) == "kept"


def test_files_are_kept_as_long_as_the_organization_says(world: World) -> None:
    world.keep(world.sends_picture())
    world.library.add("acme", PDF)
    policy = RetentionPolicy(world.product.tenants, 20)
    for days, left in ((19, 2), (2, 0)):
        world.product.clock.forward(days * 86_400)
        world.files.delete_before("acme", world.product.clock() - policy("acme"))
        assert len(world.files.stored) == left


def test_a_transcript_names_the_person_s_files(world: World) -> None:
    world.keep(world.sends_picture())
    key, product = world.product.key(), world.product
    read = ReadTranscript(
        product.conversations, product.deliveries, product.flows, product.history, world.library.received_ids
    )
    media = read(key)[0].media
    assert media is not None
    assert file_key("acme", media.id or "") in world.files.stored
    assert media == TranscriptMedia("image", media.id, "image/jpeg")
    found, url, _ = world.library.link("acme", media.id or "")
    assert (found.size, url.startswith("https://files.test/media/contacts/acme/")) == (len(IMAGE.content), True)
    with pytest.raises(UnknownMediaError):
        world.library.link("other", media.id or "")
    without = ReadTranscript(product.conversations, product.deliveries, product.flows, product.history)(key)[0].media
    assert without == TranscriptMedia("image", None, "image/jpeg")


def test_an_upload_goes_to_meta_once_per_number_and_again_before_it_expires(world: World) -> None:
    upload = world.library.add("acme", PDF)
    key = world.product.key()
    other = msgspec.structs.replace(key, phone_number_id="2")
    world.product.secrets.put("acme", "2", world.product.secrets.of_number("acme", NUMBER) or pytest.fail("no secrets"))
    sent = [world.library.message(one, upload.id, "Please sign") for one in (key, key, other, key)]
    assert [message.id for message in sent] == ["meta-1", "meta-1", "meta-2", "meta-1"]
    assert sent[0] == Media("document", id="meta-1", caption="Please sign", filename="contract.pdf")
    assert [number for number, _ in world.meta.uploads] == [NUMBER, "2"]
    world.product.clock.forward(REFRESH_SECONDS + 1)
    assert world.library.message(key, upload.id, None).id == "meta-3"


@pytest.mark.parametrize(
    ("file", "error"),
    [
        (MediaFile(b"MZ", "application/x-msdownload"), UnsupportedMediaError),
        (MediaFile(b"<html>", "image/png"), UnsupportedMediaError),
        (MediaFile(b"", "image/png"), MediaSizeError),
        (MediaFile(b"RIFF1234WEBP" + b"x" * 512_000, "image/webp"), MediaSizeError),
    ],
)
def test_a_file_that_whatsapp_does_not_take_is_refused(world: World, file: MediaFile, error: type[Exception]) -> None:
    with pytest.raises(error):
        world.library.add("acme", file)
    assert world.files.stored == {}


def test_a_removed_upload_is_unknown(world: World) -> None:
    upload = world.library.add("acme", PDF)
    with pytest.raises(UnknownMediaError):
        world.library.remove("other", upload.id)
    world.library.remove("acme", upload.id)
    for act in (
        lambda: world.library.remove("acme", upload.id),
        lambda: world.library.link("acme", upload.id),
        lambda: world.library.message(world.product.key(), upload.id, None),
        lambda: world.library.link("acme", "../../secrets"),
    ):
        with pytest.raises(UnknownMediaError):
            act()


def test_an_agent_sends_a_file_once(world: World) -> None:
    product = world.product
    product.say("Hi")
    desk = product.agent_messaging()
    message = world.library.message(product.key(), world.library.add("acme", PDF).id, "Please sign")
    for _ in range(2):
        desk.send(product.key(), message, "bea", "request-1")
    with pytest.raises(RequestIdReusedError):
        desk.send(product.key(), Text("Please sign"), "bea", "request-1")
    product.run_queues()
    expected = {"id": "meta-1", "caption": "Please sign", "filename": "contract.pdf"}
    assert [sent["document"] for sent in product.graph.sent if sent["type"] == "document"] == [expected]
