"""A builder uploads files for a flow in a real browser, and people get them."""

import hashlib
import struct
import zlib
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Locator, Page, expect

from local import demo
from tests.console.conftest import Visitor
from tests.console.web_console import create, expect_accessible, node, publish, sign_in

if TYPE_CHECKING:
    from tests.cloud.conftest import Cloud

pytestmark = pytest.mark.cloud

VIDEO = b"\0\0\0\x18ftypmp42" + b"\0" * 5_000_000


def picture(width: int, height: int) -> bytes:
    """A PNG of one colour."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = (b"\0" + bytes((42, 157, 143)) * width) * height
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


MENU = picture(120, 80)


def expect_picture(image: Locator) -> None:
    """Expect that the browser has drawn the uploaded picture."""
    expect(image).to_be_visible()
    expect(image).to_have_js_property("naturalWidth", 120)


def test_a_picture_of_a_flow_is_uploaded_rehearsed_sent_and_deleted(
    web_page: Page, visitor: Visitor, cloud: "Cloud", new_phone: str
) -> None:
    page = web_page
    sign_in(page, f"{visitor.url}/console/build", "admin")
    create(page, "Cardápio ilustrado")
    node(page, "Mensagem").click()
    page.locator(".build-form input[type=file]").set_input_files(
        {"name": "cardápio ilustrado.png", "mimeType": "image/png", "buffer": MENU}
    )
    expect_picture(page.locator(".files-card img"))
    expect_picture(page.locator(".build-preview img"))
    page.get_by_label("Legenda").fill("O cardápio de hoje")
    expect(page.get_by_text("Salvo", exact=True)).to_be_visible()
    expect_accessible(page)

    page.get_by_role("button", name="Ensaiar").click()
    rehearsal = page.get_by_role("region", name="Ensaio")
    rehearsal.get_by_label("Mensagem", exact=True).fill("Oi")
    rehearsal.get_by_role("button", name="Enviar").click()
    expect_picture(rehearsal.locator(".build-bubble img"))

    publish(page, word="cardapioilustrado")

    cloud.say(new_phone, "cardapioilustrado")
    sent = next(one["message"] for one in cloud.answers(new_phone, 1) if one["message"]["type"] == "image")["image"]
    assert sent["caption"] == "O cardápio de hoje"
    token = {"Authorization": f"Bearer {demo.ACCESS_TOKEN}"}
    file = cloud.http.get(f"/_graph/v25.0/{sent['id']}", headers=token).raise_for_status().json()
    assert file["sha256"] == hashlib.sha256(MENU).hexdigest()

    page.goto(f"{visitor.url}/console/settings/files")
    expect_picture(page.get_by_role("row", name="cardápio ilustrado.png").locator("img"))
    page.get_by_role("button", name="Excluir cardápio ilustrado.png").click()
    page.get_by_role("dialog").get_by_role("button", name="Excluir").click()
    expect(page.get_by_role("row", name="cardápio ilustrado.png")).to_have_count(0)


def test_a_large_file_goes_to_the_bucket_and_is_chosen_for_a_flow(web_page: Page, visitor: Visitor) -> None:
    page = web_page
    sign_in(page, f"{visitor.url}/console/settings/files", "admin")
    with page.expect_response(lambda answer: answer.request.method == "PUT") as stored:
        page.locator("input[type=file]").set_input_files(
            {"name": "visita.mp4", "mimeType": "video/mp4", "buffer": VIDEO}
        )
    assert (stored.value.status, "/files/" in stored.value.url) == (200, True)
    expect(page.get_by_role("row", name="visita.mp4")).to_be_visible()
    expect_accessible(page)
    page.goto(f"{visitor.url}/console/build")
    create(page, "Visita em vídeo")
    node(page, "Mensagem").click()
    page.get_by_role("combobox", name="Arquivo que já existe").click()
    page.get_by_role("option", name="visita.mp4").click()
    expect(page.locator(".files-name", has_text="visita.mp4")).to_be_visible()
    expect(page.get_by_text("Salvo", exact=True)).to_be_visible()
    expect_accessible(page)
