"""Library files in flows: the sender uploads a file once per number, before it claims the message."""

from typing import Any

import pytest
from msgspec.structs import replace

from pytake.conversation.delivery.library_files import KNOWN_SECONDS, ExchangeFiles
from pytake.conversation.media.library import UPLOAD_SECONDS
from pytake.conversation.media.sendable import REFRESH_SECONDS
from pytake.conversation.ports.media import MediaFile, StoredFile, Upload
from pytake.conversation.queues import OutboundItem
from pytake.conversation.records import Delivery, FallbackTemplate
from pytake.conversation.retry_later import RetryLaterError
from pytake.whatsapp.errors import ErrorClass, classify
from pytake.whatsapp.outbound import Media
from pytake.whatsapp.sending import SendFailedError
from tests.conversation.product import ECHO_FLOW, NUMBER, PHONE, Product

PICTURE = MediaFile(b"\xff\xd8\xff\xe0 picture", "image/jpeg", "menu.jpg")
OTHER_NUMBER = "100000000000002"


def showing(id_: str, kind: str = "image") -> dict[str, Any]:
    media = {"type": kind, "id": id_, "caption": "Our menu"}
    nodes = [
        {"id": "start", "type": "start", "data": {"next_node_id": "menu"}},
        {"id": "menu", "type": "message", "data": {"media": media, "next_node_id": "end"}},
        {"id": "end", "type": "end", "data": {}},
    ]
    return ECHO_FLOW | {"nodes": nodes}


class Menu:
    """An organization whose flow sends a picture of its library."""

    def __init__(self, product: Product) -> None:
        self.product = product
        self.upload = product.media_library.add("acme", PICTURE, keep=True)
        product.publish("acme", showing(self.upload.id))

    def asked(self) -> OutboundItem:
        """A person writes; the turn that answers with the picture."""
        self.product.post(self.product.notification(self.product.message("Hi")))
        item = self.product.queues.inbound.pop(0)
        self.product.take_turn(item)
        return self.product.queues.outbound.pop(0)

    @property
    def sent(self) -> list[Any]:
        return [payload["image"] for payload in self.product.graph.sent if payload["type"] == "image"]

    @property
    def uploads(self) -> int:
        return len(self.product.meta_media.uploads)

    def entry(self) -> Delivery:
        return self.product.deliveries.of_conversation(self.product.key())[-1]

    def reported(self) -> list[tuple[str, Any]]:
        return [(event.type, event.detail.get("reason")) for event in self.product.events.events]


@pytest.fixture
def menu(product: Product) -> Menu:
    return Menu(product)


def refusal(code: int, http_status: int = 400) -> SendFailedError:
    return SendFailedError(classify(http_status, {"code": code}), http_status=http_status, code=code)


def test_a_file_is_uploaded_once_for_each_number(menu: Menu) -> None:
    product = menu.product
    product.add_organization("acme", OTHER_NUMBER, None)
    for _ in range(2):
        product.deliver_until_done(menu.asked())
        product.clock.forward(KNOWN_SECONDS)
    item = replace(menu.asked(), phone_number_id=OTHER_NUMBER)
    product.deliver_until_done(item)
    caption = {"caption": "Our menu"}
    assert menu.sent == [{"id": "meta-1", **caption}, {"id": "meta-1", **caption}, {"id": "meta-2", **caption}]
    assert [(number, file) for number, file in product.meta_media.uploads] == [
        (NUMBER, PICTURE),
        (OTHER_NUMBER, PICTURE),
    ]
    product.clock.forward(REFRESH_SECONDS)
    product.deliver_until_done(menu.asked())
    assert (menu.uploads, menu.sent[-1]["id"]) == (3, "meta-3")


def test_a_file_is_looked_up_once_a_minute(menu: Menu, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    get = menu.product.uploads.get
    monkeypatch.setattr(menu.product.uploads, "get", lambda *place: asked.append(place[1]) or get(*place))
    for _ in range(3):
        menu.product.deliver_until_done(menu.asked())
    assert (len(menu.sent), asked) == (3, [menu.upload.id])
    menu.product.clock.forward(KNOWN_SECONDS)
    menu.product.deliver_until_done(menu.asked())
    assert asked == [menu.upload.id] * 2


def test_a_message_without_a_library_file_makes_no_use_case(product: Product) -> None:
    def never() -> Any:
        raise AssertionError("no file is needed")

    exchange, message = ExchangeFiles(never, product.clock), Media("image", id="123456")
    assert exchange(message, product.tenants.by_id[NUMBER]) is message


def test_a_file_that_is_gone_fails_for_good_and_operators_are_told(menu: Menu) -> None:
    menu.product.media_library.remove("acme", menu.upload.id)
    assert menu.product.deliver_until_done(menu.asked()) == []
    assert (menu.entry().state, menu.entry().reason, menu.entry().sends) == ("failed", "media_unknown", 0)
    assert menu.reported() == [("delivery.failed", "media_unknown")]
    assert menu.sent == []


def test_another_organization_s_file_is_not_found(menu: Menu) -> None:
    theirs = menu.product.media_library.add("globex", PICTURE, keep=True)
    menu.product.publish("acme", showing(theirs.id))
    assert menu.product.deliver_until_done(menu.asked()) == []
    assert (menu.entry().reason, menu.uploads) == ("media_unknown", 0)


def test_an_upload_of_an_agent_is_not_taken_for_a_library_file(menu: Menu) -> None:
    """It would disappear with the retention."""
    theirs = menu.product.media_library.add("acme", PICTURE)
    menu.product.publish("acme", showing(theirs.id))
    menu.product.deliver_until_done(menu.asked())
    assert menu.sent == [{"id": theirs.id, "caption": "Our menu"}], "Meta refuses it"


@pytest.mark.parametrize(
    ("failure", "waits", "times"),
    [
        (refusal(130429), [2], 1),
        (refusal(131000, 500), [2, 4], 2),
        (SendFailedError(ErrorClass.AMBIGUOUS), [2, 4, 8], 3),
        (refusal(131053), [2], 1),
    ],
    ids=str,
)
def test_an_upload_that_fails_for_now_is_repeated(
    menu: Menu, failure: SendFailedError, waits: list[float], times: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = [failure] * times
    upload = menu.product.meta_media.upload

    def fails_first(*arguments: Any) -> str:
        if script:
            raise script.pop()
        return upload(*arguments)

    monkeypatch.setattr(menu.product.meta_media, "upload", fails_first)
    assert menu.product.deliver_until_done(menu.asked()) == waits
    assert (len(menu.sent), menu.entry().state, menu.entry().sends, menu.reported()) == (1, "accepted", 1, [])


@pytest.mark.parametrize(
    ("failure", "state", "reason", "event"),
    [
        (refusal(130429), "dead", "retry:130429", "delivery.dead"),
        (SendFailedError(ErrorClass.AMBIGUOUS), "dead", "transient:network", "delivery.dead"),
        (refusal(131053), "dead", "media:131053", "delivery.dead"),
        (refusal(100), "failed", "permanent:100", "delivery.failed"),
    ],
    ids=str,
)
def test_a_file_that_meta_always_refuses_is_not_sent(
    menu: Menu, failure: SendFailedError, state: str, reason: str, event: str
) -> None:
    menu.product.meta_media.failure = failure
    item = menu.asked()
    menu.product.deliver_until_done(item)
    assert (menu.entry().state, menu.entry().reason, menu.entry().sends) == (state, reason, 0)
    assert (menu.reported(), menu.sent) == ([(event, reason)], [])
    menu.product.meta_media.failure = None
    menu.product.deliver_until_done(replace(item, redrive_count=1, requeue_id="redrive"))
    assert len(menu.sent) == (state == "dead"), "a redriven message is sent once"


def test_a_refused_token_stops_the_number(menu: Menu) -> None:
    menu.product.meta_media.failure = refusal(190, 401)
    with pytest.raises(RetryLaterError):
        menu.product.deliver(menu.asked(), first_delivery=True)
    assert menu.product.tenants.by_id[NUMBER].stopped_reason == "fatal_token:190"
    assert (menu.entry().state, menu.entry().sends) == ("waiting", 0)


def test_a_sender_that_dies_behind_the_upload_sends_once(menu: Menu, monkeypatch: pytest.MonkeyPatch) -> None:
    item, claim = menu.asked(), menu.product.deliveries.claim

    class Death(BaseException):
        pass

    def dies(*_: Any) -> None:
        raise Death

    monkeypatch.setattr(menu.product.deliveries, "claim", dies)
    with pytest.raises(Death):
        menu.product.deliver(item, first_delivery=True)
    monkeypatch.setattr(menu.product.deliveries, "claim", claim)
    assert menu.product.deliver_until_done(item, redelivered=True) == [], (
        "nothing was claimed, so nothing is waited for"
    )
    assert (len(menu.sent), menu.uploads, menu.entry().possibly_duplicate) == (1, 1, False)


def test_a_sender_without_time_left_behind_an_upload_claims_nothing(menu: Menu) -> None:
    item = menu.asked()
    with pytest.raises(RetryLaterError):
        menu.product.deliver(item, first_delivery=True, out_of_time=lambda: True)
    assert (menu.uploads, menu.sent, menu.product.deliveries.of_conversation(item.key)) == (1, [], [])
    menu.product.deliver_until_done(item, redelivered=True)
    assert (menu.uploads, len(menu.sent)) == (1, 1)


def test_the_template_of_a_closed_window_needs_no_file(menu: Menu) -> None:
    menu.product.tenants.by_id[NUMBER].fallback_template = FallbackTemplate("come_back", "en")
    item = menu.asked()
    menu.product.clock.forward(25 * 3600)
    menu.product.deliver_until_done(item)
    assert [payload["type"] for payload in menu.product.graph.sent] == ["template"]
    assert menu.uploads == 0


def test_a_file_that_was_deleted_meanwhile_does_not_come_back(menu: Menu, monkeypatch: pytest.MonkeyPatch) -> None:
    upload = menu.product.meta_media.upload

    def deleted_meanwhile(*arguments: Any) -> str:
        menu.product.media_library.remove("acme", menu.upload.id)
        return upload(*arguments)

    monkeypatch.setattr(menu.product.meta_media, "upload", deleted_meanwhile)
    menu.product.deliver_until_done(menu.asked())
    assert menu.product.uploads.stored == {}


def begun(product: Product) -> Upload:
    described = StoredFile("image/jpeg", len(PICTURE.content), "menu.jpg")
    return product.media_library.begin("acme", described, keep=True)[0]


def test_a_file_that_was_put_into_the_store_is_sent_as_soon_as_it_is_there(product: Product) -> None:
    menu = Menu(product)
    product.clock.forward(1)
    upload = begun(product)
    product.publish("acme", showing(upload.id))
    assert product.media_library.library("acme", 10) == ([menu.upload], None)
    product.files.put(f"files/acme/{upload.id}", PICTURE)
    product.deliver_until_done(menu.asked())
    assert menu.sent == [{"id": "meta-1", "caption": "Our menu"}]
    assert [one.id for one in product.media_library.library("acme", 10)[0]] == [upload.id, menu.upload.id]


def test_an_upload_that_never_came_is_forgotten(product: Product) -> None:
    begun(product)
    assert (product.media_library.library("acme", 10), len(product.uploads.stored)) == (([], None), 1)
    product.clock.forward(UPLOAD_SECONDS + 1)
    assert (product.media_library.library("acme", 10), product.uploads.stored) == (([], None), {})


def test_a_draft_names_the_files_that_are_missing(product: Product) -> None:
    upload, awaited = product.media_library.add("acme", PICTURE, keep=True), begun(product)
    theirs = product.media_library.add("globex", PICTURE, keep=True)

    def codes(id_: str, kind: str = "image") -> list[str]:
        return [one.code for one in product.authoring.save_draft("acme", "echo", showing(id_, kind)).problems]

    assert (codes(upload.id), codes(upload.id, "video")) == ([], ["unsupported_media"])
    assert codes(theirs.id) == codes(awaited.id) == codes("file-typo") == ["unknown_media"]
    product.files.put(f"files/acme/{awaited.id}", PICTURE)
    assert codes(awaited.id) == []
    assert codes("1234567890") == []


def test_an_agent_sends_a_library_file(menu: Menu) -> None:
    message = menu.product.media_library.message(menu.product.key(PHONE), menu.upload.id, None)
    assert (message.id, menu.uploads) == ("meta-1", 1)
