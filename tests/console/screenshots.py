"""Takes the pictures of docs/: `make screenshots`. Starts a local cloud, lets some people chat, looks at the areas."""

import contextlib
import json
import tempfile
import time
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
from PIL import Image
from playwright.sync_api import Browser, Locator, Page, sync_playwright

from local import demo
from tests.cloud.aws import Aws
from tests.cloud.conftest import Cloud, free_port
from tests.console.browser import FLAGS, find_browser
from tests.console.first_bot import LOCALES, FirstBot
from tests.console.web_console import sign_in

EXAMPLES = Path(__file__).parents[2] / "examples" / "flows"
IMAGES = Path(__file__).parents[2] / "docs" / "images"
DESKTOP = {"width": 1280, "height": 800}
PHONE = {"width": 390, "height": 800}
COLOURS = 256
FLOW = "lead_qualifier"

Answer = str | dict[str, Any]

ANA = "5511999990001"
LEARNER = {"en": "5511988880010", "pt": "5511988880011"}
INBOX = f"/console/inbox/{demo.PHONE_NUMBER_ID}/{ANA}"
PEOPLE: tuple[tuple[str, str, tuple[Answer, ...]], ...] = (
    ("5541966660004", "Diego Martins", ("Oi", {"reply_id": "nao"})),
    ("5531977770003", "Carla Nunes", ("Bom dia", {"reply_id": "sim"}, "Carla Nunes", "carla@")),
    ("5571955550005", "Elisa Prado", ("Olá", {"reply_id": "sim"}, "Elisa Prado", "elisa@exemplo.com.br")),
    ("5521988880002", "Bruno Lima", ("oi, boa tarde", {"reply_id": "sim"}, "Bruno Lima", "bruno@exemplo.com.br")),
    (
        ANA,
        "Ana",
        (
            "Oi",
            {"reply_id": "sim"},
            "Ana Souza",
            "ana@exemplo",
            "ana@exemplo.com.br",
            "(11) 98765-4321",
            "180",
            "humano",
        ),
    ),
)


def main() -> None:
    """Take every picture, on a local cloud of its own."""
    path = find_browser()
    if path is None:
        raise SystemExit(
            "No Chromium on this machine: install one (apt install chromium), or name one in PYTAKE_BROWSER"
        )
    (IMAGES / "first-bot").mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        cloud = Cloud.start(Path(folder), free_port())
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        try:
            chat(cloud.url)
            keep_tests(cloud)
            Aws(cloud).export()
            take(browser, cloud.url)
            for language in LOCALES:
                follow_tutorial(browser, cloud.url, language)
        finally:
            browser.close()
            cloud.stop()


def chat(url: str) -> None:
    """Let everybody have their conversation."""
    with httpx.Client(base_url=url, timeout=60, trust_env=False) as client:
        for phone, name, answers in PEOPLE:
            for answer in answers:
                say(client, phone, name, answer)


def keep_tests(cloud: Cloud) -> None:
    """Keep the example's tests beside the flow."""
    tests = json.loads((EXAMPLES / f"{FLOW}.test.json").read_text())
    with cloud.api("builder") as api:
        api.put(f"/flows/{FLOW}/tests", json=tests).raise_for_status()


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
    """Take the pictures: areas at a desk, one in the dark, and what people look at on the go on a phone."""
    at_a_desk: dict[str, Any] = {"viewport": DESKTOP, "color_scheme": "light", "locale": "en-US"}
    with visiting(browser, url, **at_a_desk) as page:
        show(page, f"/console/build/{FLOW}", ".react-flow__node", "build", page.locator(".react-flow__node").nth(1))
        show_tests(page)
        show(page, f"/console/measure?flow={FLOW}&days=7", "#main table", "measure")
        show(page, INBOX, ".inbox article", "inbox")
        show(page, f"/console/try?phone={ANA}", ".try article", "try")
    with visiting(browser, url, **{**at_a_desk, "color_scheme": "dark", "locale": "pt-BR"}) as page:
        show(page, f"/console/try?phone={ANA}", ".try article", "try-dark")
    with visiting(browser, url, **{**at_a_desk, "viewport": PHONE}) as page:
        show(page, INBOX, ".inbox article", "inbox-phone")


def follow_tutorial(browser: Browser, url: str, language: str) -> None:
    """Do what the tutorial says, in the language of its page, and take the pictures that it shows."""
    options: dict[str, Any] = {"viewport": DESKTOP, "color_scheme": "light", "locale": LOCALES[language]}
    with visiting(browser, url, **options) as page:
        FirstBot(page, language, lambda name, part: keep(part, f"first-bot/{name}-{language}")).follow(
            LEARNER[language]
        )


@contextlib.contextmanager
def visiting(browser: Browser, url: str, **options: Any) -> Iterator[Page]:
    """Give the page of an administrator who has signed in."""
    context = browser.new_context(base_url=url, reduced_motion="reduce", **options)
    context.set_default_timeout(60_000)
    page = context.new_page()
    sign_in(page, "/console", "admin", "Ana")
    yield page
    context.close()


def show(page: Page, path: str, part: str, name: str, press: Locator | None = None) -> None:
    """Open a path, wait for a part of it, press a button and keep the picture."""
    page.goto(path)
    page.locator(part).first.wait_for()
    if press is not None:
        press.click()
    keep(page, name)


def show_tests(page: Page) -> None:
    """Run the tests of the open flow, replay its conversations and keep the picture."""
    page.get_by_role("button", name="More", exact=True).click()
    page.get_by_role("menuitem", name="Tests").click()
    panel = page.get_by_role("region", name="Tests")
    panel.get_by_role("button", name="Replay last week's conversations").click()
    panel.get_by_text("Same:").wait_for()
    panel.get_by_text("tests pass").wait_for()
    keep(page, "tests")


def keep(part: Page | Locator, name: str) -> None:
    """Keep a picture of a page or a part of it, with few colours: a tenth of the bytes, and hardly another look."""
    (part if isinstance(part, Page) else part.page).wait_for_timeout(2_000)
    picture = Image.open(BytesIO(part.screenshot())).convert("RGB")
    path = IMAGES / f"{name}.png"
    picture.quantize(COLOURS, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE).save(path, optimize=True)
    print(f"{name} {path.stat().st_size / 1000:.0f} kB")  # noqa: T201


if __name__ == "__main__":
    main()
