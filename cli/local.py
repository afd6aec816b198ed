"""`pytake local` runs the local cloud; `pytake token` prints a token for it."""

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal
from urllib.parse import urlsplit

import httpx
import typer
from rich.console import Console

from cli.api_client import DEFAULT_URL, Url, unreachable_error
from cli.ending import fail

if TYPE_CHECKING:
    from local.cloud import Settings

DEFAULT_DATA_DIR = Path(__file__).resolve().parent.parent / ".pytake"

EXIT_CANNOT_START = 2

DEMO_PHONE = "5511999990001"
"""The sender of the printed sample message."""

MAX_GRAPH_URL_LENGTH = 40
"""The limit of the template's parameter GraphApiUrl."""


def graph_address(text: str) -> str:
    """Return the address of a Graph API without a slash at its end. Raises `typer.BadParameter` before anything is built."""
    address = text.rstrip("/")
    if not _is_web_address(address) or len(address) > MAX_GRAPH_URL_LENGTH:
        raise typer.BadParameter(
            f"{text!r} is not an address such as http://127.0.0.1:9000, of at most {MAX_GRAPH_URL_LENGTH} characters"
        )
    return address


def web_origin(text: str) -> str:
    """Return the origin of a page as browsers send it. Raises `typer.BadParameter`."""
    if not _is_web_address(text) or text.count("/") > len("//"):
        raise typer.BadParameter(f"{text!r} is not an origin such as http://localhost:5173, without a path")
    return text


def _is_web_address(text: str) -> bool:
    parts = urlsplit(text)
    return parts.scheme in ("http", "https") and bool(parts.hostname)


def local(
    port: Annotated[int, typer.Option(min=1, max=65535, help="The port of everything, on 127.0.0.1 only.")] = 8000,
    graph_url: Annotated[
        str | None,
        typer.Option(metavar="URL", parser=graph_address, help="A Graph API to use instead of the simulated WhatsApp."),
    ] = None,
    data_dir: Annotated[
        Path, typer.Option(metavar="DIR", file_okay=False, help="The folder of state and logs.")
    ] = DEFAULT_DATA_DIR,
    models: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            exists=True,
            dir_okay=False,
            help='The answers of language models: {"rules": [...]}, see docs/local.md.',
        ),
    ] = None,
    allow_private_calls: Annotated[
        bool,
        typer.Option("--allow-private-calls", help="Allow api_call to use plain HTTP and addresses of this machine."),
    ] = False,
    allow_origin: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ORIGIN",
            parser=web_origin,
            help="Allow pages of ORIGIN, such as http://localhost:5173, to call the API; repeatable.",
        ),
    ] = None,
    no_demo: Annotated[bool, typer.Option("--no-demo", help="Do not create the demo organization.")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Show the logs of the functions.")] = False,
) -> None:
    """Run the whole system on this machine: API, webhook and a simulated WhatsApp. No account, no container."""
    from local.cloud import Settings  # slow to import, and other commands do not need it
    from local.models import ModelScriptError, read_script

    try:
        rules = read_script(models.read_bytes()) if models else []
    except ModelScriptError as problem:
        fail(f"{models}: {problem}", 2)
    settings = Settings(
        data_dir.resolve(),
        port,
        graph_url,
        with_demo=not no_demo,
        allow_private_calls=allow_private_calls,
        allowed_origins=tuple(allow_origin or ()),
        model_rules=rules,
    )
    os.umask(0o077)  # the data folder holds tokens, secrets and conversations
    raise typer.Exit(asyncio.run(_run(settings, verbose)))


def token(
    org: Annotated[str, typer.Option(help="The organization the token is for.")],
    role: Annotated[
        Literal["admin", "builder", "agent", "analyst"], typer.Option(help="What the token allows.")
    ] = "admin",
    ttl: Annotated[int, typer.Option(metavar="SECONDS", min=1, help="Lifetime of the token.")] = 12 * 3600,
    url: Url = DEFAULT_URL,
) -> None:
    """Print a token for the REST API of the local cloud."""
    wanted = {"organization_id": org, "role": role, "ttl_seconds": ttl}
    try:
        answer = httpx.post(f"{url.rstrip('/')}/_oidc/token", json=wanted, timeout=10, trust_env=False)
    except httpx.HTTPError as problem:
        fail(str(unreachable_error(url, problem)))
    if answer.status_code == httpx.codes.BAD_REQUEST:
        fail(answer.json()["error"])
    if not answer.is_success:
        fail(f"{url} issues no tokens ({answer.status_code}). Only the local cloud does.")
    typer.echo(answer.json()["access_token"])


async def _run(settings: "Settings", verbose: bool) -> int:
    """Run until a signal; return the exit status."""
    from local.cloud import CannotStartError, LocalCloud
    from local.demo import DemoError
    from local.deployment import DeploymentError
    from local.embedded_aws import EmbeddedAwsError
    from local.logs import follow

    console = Console(highlight=False, soft_wrap=True)
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    following = asyncio.create_task(follow(settings.logs_folder, sys.stderr)) if verbose else None
    cloud = LocalCloud(settings, lambda step: console.print(f"{step} ..."))
    try:
        console.print(f"PyTake, local cloud. State and logs: {settings.data_folder}")
        if await _unless_stopped(cloud.start(), stop):
            _print_what_next(console, settings)
            print(f"ready {settings.url}", flush=True)  # noqa: T201  scripts wait for this line
            await cloud.run_until_stopped(stop)
    except CannotStartError as problem:
        typer.echo(str(problem), err=True)
        return EXIT_CANNOT_START
    except (DeploymentError, DemoError, EmbeddedAwsError) as problem:
        typer.echo(str(problem), err=True)
        return 1
    finally:
        if stop.is_set():
            console.print("Stopping (the state is saved) ...")
        await cloud.stop()
        if following is not None:
            following.cancel()
    return 0


async def _unless_stopped(work: Coroutine[Any, Any, None], stop: asyncio.Event) -> bool:
    """Await `work`, or cancel it when `stop` is set first; return whether it finished."""
    task, stopped = asyncio.create_task(work), asyncio.create_task(stop.wait())
    await asyncio.wait([task, stopped], return_when=asyncio.FIRST_COMPLETED)
    stopped.cancel()
    if not task.done():
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        return False
    task.result()
    return True


def _print_what_next(console: Console, settings: "Settings") -> None:
    from local.cloud import command_name
    from local.demo import APP_SECRET, ORGANIZATION, ORGANIZATION_ID

    url = settings.url
    option = "" if url == DEFAULT_URL else f" --url {url}"
    console.print(f"\nOpen     {url}/console", f"Logs     {settings.logs_folder}", sep="\n")
    if not settings.with_demo:
        return
    command = command_name()
    console.print("\nIn another terminal:", highlight=False)
    console.print(
        f"Chat     {command} chat{option}", f"Token    {command} token --org {ORGANIZATION_ID}{option}", sep="\n"
    )
    console.print(f"Phone    {url}/_sim/phones/{DEMO_PHONE}/messages", "", sep="\n")
    limit = ORGANIZATION["messages_per_minute"]
    console.print(
        f"The demo may send {limit} messages a minute. A deployed organization may send 5 until you raise it.\n"
    )
    console.print("A message as Meta posts it. Paste both lines; the phone above shows it and the reply:\n")
    console.print(signed_message(url, APP_SECRET), markup=False)
    console.print()


def signed_message(url: str, app_secret: str) -> str:
    """Return two shell lines that post a signed text message; its id is the current second."""
    from local.demo import PHONE_NUMBER_ID

    phone, now = DEMO_PHONE, "'$(date +%s)'"  # closes the quotes, so that the shell inserts the time
    message = {"from": phone, "id": f"wamid.{now}", "timestamp": now, "type": "text", "text": {"body": "Oi"}}
    value = {
        "messaging_product": "whatsapp",
        "metadata": {"phone_number_id": PHONE_NUMBER_ID},
        "contacts": [{"wa_id": phone, "profile": {"name": "Ana"}}],
        "messages": [message],
    }
    change = {"field": "messages", "value": value}
    body = {"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": [change]}]}
    signature = f'$(printf %s "$body" | openssl dgst -sha256 -hmac {app_secret} -r | cut -d" " -f1)'
    return (
        f"body='{json.dumps(body, separators=(',', ':'))}'\n"
        f"curl -sS {url}/api/v1/whatsapp/webhook -H 'Content-Type: application/json' "
        f'-H "X-Hub-Signature-256: sha256={signature}" --data-binary "$body"'
    )
