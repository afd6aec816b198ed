"""`pytake number`: connect a WhatsApp number, resume a stopped one, remove one, move one to another organization."""

import sys
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import typer

from cli.api_client import DEFAULT_URL, Api, ApiClient, ApiError, with_api_options
from cli.ending import fail
from cli.stack import ORGANIZATION_ID, Region, StackName, Url, aws_errors_as_text, find_stack
from pytake.conversation.ports.tenants import UnknownNumberError

app = typer.Typer(no_args_is_help=True, help="Connect, resume, remove and move WhatsApp numbers.")

SECRETS = {
    "verify_token": "Verify token (your choice; Meta sends it back)",
    "app_secret": "App secret (App settings, Basic)",
    "access_token": "Access token (of a system user)",
}
KEPT_FIELDS = (
    *("display_phone_number", "default_flow_id", "keywords", "words", "apology", "fallback_template"),
    *("messages_per_second", "mark_read", "typing", "coexists", "marketing_messages"),
)

_VALUE_OR_FILE = "The value, or @FILE. You are asked for it if a new number needs it. {}"

PhoneNumberId = Annotated[str, typer.Argument(help="Meta's phone number ID (not the phone number).")]


@app.command()
@with_api_options
def put(
    phone_number_id: PhoneNumberId,
    api: Api,
    display_phone_number: Annotated[
        str | None, typer.Option(help="As Meta shows it, with country code: '+55 11 4000-0001'.")
    ] = None,
    verify_token: Annotated[
        str | None, typer.Option(help=_VALUE_OR_FILE.format("Choose it and enter it at Meta."))
    ] = None,
    app_secret: Annotated[str | None, typer.Option(help=_VALUE_OR_FILE.format("Signs Meta's webhooks."))] = None,
    access_token: Annotated[str | None, typer.Option(help=_VALUE_OR_FILE.format("Sends messages."))] = None,
    default_flow: Annotated[
        str | None, typer.Option(metavar="FLOW", help="The flow to start when no keyword matches; '' for none.")
    ] = None,
    waba_id: Annotated[
        str | None, typer.Option(help="The WhatsApp Business account; Meta is asked if you omit it.")
    ] = None,
    keyword: Annotated[
        list[str] | None,
        typer.Option(metavar="WORD=FLOW", help="Start FLOW when the first message is WORD; 'WORD=' removes it."),
    ] = None,
    coexists: Annotated[
        bool | None, typer.Option(help="Its owner uses it in the WhatsApp Business app, too: 20 messages a second.")
    ] = None,
    marketing_messages: Annotated[
        bool | None, typer.Option(help="Send marketing templates by Meta's Marketing Messages API.")
    ] = None,
    mark_read: Annotated[bool | None, typer.Option(help="Mark messages as read when their turn is taken.")] = None,
    typing: Annotated[
        bool | None, typer.Option(help="Show the typing indicator while an API or a model is asked.")
    ] = None,
) -> None:
    """Connect a WhatsApp number, or change the given settings of a connected one. Secrets are never shown again."""
    try:
        secrets = read_secrets({"verify_token": verify_token, "app_secret": app_secret, "access_token": access_token})
        keywords = parse_keywords(keyword or [])
    except ValueError as error:
        fail(str(error), 2)
    with api.connect() as client:
        path = f"/api/v1/numbers/{phone_number_id}"
        known = find_number(client, path)
        if known is None:
            secrets = ask_for_missing(secrets)
        body = updated_number(known, display_phone_number, default_flow, keywords)
        if "display_phone_number" not in body:
            fail("A new number needs --display-phone-number, with country code: '+55 11 4000-0001'.", 2)
        if waba_id is not None:
            body["waba_id"] = waba_id
        switches = {
            "coexists": coexists,
            "marketing_messages": marketing_messages,
            "mark_read": mark_read,
            "typing": typing,
        }
        body |= {name: value for name, value in switches.items() if value is not None}
        number = client.put(path, {**body, **secrets})
    typer.echo(
        f"{number['display_phone_number']} ({phone_number_id}) is {'connected' if known is None else 'changed'}."
    )
    typer.echo(f"Default flow: {number['default_flow_id'] or 'none'}")
    for word, flow_id in number["keywords"].items():
        typer.echo(f"Keyword {word}: {flow_id}")
    for problem in number.get("problems", []):  # servers of the previous release give none
        typer.echo(f"Warning: {problem['message']} ({problem['field']})", err=True)
    if known is None:
        typer.echo(f"Callback URL for Meta: {api.url.rstrip('/')}/api/v1/whatsapp/webhook")


@app.command()
@with_api_options
def resume(phone_number_id: PhoneNumberId, api: Api) -> None:
    """Let a stopped number send again. Its held messages are sent first, in order per conversation."""
    conversations, after = 0, ""
    with api.connect() as client:
        while True:
            answer = client.post(f"/api/v1/numbers/{phone_number_id}/resume{after}")
            conversations += answer["conversations"]
            if answer["after"] is None:
                break
            after = f"?after={quote(answer['after'])}"
    typer.echo(f"Number {phone_number_id} sends again. {conversations} held conversations are being sent.")


@app.command()
@with_api_options
def remove(phone_number_id: PhoneNumberId, api: Api) -> None:
    """Remove a number with its secrets. Messages that wait are recorded as failed; its conversations stay."""
    with api.connect() as client:
        client.delete(f"/api/v1/numbers/{phone_number_id}")
    typer.echo(f"Number {phone_number_id} is removed.")


@app.command()
def move(
    phone_number_id: PhoneNumberId,
    from_: Annotated[str, typer.Option("--from", metavar="ORG", help="The organization that has the number.")],
    to: Annotated[str, typer.Option(metavar="ORG", help="The organization that gets it.")],
    url: Url = DEFAULT_URL,
    stack: StackName = None,
    region: Region = None,
) -> None:
    """Give a number with its secrets to another organization. For operators: needs AWS credentials.

    Its conversations stay with the old organization. The new one sets a flow and a verify token before it answers.
    """
    from cli.offboarding import offboard_number

    if not ORGANIZATION_ID.fullmatch(to):
        fail(f"{to!r} is not an organization id: letters, digits, - and _, at most 64.", 2)
    with aws_errors_as_text():
        try:
            offboard_number(find_stack(url, stack, region)).move(from_, phone_number_id, to, "operator")
        except UnknownNumberError:
            fail(f"Organization {from_} has no number {phone_number_id}.")
    typer.echo(f"Number {phone_number_id} belongs to {to}. It answers when {to} has set its flow and a verify token:")
    typer.echo(f"pytake number put {phone_number_id} --default-flow FLOW --verify-token TOKEN")


def updated_number(
    known: dict[str, Any] | None,
    display_phone_number: str | None,
    default_flow: str | None,
    keywords: dict[str, str],
) -> dict[str, Any]:
    """Return the request body: the current settings of the number with the given changes."""
    body: dict[str, Any] = {name: known[name] for name in KEPT_FIELDS if known.get(name) is not None} if known else {}
    if display_phone_number is not None:
        body["display_phone_number"] = display_phone_number
    if default_flow is not None:
        body["default_flow_id"] = default_flow or None
    merged = {**body.get("keywords", {}), **keywords}
    body["keywords"] = {word: flow_id for word, flow_id in merged.items() if flow_id}
    return body


def parse_keywords(pairs: list[str]) -> dict[str, str]:
    """Return `WORD=FLOW` pairs as a mapping; an empty flow removes the word. Raises ValueError for anything else."""
    keywords = {}
    for pair in pairs:
        word, equals, flow_id = pair.partition("=")
        if not equals or not word.strip():
            raise ValueError(f"--keyword must be WORD=FLOW, not {pair!r}.")
        keywords[word.strip()] = flow_id.strip()
    return keywords


def read_secrets(given: dict[str, str | None]) -> dict[str, str]:
    """Return the given secrets; `@FILE` means the content of a file. Raises ValueError."""
    secrets = {}
    for name, value in given.items():
        if value is None:
            continue
        if value.startswith("@"):
            try:
                value = Path(value[1:]).expanduser().read_text().strip()
            except OSError as error:
                raise ValueError(f"--{name.replace('_', '-')}: {error}") from error
        if not value:
            raise ValueError(f"--{name.replace('_', '-')} is empty.")
        secrets[name] = value
    return secrets


def ask_for_missing(secrets: dict[str, str]) -> dict[str, str]:
    """Return all three secrets and ask for missing ones, hidden. Exits with 2 without a terminal."""
    missing = [name for name in SECRETS if name not in secrets]
    if missing and not sys.stdin.isatty():
        options = ", ".join(f"--{name.replace('_', '-')}" for name in missing)
        fail(f"A new number needs {options}. Give a value or @FILE, or run this in a terminal to be asked.", 2)
    return secrets | {name: str(typer.prompt(SECRETS[name], hide_input=True)) for name in missing}


def find_number(client: ApiClient, path: str) -> dict[str, Any] | None:
    """Return the settings of a number, or None for an unknown one. Raises `ApiError`."""
    try:
        known: dict[str, Any] = client.get(path)
    except ApiError as error:
        if error.problem.get("code") == "number_unknown":
            return None
        raise
    return known
