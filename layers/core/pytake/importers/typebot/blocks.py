"""Typebot's bubbles, logic and integrations."""

from collections.abc import Callable
from typing import Any

from pytake.importers.draft import Chain
from pytake.importers.goflow.place import run_steps
from pytake.importers.goflow.translation import UntranslatableError, assigned_by
from pytake.importers.javascript import parse_expression
from pytake.importers.names import slug
from pytake.importers.reading import as_dict, as_float, as_list, as_text, dicts
from pytake.importers.sources import see
from pytake.importers.typebot.bot import Bot
from pytake.importers.typebot.conditions import branch
from pytake.importers.typebot.models import MODELS, ask_model
from pytake.importers.typebot.requests import request
from pytake.importers.typebot.rich_text import plain_rich_text

Add = Callable[[Bot, Chain, dict[str, Any]], None]
_DATES = {"Today": "{{today}}", "Now": "{{now}}", "Yesterday": '{{today | add_time("-1 days")}}'}
_DATES |= {"Tomorrow": '{{today | add_time("1 days")}}'}
_GIVEN = {"Phone number": "{{contact.phone}}", "Contact name": "{{contact.name}}", "User ID": "{{contact.id}}"}
_GIVEN |= {"Environment name": "whatsapp", "Result ID": "{{contact.id}}"}


def add_block(bot: Bot, chain: Chain, block: dict[str, Any]) -> None:
    """Add what a block does. Reports what PyTake cannot do."""
    kind = as_text(block.get("type"))
    add = _BLOCKS.get(kind)
    if add is not None:
        add(bot, chain, block)
    elif kind in MODELS:
        ask_model(bot, chain, block)
    else:
        see(block)
        severity, message = _MISSING.get(
            kind, ("blocker", f"PyTake has no block like `{kind[:40]}`. Call its API by an `api_call`.")
        )
        code = f"block_{slug(kind, 'unknown')}"
        bot.lose(chain, block, code, "loss" if severity == "loss" else "blocker", message)


def _say(bot: Bot, chain: Chain, block: dict[str, Any]) -> None:
    content = as_dict(block.get("content"))
    raw = plain_rich_text(content.get("richText")) or as_text(content.get("plainText"))
    text = bot.text(chain, block, raw)
    if text.strip():
        chain.add("message", {"text": text}, "message")


def _media(kind: str) -> Add:
    def send(bot: Bot, chain: Chain, block: dict[str, Any]) -> None:
        content = as_dict(block.get("content"))
        link = bot.text(chain, block, as_text(content.get("url"))).strip()
        if not link:
            return
        player = as_text(content.get("type")) in ("youtube", "vimeo", "tiktok", "gumlet")
        if kind == "video" and (player or any(host in link for host in ("youtube.com", "youtu.be", "vimeo.com"))):
            chain.add("message", {"text": link}, "video")
            bot.lose(chain, block, "player", "note", "WhatsApp shows a link in place of a player.")
            return
        chain.add("message", {"media": {"type": kind, "link": link}}, kind)
        if kind == "image" and ".gif" in link.lower():
            message = (
                "WhatsApp takes no GIF, so this image does not reach people. "
                "Replace it with a JPG or PNG image or a short MP4 video."
            )
            bot.lose(chain, block, "gif", "note", message)

    return send


def _embed(bot: Bot, chain: Chain, block: dict[str, Any]) -> None:
    link = bot.text(chain, block, as_text(as_dict(block.get("content")).get("url"))).strip()
    if link:
        chain.add("message", {"text": link}, "link")
        bot.lose(chain, block, "embed", "note", "WhatsApp shows a link in place of an embedded page.")


def _set_variable(bot: Bot, chain: Chain, block: dict[str, Any]) -> None:
    options = as_dict(block.get("options"))
    if not options.get("variableId"):
        return
    name = bot.store(options.get("variableId"))
    kind = as_text(options.get("type")) or "Custom"
    if kind in _DATES or kind in _GIVEN:
        chain.set(name, (_DATES | _GIVEN)[kind])
    elif kind == "Empty":
        chain.set(name, "")
    elif kind == "Custom":
        _set_custom(bot, chain, block, name, as_text(options.get("expressionToEvaluate")), bool(options.get("isCode")))
    elif kind == "Append value(s)":
        item = bot.text(chain, block, as_text(options.get("item")))
        chain.act({"type": "append", "variable": name, "value": item}, f"append_{name}")
    elif kind == "Transcript":
        chain.set(name, '{{answers | lines("{name}: {value}")}}')
        bot.lose(
            chain, block, "transcript", "note", "The transcript has the answers with the names of their variables."
        )
    elif kind == "Map item with same index":
        _map_item(bot, chain, block, name, as_dict(options.get("mapListItemParams")))
    elif kind == "Moment of the day":
        _moment(chain, name)
    elif kind in ("Random ID",):
        chain.set(name, "{{contact.id}}-{{now}}")
    elif kind in ("Pop", "Shift"):
        end = "last" if kind == "Pop" else "first"
        chain.set(bot.store(options.get("saveItemInVariableId")), "{{" + name + f" | {end}" + "}}")
        bot.lose(
            chain,
            block,
            "list_end",
            "blocker",
            "PyTake does not take items out of a list. Read the item by its number.",
        )
    else:
        bot.lose(chain, block, "value", "blocker", f"PyTake has no value like `{kind[:40]}`. Set the variable by hand.")


def _set_custom(bot: Bot, chain: Chain, block: dict[str, Any], name: str, text: str, is_code: bool) -> None:
    """The value is code if it reads as code, else a text with variables; so does Typebot decide."""
    source = text.strip()
    if not source:
        chain.set(name, "")
        return
    try:
        if is_code or ";" in source or source.startswith(("return ", "const ", "let ", "if ")):
            steps = bot.scripts.steps(source, name)
        else:
            translator = bot.scripts.translator()
            written = translator.value(parse_expression(source))
            if (
                not is_code
                and not source.startswith(("{{", '"', "'", "`"))
                and "{{" not in source
                and not written.is_constant
            ):
                raise UntranslatableError("This is a text.")
            chain_steps = translator.steps
            run_steps(chain, chain_steps)
            chain.set(name, written.template)
            return
        bot.written |= assigned_by(steps)
        run_steps(chain, steps)
    except UntranslatableError as error:
        if is_code or _looks_like_code(source):
            bot.lose(chain, block, "code", "blocker", f"{error} Source: `{source[:100]}`. Compute the value by hand.")
            chain.set(name, "")
        else:
            chain.set(name, bot.text(chain, block, text))


def _looks_like_code(source: str) -> bool:
    words = (
        "return ",
        "=>",
        "Math.",
        "new Date",
        ".map(",
        ".filter(",
        ".length",
        "JSON.",
        "function",
        "const ",
        "await ",
    )
    return any(word in source for word in words)


def _map_item(bot: Bot, chain: Chain, block: dict[str, Any], name: str, params: dict[str, Any]) -> None:
    """The item of a second list at the position of the chosen one.

    If both lists are parts of the same objects of a response, the options are made of the objects, and the chosen one is kept.
    """
    base, target = bot.variable(params.get("baseListVariableId")), bot.variable(params.get("targetListVariableId"))
    chosen = bot.variable(params.get("baseItemVariableId"))
    bot.read.add(chosen)
    question = bot.question_about(base, chosen)
    paths = bot.list_paths(base, target)
    if question is not None and paths is not None:
        call, items, label, value = paths
        call["response_map"][f"{base}_items"] = items
        question["options_from"] = {
            "list": f"{base}_items",
            "label": "{{item." + label + "}}",
            "item_variable": f"{chosen}_item",
        }
        chain.set(name, "{{" + f"{chosen}_item.{value}" + "}}")
        return
    bot.read |= {base, target}
    chain.set(name, "")
    message = f"PyTake cannot look up the item of `{target}` that belongs to `{chosen}`. Let the API return a list of objects."
    bot.lose(chain, block, "map_item", "blocker", message)


def _moment(chain: Chain, name: str) -> None:
    """`morning`, `afternoon`, `evening` or `night`, by the hour."""
    chain.set(f"{name}_hour", '{{now | date("H")}}')
    data: dict[str, Any] = {"branches": []}
    chain.add("condition", data, f"check_{name}", follows=False)
    ends = []
    for hours, moment in ((6, "night"), (12, "morning"), (18, "afternoon"), (22, "evening"), (None, "night")):
        action = {"actions": [{"type": "set_variable", "variable": name, "value": moment}]}
        node = chain.draft.add_node("action", action, f"set_{name}")
        ends.append((action, "next_node_id"))
        if hours is None:
            data["default_next_node_id"] = node["id"]
        else:
            comparison = {"variable": f"{name}_hour", "operator": "<", "value": hours}
            data["branches"].append({"all": [comparison], "next_node_id": node["id"]})
    chain.reopen(ends)


def _condition(bot: Bot, chain: Chain, block: dict[str, Any]) -> None:
    branches, places = [], []
    for item in dicts(block.get("items")):
        made = branch(bot, chain, block, item.get("content"))
        if made is None:
            continue
        target = bot.target(item.get("outgoingEdgeId"))
        branches.append(made)
        if target is not None:
            made["next_node_id"] = target
        else:
            places.append((made, "next_node_id"))
    if not branches:
        return
    data: dict[str, Any] = {"branches": branches}
    chain.add("condition", data, "condition", follows=False)
    chain.reopen([*places, (data, "default_next_node_id")])


def _redirect(bot: Bot, chain: Chain, block: dict[str, Any]) -> None:
    url = bot.text(chain, block, as_text(as_dict(block.get("options")).get("url"))).strip()
    if url:
        data: dict[str, Any] = {
            "cta_url": {"label": "Open", "url": url if "://" in url or "{{" in url else f"https://{url}"}
        }
        chain.add("message", data, "open_link")
        bot.lose(chain, block, "redirect", "note", "WhatsApp opens no pages by itself. The link became a button.")


def _script(bot: Bot, chain: Chain, block: dict[str, Any]) -> None:
    content = as_text(as_dict(block.get("options")).get("content"))
    if not content.strip():
        return
    message = "The script ran in the browser. Leave it out, or call an API in its place."
    bot.lose(chain, block, "script", "loss", message)


def _wait(bot: Bot, chain: Chain, block: dict[str, Any]) -> None:
    written = as_text(as_dict(block.get("options")).get("secondsToWaitFor"))
    seconds = as_float(written)
    if seconds and seconds > 0:
        chain.add("delay", {"seconds": seconds}, "wait")
    elif "{{" in written:
        bot.lose(chain, block, "wait", "loss", "The time to wait is a variable. Enter a number of seconds.")


def _split(bot: Bot, chain: Chain, block: dict[str, Any]) -> None:
    share = as_float(as_dict(block.get("options")).get("aPercent"))
    share = 50 if share is None else min(max(share, 1), 99)
    paths: list[dict[str, Any]] = []
    places = []
    for item, weight in zip(dicts(block.get("items"))[:2], (share, 100 - share), strict=False):
        path = {"id": as_text(item.get("path")) or f"path_{len(paths) + 1}", "weight": weight}
        target = bot.target(item.get("outgoingEdgeId"))
        if target is not None:
            path["next_node_id"] = target
        else:
            places.append((path, "next_node_id"))
        paths.append(path)
    if paths:
        chain.add("random", {"paths": paths}, "split", follows=False)
        chain.reopen(places)


def _jump(bot: Bot, chain: Chain, block: dict[str, Any]) -> None:
    options = as_dict(block.get("options"))
    chain.go(bot.place(options.get("groupId"), options.get("blockId")))


def _link(bot: Bot, chain: Chain, block: dict[str, Any]) -> None:
    options = as_dict(block.get("options"))
    bot_id = as_text(options.get("typebotId"))
    if not bot_id:
        return
    if bot_id in ("current", as_text(bot.document.get("id"))):
        target = bot.place(options.get("groupId"), None)
        if block.get("outgoingEdgeId"):
            message = "The bot went on here after the linked group. Copy the group, or make it a flow of its own."
            bot.lose(chain, block, "link_and_return", "loss", message)
        chain.go(target)
        return
    chain.add("jump", {"target_flow_id": slug(bot_id, "bot")}, "enter_bot")
    message = f"The bot `{bot_id}` is not in this file. Import it too, and choose it as the target of this jump."
    bot.lose(chain, block, "flow_not_in_file", "note", message)


def _email(bot: Bot, chain: Chain, block: dict[str, Any]) -> None:
    options = as_dict(block.get("options"))
    body = as_text(options.get("body"))
    text = (
        bot.text(chain, block, body)
        if options.get("isCustomBody") and body
        else '{{answers | lines("{name}: {value}")}}'
    )
    subject = bot.text(chain, block, as_text(options.get("subject"))) or bot.name
    people = [as_text(one) for name in ("recipients", "cc", "bcc") for one in as_list(options.get(name))]
    for person in people:
        to = bot.text(chain, block, person)
        if to.strip():
            chain.act({"type": "send_email", "to": to, "subject": subject, "text": text}, "send_email")
    if options.get("attachmentsVariableId") or options.get("isBodyCode"):
        bot.lose(chain, block, "email_form", "loss", "PyTake sends e-mails as plain text without files.")


def _listen(bot: Bot, chain: Chain, block: dict[str, Any]) -> None:
    options = as_dict(block.get("options"))
    data: dict[str, Any] = {
        "name": f"webhook_{slug(as_text(block.get('id')), 'block')[:12]}",
        "timeout_seconds": 86_400,
    }
    data["output_variable"] = "event"
    chain.add("wait_event", data, "wait_event")
    for mapping in dicts(options.get("responseVariableMapping")):
        path = as_text(mapping.get("bodyPath")).removeprefix("data.")
        if path.replace(".", "").replace("_", "").isalnum():
            chain.set(bot.store(mapping.get("variableId")), "{{event." + path + "}}")


def _sheet(bot: Bot, chain: Chain, block: dict[str, Any]) -> None:
    options = as_dict(block.get("options"))
    action = as_text(options.get("action"))
    cells = dicts(options.get("cellsToInsert")) or dicts(options.get("cellsToUpsert"))
    if not action or action == "Get data from sheet" or not cells:
        message = "PyTake reads no sheets. Call an API that does, by an `api_call`."
        bot.lose(chain, block, "sheet", "blocker" if action else "note", message)
        return
    data = {as_text(one.get("column")): bot.text(chain, block, as_text(one.get("value"))) for one in cells}
    chain.act({"type": "emit_event", "name": "sheet_row", "data": data}, "sheet_row")
    message = "PyTake writes to no sheets. An event with the row asks one of your programs to do it."
    bot.lose(chain, block, "sheet", "loss", message)


def _chatwoot(bot: Bot, chain: Chain, block: dict[str, Any]) -> None:
    chain.add("handoff", {}, "handoff")
    bot.lose(chain, block, "chatwoot", "note", "The conversation goes to the team in PyTake's inbox.")


def _event(name: str) -> Add:
    def emit(bot: Bot, chain: Chain, block: dict[str, Any]) -> None:
        options = as_dict(block.get("options"))
        action = as_text(options.get("action")) or as_text(options.get("eventType")) or name
        chain.act({"type": "emit_event", "name": slug(action, name), "data": {}}, name)
        bot.lose(
            chain,
            block,
            "analytics",
            "note",
            "The event goes to your integrations. Forward it to your analytics from there.",
        )

    return emit


_BLOCKS: dict[str, Add] = {
    "text": _say,
    "image": _media("image"),
    "video": _media("video"),
    "audio": _media("audio"),
    "embed": _embed,
    "Set variable": _set_variable,
    "Condition": _condition,
    "Redirect": _redirect,
    "Code": _script,
    "Wait": _wait,
    "AB test": _split,
    "Jump": _jump,
    "Typebot link": _link,
    "Email": _email,
    "Webhook": request,
    "Make.com": request,
    "Zapier": request,
    "Pabbly": request,
    "webhook": _listen,
    "Google Sheets": _sheet,
    "Chatwoot": _chatwoot,
    "Google Analytics": _event("analytics"),
    "Pixel": _event("pixel"),
    "Return": lambda _, chain, __: chain.go(None),
    "start": lambda *_: None,
}
_MISSING = {
    "qr-code": ("blocker", "PyTake draws no QR codes. Send an image from an API that does."),
}
