"""Typebot's HTTP requests as API calls."""

import re
from typing import Any

from pytake.importers.draft import Chain
from pytake.importers.reading import as_dict, as_float, as_text, dicts
from pytake.importers.typebot.bot import Bot

_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD")
_EACH = re.compile(r"\.(?:flatMap|map)\(\s*\(?(\w+)\)?\s*=>\s*\1((?:\??\.\w+|\[\d+\])+)\s*\)$")
_PATH = re.compile(r"(?:\.\w+|\[-?\d+\]|\[\*\])*")


def request(bot: Bot, chain: Chain, block: dict[str, Any]) -> None:
    """Add an API call. A call that fails continues like one that succeeds, as in Typebot."""
    options = as_dict(block.get("options"))
    stored = {as_text(one.get("id")): one for one in dicts(bot.document.get("webhooks"))}
    webhook = (
        as_dict(options.get("webhook"))
        or as_dict(block.get("webhook"))
        or stored.get(as_text(block.get("webhookId")), {})
    )
    url = bot.text(chain, block, as_text(webhook.get("url"))).strip()
    if not url and block.get("webhookId"):
        message = "The address of the request is not in the export. Enter it in an `api_call` here."
        bot.lose(chain, block, "no_address", "blocker", message)
        return
    if not url:
        bot.lose(
            chain, block, "no_address", "loss", "The request has no address, so it was never sent. It is left out."
        )
        return
    method = as_text(webhook.get("method")).upper() or "POST"
    data: dict[str, Any] = {"method": method if method in _METHODS else "POST", "url": _complete(url)}
    headers = {
        as_text(one.get("key")): bot.text(chain, block, as_text(one.get("value")))
        for one in dicts(webhook.get("headers"))
    }
    query = {
        as_text(one.get("key")): bot.text(chain, block, as_text(one.get("value")))
        for one in dicts(webhook.get("queryParams"))
    }
    if headers := {name: value for name, value in headers.items() if name}:
        data["headers"] = headers
    if query := {name: value for name, value in query.items() if name}:
        data["query_params"] = query
    body = as_text(webhook.get("body"))
    is_custom = options.get("isCustomBody")
    if data["method"] not in ("GET", "HEAD"):
        if body.strip() and is_custom in (None, True):
            data["body"] = bot.text(chain, block, body)
        elif not is_custom and block.get("type") != "Webhook":
            data["body"] = {"answers": "{{answers}}"}
    seconds = as_float(options.get("timeout"))
    if seconds and 0 < seconds <= 20:
        data["timeout_seconds"] = seconds
    _map_response(bot, chain, block, data, dicts(options.get("responseVariableMapping")))
    chain.add("api_call", data, "call")
    chain.reopen([(data, "next_node_id"), (data, "error_next_node_id")])


def _complete(url: str) -> str:
    return url if url.startswith(("https://", "http://", "{{")) else f"https://{url}"


def _map_response(
    bot: Bot, chain: Chain, block: dict[str, Any], data: dict[str, Any], mappings: list[dict[str, Any]]
) -> None:
    for mapping in mappings:
        written = as_text(mapping.get("bodyPath")).strip()
        if not written or not mapping.get("variableId"):
            continue
        name = bot.store(mapping.get("variableId"))
        if written == "statusCode":
            data["status_variable"] = name
        elif written == "data":
            data["output_variable"] = name
        else:
            path = json_path(written)
            if path is None:
                message = f"PyTake cannot read `{written[:80]}` of the response. Write the path by hand."
                bot.lose(chain, block, "response_path", "blocker", message)
                continue
            data.setdefault("response_map", {})[name] = path


def json_path(written: str) -> str | None:
    """A path of Typebot (`data.items[0].name`, `data.items.flatMap(item => item.name)`) as a JSON path; None if it is code."""
    each = _EACH.search(written)
    base = written[: each.start()] if each else written
    if base.startswith("data"):
        base = base.removeprefix("data")
    elif base and base[0] != "[":
        base = f".{base}"
    path = base.replace("?.", ".").replace(".[", "[")
    if each:
        path += "[*]" + each[2].replace("?", "")
    return f"${path}" if _PATH.fullmatch(path) else None
