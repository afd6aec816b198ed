"""Typebot's blocks of language models as prompts."""

from typing import Any

from pytake.importers.draft import Chain
from pytake.importers.names import slug
from pytake.importers.reading import as_dict, as_float, as_list, as_text, dicts
from pytake.importers.sources import see
from pytake.importers.typebot.bot import Bot

MODEL = "anthropic.claude-3-5-haiku-20241022-v1:0"
MODELS = frozenset(
    (
        "OpenAI",
        "openai",
        "mistral",
        "anthropic",
        "groq",
        "together-ai",
        "open-router",
        "perplexity",
        "deepseek",
        "dify-ai",
        "chat-node",
    )
)
_CHAT = ("create chat completion", "create chat message", "generate text", "")
_FIELD_TYPES = {"string": "text", "number": "number", "boolean": "boolean", "enum": "text"}


def ask_model(bot: Bot, chain: Chain, block: dict[str, Any]) -> None:
    """Add a prompt. Reports what the block does besides writing a text."""
    options = as_dict(block.get("options"))
    action = as_text(options.get("action")) or as_text(options.get("task"))
    if action.lower() == "generate variables":
        _extract(bot, chain, block, options)
        return
    if action.lower() not in _CHAT:
        see(block)
        message = f"PyTake has no `{action[:40]}`. Call the provider's API by an `api_call`."
        bot.lose(chain, block, f"model_{slug(action, 'action')}", "blocker", message)
        return
    data: dict[str, Any] = {"model": MODEL}
    system, lines, dialogue = [], [], ""
    for message_ in dicts(options.get("messages")):
        role = as_text(message_.get("role"))
        if role in ("Dialogue", "Messages sequence ✨"):
            content = as_dict(message_.get("content"))
            variable = message_.get("dialogueVariableId") or content.get("assistantMessagesVariableId")
            dialogue = bot.variable(variable, "dialogue")
            bot.read.add(dialogue)
            continue
        text = bot.text(chain, block, as_text(message_.get("content")))
        if role == "system":
            system.append(text)
        else:
            lines.append((role, text))
    if options.get("prompt") or options.get("systemPrompt"):
        lines.append(("user", bot.text(chain, block, as_text(options.get("prompt")))))
        system.append(bot.text(chain, block, as_text(options.get("systemPrompt"))))
    if any(system):
        data["system"] = "\n\n".join(filter(None, system))
    data["prompt"] = _prompt(lines, dialogue)
    temperature = as_float(as_dict(options.get("advancedSettings")).get("temperature") or options.get("temperature"))
    if temperature is not None and 0 <= temperature <= 1:
        data["temperature"] = temperature
    _store(bot, chain, block, data, dicts(options.get("responseMapping")))
    chain.add("ai_prompt", data, "ask_model")
    if as_list(options.get("tools")):
        bot.lose(
            chain,
            block,
            "model_tools",
            "blocker",
            "The model calls functions. PyTake's models call none; use `fields`.",
        )
    bot.lose(
        chain, block, "model", "note", "The model is one of Amazon Bedrock. Choose the one that you have access to."
    )


def _prompt(lines: list[tuple[str, str]], dialogue: str) -> str:
    """One text of the whole dialogue: the model continues it."""
    if len(lines) == 1 and not dialogue:
        return lines[0][1]
    names = {"user": "User", "assistant": "Assistant"}
    parts = [f"{names.get(role, role or 'User')}: {text}" for role, text in lines]
    if dialogue:
        parts.append("{{" + dialogue + ' | lines("- {value}")}}')
        parts.append("Continue this dialogue, in which the user and you take turns. Write only your next message.")
    return "\n\n".join(parts) or "{{input.text}}"


def _store(bot: Bot, chain: Chain, block: dict[str, Any], data: dict[str, Any], mappings: list[dict[str, Any]]) -> None:
    data["output_variable"] = "model_answer"
    for mapping in mappings:
        item = as_text(mapping.get("item")) or as_text(mapping.get("valueToExtract")) or "Message content"
        if not mapping.get("variableId"):
            continue
        name = bot.store(mapping.get("variableId"))
        if item.lower() in ("message content", "text", "answer"):
            data["output_variable"] = name
        else:
            bot.lose(chain, block, "model_result", "loss", f"PyTake does not store `{item[:40]}` of a model's answer.")


def _extract(bot: Bot, chain: Chain, block: dict[str, Any], options: dict[str, Any]) -> None:
    """Values that the model takes out of a text, each in a variable of its own."""
    data: dict[str, Any] = {
        "model": MODEL,
        "prompt": bot.text(chain, block, as_text(options.get("prompt"))) or "{{input.text}}",
    }
    system = as_text(options.get("systemPrompt"))
    if system:
        data["system"] = bot.text(chain, block, system)
    fields = {}
    for one in dicts(options.get("variablesToExtract")):
        if not one.get("variableId"):
            continue
        name = bot.store(one.get("variableId"))
        fields[name] = _FIELD_TYPES.get(as_text(one.get("type")), "text")
    data["output_variable"] = "extracted"
    if fields:
        data["fields"] = fields
    chain.add("ai_prompt", data, "extract")
    bot.lose(
        chain, block, "model", "note", "The model is one of Amazon Bedrock. Choose the one that you have access to."
    )
