"""Typebot exports: version 6, and the versions 3 to 5, whose bots start in a block of their first group."""

from typing import Any

from pytake.engine.commands import OPT_OUT
from pytake.engine.limits import COMMAND_CHARACTERS
from pytake.engine.normalize import normalize_text
from pytake.importers.draft import FlowDraft, Ref, declare_parameters
from pytake.importers.names import slug
from pytake.importers.reading import NODES, as_dict, as_float, as_list, as_text, dicts
from pytake.importers.registry import Format, register
from pytake.importers.report import ImportRefusedError, Report
from pytake.importers.sources import see
from pytake.importers.starts import keywords_loss
from pytake.importers.typebot.blocks import add_block
from pytake.importers.typebot.bot import Bot
from pytake.importers.typebot.inputs import INPUTS, ask

_LONGEST_SESSION_HOURS = 720


def recognise(export: Any) -> bool:
    """Whether an export is one of Typebot: groups of blocks with edges between them."""
    document = _bot(export)
    if not isinstance(document, dict) or not isinstance(document.get("edges"), list):
        return False
    return isinstance(document.get("groups"), list) or any("steps" in block for block in dicts(document.get("blocks")))


def _bot(export: Any) -> Any:
    inner = as_dict(export).get("typebot")
    return inner if isinstance(inner, dict) and "edges" in inner else export


def read(export: Any, report: Report) -> list[dict[str, Any]]:
    """The document of the bot."""
    document = as_dict(_bot(export))
    if any("steps" in block for block in dicts(document.get("blocks"))):
        raise ImportRefusedError(
            "This bot is older than version 3. Open it in Typebot, which updates it, and export it again."
        )
    groups = dicts(document.get("groups"))
    if sum(len(as_list(group.get("blocks"))) for group in groups) > NODES:
        raise ImportRefusedError(f"The bot has more than {NODES} blocks.")
    if not groups:
        raise ImportRefusedError("The bot has no groups.")
    name = as_text(document.get("name")) or "Bot"
    draft = FlowDraft(report, slug(name, "bot"), name, _language(document))
    draft.extra["merge_texts"] = False
    settings = as_dict(as_dict(document.get("settings")).get("whatsApp"))
    hours = as_float(settings.get("sessionExpiryTimeout"))
    if hours and 0 < hours <= _LONGEST_SESSION_HOURS:
        draft.extra["session_ttl_hours"] = hours
    _report_start(draft, as_dict(settings.get("startCondition")))
    bot = Bot(document, draft)
    for group in groups:
        _import_group(bot, group)
    _add_commands(bot, groups)
    return [_finished(bot, _start(bot, groups))]


def _report_start(draft: FlowDraft, condition: dict[str, Any]) -> None:
    """Which messages start the bot on WhatsApp. Words are a setting of the number here."""
    comparisons = dicts(condition.get("comparisons"))
    is_any = as_text(condition.get("logicalOperator")).upper() == "OR" or len(comparisons) == 1
    words = [one.get("value") for one in comparisons if as_text(one.get("comparisonOperator")) == "Equal to"]
    found = keywords_loss(words) if is_any and len(words) == len(comparisons) else None
    if found is not None:
        draft.lose(found[0], found[1], "settings.whatsApp.startCondition", found[2])
    elif comparisons:
        message = "The bot starts by messages that meet a condition. Begin with a condition on `{{input.text}}`."
        draft.lose("start_condition", "loss", "settings.whatsApp.startCondition", message)
    see(condition)


def _language(document: dict[str, Any]) -> str:
    """Typebot keeps no language of a bot. PyTake's built-in texts are English until the builder chooses."""
    locale = as_text(as_dict(as_dict(document.get("settings")).get("general")).get("language"))
    return locale if locale in ("pt_BR", "en", "es") else "en"


def _start(bot: Bot, groups: list[dict[str, Any]]) -> str:
    for event in dicts(bot.document.get("events")):
        if event.get("type") == "start":
            target = bot.target(event.get("outgoingEdgeId"))
            return target if target is not None else ""
    for group in groups:
        for block in dicts(group.get("blocks")):
            if block.get("type") == "start":
                return f"group:{as_text(group.get('id'))}"
    return f"group:{as_text(groups[0].get('id'))}"


def _add_commands(bot: Bot, groups: list[dict[str, Any]]) -> None:
    """The bot's commands. One whose path has a block `Return` comes back to where the bot was."""
    for event in dicts(bot.document.get("events")):
        kind, source = as_text(event.get("type")), f"event {as_text(event.get('id'))}"
        word = as_text(as_dict(event.get("options")).get("command")).strip()
        target = bot.target(event.get("outgoingEdgeId"))
        if kind == "start" or target is None:
            continue
        if kind != "command":
            message = f"The event `{kind[:40]}` interrupts the bot at every answer. Check the answers by conditions."
            bot.draft.lose("event", "blocker", source, message)
        elif not normalize_text(word) or normalize_text(word) in OPT_OUT or len(word) > COMMAND_CHARACTERS:
            message = f"The word `{word[:60]}` cannot be a command: it is empty, too long, or always means `stop`."
            bot.draft.lose("event", "loss", source, message)
        else:
            bot.draft.command(word, target, returns=_returns(bot, groups, target))


def _returns(bot: Bot, groups: list[dict[str, Any]], target: str) -> bool:
    """Whether a block `Return` can follow a part of the bot."""
    blocks = {f"group:{as_text(group.get('id'))}": dicts(group.get("blocks")) for group in groups}
    blocks |= {
        f"block:{as_text(block.get('id'))}": own[at:] for own in list(blocks.values()) for at, block in enumerate(own)
    }
    seen: set[str] = set()
    waiting = [str(target)]
    while waiting:
        place = waiting.pop()
        if place in seen:
            continue
        seen.add(place)
        for block in blocks.get(place, []):
            if block.get("type") == "Return":
                return True
            items = dicts(block.get("items"))
            ends = [block, *items, *(path for item in items for path in dicts(item.get("paths")))]
            waiting += [str(end) for one in ends if (end := bot.target(one.get("outgoingEdgeId"))) is not None]
    return False


def _import_group(bot: Bot, group: dict[str, Any]) -> None:
    blocks = dicts(group.get("blocks"))
    entered = _entered(bot)
    chain = bot.draft.chain(f"group:{as_text(group.get('id'))}")
    for block in blocks:
        key = f"block:{as_text(block.get('id'))}"
        if key in entered and block is not blocks[0]:
            chain.go(Ref(key))
            chain = bot.draft.chain(key)
        elif block is blocks[0]:
            bot.draft.enter_at(key, Ref(f"group:{as_text(group.get('id'))}"))
        if chain.closed:
            chain = bot.draft.chain(key)
        if as_text(block.get("type")) in INPUTS:
            ask(bot, chain, block)
        else:
            add_block(bot, chain, block)
        target = bot.target(block.get("outgoingEdgeId"))
        if target is not None and not chain.closed:
            chain.go(target)
    if not chain.closed:
        chain.go(None)


def _entered(bot: Bot) -> set[str]:
    """The blocks in the middle of a group where an edge or a jump leads."""
    targets = [as_dict(edge.get("to")).get("blockId") for edge in bot.edges.values()]
    for group in dicts(bot.document.get("groups")):
        targets += [
            as_dict(block.get("options")).get("blockId")
            for block in dicts(group.get("blocks"))
            if block.get("type") == "Jump"
        ]
    return {f"block:{as_text(target)}" for target in targets if target}


def _finished(bot: Bot, start: str) -> dict[str, Any]:
    """The document, with values for the variables that a web page would have given to the bot."""
    values = dict(bot.defaults)
    for name in sorted(bot.read - bot.written):
        values.setdefault(name, "")
    given = sorted(bot.read - bot.written - bot.defaults.keys())
    if given:
        message = f"The bot does not set {', '.join(given[:10])}; a web page did. They are parameters now."
        bot.draft.lose("prefilled_variables", "note", "variables", message)
    document = bot.draft.finish(start)
    if values:
        declare_parameters(document, values)
    return document


_IGNORED = (
    r".*\.(id|groupId|graphCoordinates|theme|icon|version|createdAt|updatedAt|workspaceId|publicId|folderId|customDomain|spaceId)"
    r"|.*\.(selectedThemeTemplateId|resultsTabPreferences|whatsAppCredentialsId|credentialsId|riskLevel|isArchived|isClosed)"
    r"|.*\.(isSessionVariable|isLong|variablesForTest|isAdvancedConfig|isExecutedOnClient|visibility|metadata|security)"
    r"|(.*\.typebot)?\.settings\.(general|metadata|security|publicShare|respondIO)|.*\.whatsApp\.isEnabled|.*\.options\.(model|accountId|spreadsheetId)"
    r"|.*\.groups\[\]\.title|.*\.edges\[\]\.from|.*\.labels\.button|.*\.events\[\]\.type"
)
"""Ids, versions, the looks of a web page, the accounts of integrations."""

register(Format("typebot", "Typebot", recognise, read, rank=0, ignored=_IGNORED))
