"""Typebot's conditions as comparisons."""

import re
from typing import Any

from pytake.importers.draft import Chain
from pytake.importers.reading import as_dict, as_text, dicts
from pytake.importers.typebot.bot import Bot

_OPERATORS = {
    "Equal to": "==", "Not equal": "!=", "Contains": "contains", "Does not contain": "not_contains", "Greater than": ">",
    "Less than": "<", "Greater or equal to": ">=", "Less or equal to": "<=", "Is set": "is_not_empty",
    "Is empty": "is_empty", "Starts with": "starts_with", "Ends with": "ends_with", "Matches regex": "matches",
    "Does not match regex": "not_matches",
}  # fmt: skip


def branch(bot: Bot, chain: Chain, block: dict[str, Any], content: Any) -> dict[str, Any] | None:
    """The comparisons of a condition as a branch; None if nothing is compared. Reports what cannot be compared."""
    content = as_dict(content)
    comparisons = [
        made for one in dicts(content.get("comparisons")) if (made := _comparison(bot, chain, block, one)) is not None
    ]
    if not comparisons:
        return None
    return {"any" if as_text(content.get("logicalOperator")).upper() == "OR" else "all": comparisons}


def _comparison(bot: Bot, chain: Chain, block: dict[str, Any], one: dict[str, Any]) -> dict[str, Any] | None:
    variable = bot.by_id.get(as_text(one.get("variableId")))
    operator = _OPERATORS.get(as_text(one.get("comparisonOperator")))
    if variable is None or operator is None:
        if one.get("variableId") or one.get("comparisonOperator"):
            message = "A comparison has no variable or no known operator. It is left out; check the condition."
            bot.lose(chain, block, "comparison", "loss", message)
        return None
    bot.read.add(variable)
    if operator in ("is_empty", "is_not_empty"):
        return {"variable": variable, "operator": operator}
    value = as_text(one.get("value"))
    if operator in ("matches", "not_matches"):
        return _pattern(bot, chain, block, variable, operator, value)
    written = bot.text(chain, block, value)
    if not written:
        opposite = {"==": "is_empty", "!=": "is_not_empty"}.get(operator)
        return (
            {"variable": variable, "operator": opposite}
            if opposite
            else {"variable": variable, "operator": operator, "value": ""}
        )
    return {"variable": variable, "operator": operator, "value": written}


def _pattern(
    bot: Bot, chain: Chain, block: dict[str, Any], variable: str, operator: str, value: str
) -> dict[str, Any] | None:
    found = re.fullmatch(r"/(.*)/([a-z]*)", value.strip(), re.DOTALL)
    pattern, flags = (found[1], found[2]) if found else (value, "")
    flags = "".join(flag for flag in flags if flag in "ims")
    comparison = {"variable": variable, "operator": "matches", "value": f"(?{flags}){pattern}" if flags else pattern}
    if "{{" in pattern:
        bot.lose(
            chain, block, "pattern", "blocker", "PyTake's patterns contain no variables. Write the condition by hand."
        )
        return None
    if operator == "matches":
        return comparison
    result = f"{variable}_matches"
    yes = {"actions": [{"type": "set_variable", "variable": result, "value": "yes"}]}
    no = {"actions": [{"type": "set_variable", "variable": result, "value": "no"}]}
    made: dict[str, Any] = {"branches": [{"all": [comparison]}]}
    chain.add("condition", made, f"check_{variable}", follows=False)
    made["branches"][0]["next_node_id"] = chain.draft.add_node("action", yes, result)["id"]
    made["default_next_node_id"] = chain.draft.add_node("action", no, result)["id"]
    chain.reopen([(yes, "next_node_id"), (no, "next_node_id")])
    return {"variable": result, "operator": "==", "value": "no"}
