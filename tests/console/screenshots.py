"""Takes the pictures of docs/: `make screenshots`. Starts a local cloud, lets some people chat, looks at every area."""

import argparse
import contextlib
import tempfile
import time
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from tests.cloud.conftest import Cloud, free_port
from tests.console.browser import FLAGS, find_browser

IMAGES = Path(__file__).parents[2] / "docs" / "images"
DESKTOP = {"width": 1280, "height": 800}
PHONE = {"width": 390, "height": 800}
COLOURS = 256
FLOW = "lead_qualifier"

Answer = str | dict[str, Any]

ANA = "5511999990001"
PEOPLE: tuple[tuple[str, str, tuple[Answer, ...]], ...] = (
    ("5541966660004", "Diego Martins", ("Oi", {"reply_id": "nao"})),
    ("5531977770003", "Carla Nunes", ("Bom dia", {"reply_id": "sim"}, "Carla Nunes", "carla@")),
    ("5571955550005", "Elisa Prado", ("Olá", {"reply_id": "sim"}, "Elisa Prado", "elisa@exemplo.com.br")),
    ("5521988880002", "Bruno Lima", ("oi, boa tarde", {"reply_id": "sim"}, "Bruno Lima", "bruno@exemplo.com.br")),
    (
        ANA,
        "Ana",
        ("Oi", {"reply_id": "sim"}, "Ana Souza", "ana@exemplo", "ana@exemplo.com.br", "(11) 98765-4321", "180"),
    ),
)


def main() -> None:
    """Take every picture, on a local cloud of its own or on one that runs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", help="a running local cloud with the demo; its people are erased first")
    url = parser.parse_args().url
    path = find_browser()
    if path is None:
        raise SystemExit(
            "No Chromium on this machine: install one (apt install chromium), or name one in PYTAKE_BROWSER"
        )
    IMAGES.mkdir(exist_ok=True)
    with running_cloud(url) as address, sync_playwright() as playwright:
        chat(address)
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        try:
            take(browser, address)
        finally:
            browser.close()


@contextlib.contextmanager
def running_cloud(url: str | None) -> Iterator[str]:
    """Give the address of the cloud to look at."""
    if url is not None:
        yield url
        return
    with tempfile.TemporaryDirectory() as folder:
        cloud = Cloud.start(Path(folder), free_port())
        try:
            yield cloud.url
        finally:
            cloud.stop()


def chat(url: str) -> None:
    """Let everybody have their conversation, from the start."""
    with httpx.Client(base_url=url, timeout=60, trust_env=False) as client:
        token = client.post("/_oidc/token", json={"organization_id": "demo"}).json()["access_token"]
        headers = {"Authorization": f"Bearer {token}"}
        known = client.get("/api/v1/conversations", params={"limit": 100}, headers=headers).json()["conversations"]
        for phone in {one["contact_id"] for one in known}:
            client.delete(f"/api/v1/contacts/{phone}", headers=headers).raise_for_status()
        for phone, name, answers in PEOPLE:
            client.delete(f"/_sim/phones/{phone}")
            for answer in answers:
                say(client, phone, name, answer)


def say(client: httpx.Client, phone: str, name: str, answer: Answer) -> None:
    """Say one thing and wait for the answer to it."""
    action = answer if isinstance(answer, dict) else {"text": answer}
    seq = client.post(f"/_sim/phones/{phone}/messages", json={**action, "name": name}).raise_for_status().json()["seq"]
    end = time.monotonic() + 60
    while not any(
        entry["direction"] == "out"
        for entry in client.get(f"/_sim/phones/{phone}/messages", params={"after": seq, "wait": 5}).json()["messages"]
    ):
        if time.monotonic() > end:
            raise SystemExit(f"No answer to {answer!r}")


def take(browser: Browser, url: str) -> None:
    """Take the pictures: every area at a desk, what people look at on the go on a phone, one in the dark."""
    at_a_desk: dict[str, Any] = {"viewport": DESKTOP, "color_scheme": "light", "locale": "en-US"}
    with visiting(browser, url, **at_a_desk) as page:
        take_try(page, "try")
        page.goto("/watch")
        page.locator(".inbox-line", has_text="Elisa").click()
        page.locator(".desk .bubble").first.wait_for()
        keep(page, "watch")
        page.goto(f"/build?flow={FLOW}")
        page.locator(".node").first.wait_for()
        keep(page, "build")
        page.goto(f"/measure?flow={FLOW}&days=7")
        page.get_by_role("button", name="Export now").click()
        page.locator("canvas").first.wait_for()
        page.locator(".q-notification").first.wait_for(state="detached")
        keep(page, "measure")
        page.goto(f"/measure?flow={FLOW}&days=7&tab=path")
        page.locator(".node-badge").first.wait_for()
        keep(page, "heat")
    with visiting(browser, url, **{**at_a_desk, "color_scheme": "dark", "locale": "pt-BR"}) as page:
        take_try(page, "try-dark")
    with visiting(browser, url, **{**at_a_desk, "viewport": PHONE}) as page:
        take_try(page, "try-phone")
        page.locator(".views .view-button").nth(1).click()
        keep(page, "flow-phone")
        page.goto("/watch")
        page.locator(".inbox-line").first.wait_for()
        keep(page, "watch-phone")


@contextlib.contextmanager
def visiting(browser: Browser, url: str, **options: Any) -> Iterator[Page]:
    """Give a page of a first-time visitor."""
    context = browser.new_context(base_url=url, reduced_motion="reduce", **options)
    context.set_default_timeout(60_000)
    yield context.new_page()
    context.close()


def take_try(page: Page, name: str) -> None:
    """Take Ana's phone with the flow beside it."""
    page.goto("/")
    page.locator(".phone .bubble").first.wait_for()
    page.locator(".node.current").wait_for(state="attached")
    keep(page, name)


def keep(page: Page, name: str) -> None:
    """Keep a picture of what the page shows, with few colours: a tenth of the bytes, and hardly another look."""
    page.wait_for_timeout(2_000)
    picture = Image.open(BytesIO(page.screenshot())).convert("RGB")
    path = IMAGES / f"{name}.png"
    picture.quantize(COLOURS, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE).save(path, optimize=True)
    print(f"{path.name} {path.stat().st_size / 1000:.0f} kB")  # noqa: T201


if __name__ == "__main__":
    main()
