"""The node types of the canvas. Each dialect names fields in its own way; all names are read."""

from typing import Any

from pytake.importers.canvas.canvas import Add, At, Canvas, first, hint_of, label_of, text_of
from pytake.importers.canvas.effects import (
    act,
    ask_model,
    call_api,
    compute_date,
    emit_event,
    query_database,
    run_script,
    send_template,
    set_variables,
)
from pytake.importers.canvas.files import before_message, send_attachments
from pytake.importers.draft import Chain, Ref
from pytake.importers.names import slug
from pytake.importers.options import fit_options, with_lines
from pytake.importers.reading import as_dict, as_float, as_list, as_text, dicts
from pytake.importers.sources import see
from pytake.whatsapp import limits as meta

_VALIDATIONS = {
    "text": "text", "string": "text", "number": "number", "integer": "number", "numeric": "number", "email": "email",
    "phone": "phone", "date": "date", "regex": "regex", "location": "location", "image": "media", "file": "media",
    "media": "media", "document": "media", "options": "choice", "choice": "choice", "url": "regex", "any": "any",
}  # fmt: skip
_UNITS = {
    "seconds": 1,
    "second": 1,
    "minutes": 60,
    "minute": 60,
    "hours": 3600,
    "hour": 3600,
    "days": 86_400,
    "day": 86_400,
}
_OPERATORS = {
    "==": "==", "=": "==", "===": "==", "equals": "==", "equal": "==", "eq": "==", "!=": "!=", "not_equals": "!=",
    "not_equal": "!=", "neq": "!=", ">": ">", "gt": ">", "greater_than": ">", "<": "<", "lt": "<", "less_than": "<",
    ">=": ">=", "gte": ">=", "greater_or_equal": ">=", "<=": "<=", "lte": "<=", "less_or_equal": "<=",
    "contains": "contains", "not_contains": "not_contains", "starts_with": "starts_with", "ends_with": "ends_with",
    "in": "in", "not_in": "not_in", "is_empty": "is_empty", "empty": "is_empty", "is_not_empty": "is_not_empty",
    "not_empty": "is_not_empty", "exists": "is_not_empty", "not_exists": "is_empty", "regex": "matches",
    "matches": "matches",
}  # fmt: skip


def add_node(canvas: Canvas, chain: Chain, node: dict[str, Any]) -> None:
    """Add what a node does. Reports what PyTake cannot do."""
    data = as_dict(node.get("data"))
    kind = as_text(
        first(data, "nodeType", "node_type", "type")
        if node.get("type") in (None, "custom", "default", "customNode")
        else node.get("type")
    )
    at, add = At(canvas, chain, node, data), _NODES.get(kind.lower().replace("-", "_"))
    if add is not None:
        add(at)
    else:
        see(node)
        at.lose(f"node_{slug(kind, 'unknown')}", "blocker", f"PyTake has no node `{kind[:40]}`. Replace it by hand.")


def _start(at: At) -> None:
    greeting = text_of(at.data, "greeting", "message")
    if greeting:
        at.chain.add("message", {"text": at.text(greeting)}, "greeting")


def _message(at: At) -> None:
    content = as_dict(at.data.get("content"))
    text = text_of(at.data, "text", "message", "messageText", "bodyText", "content")
    link = text_of(at.data, "media_url", "mediaUrl", "imageUrl", "url") or text_of(
        content, "media_url", "mediaUrl", "url"
    )
    kind = as_text(first(at.data, "message_type", "messageType", "media_type", "mediaType")) or as_text(
        content.get("type")
    )
    made: dict[str, Any] = {}
    text = at.text(text)
    if text.strip():
        made["text"] = text
    if link:
        made["media"] = {
            "type": kind if kind in ("image", "video", "audio", "document", "sticker") else "image",
            "link": link,
        }
    if kind == "location":
        shown = _location(at, content)
        if shown is None:
            at.lose("location_message", "loss", "The place has no coordinates. Enter them.")
        else:
            made.pop("media", None)
            made["location"] = shown
    before_message(at)
    if first(at.data, "buttons") or as_list(content.get("buttons")):
        _options(at, {"text": text})
        return
    if made:
        at.chain.add("message", made, hint_of(at.data, "message"), label_of(at.data))
    send_attachments(at)


def _location(at: At, content: dict[str, Any]) -> dict[str, Any] | None:
    """The place that a message shows; None if its coordinates are not known."""
    for source in (at.data, content, as_dict(at.data.get("location")), as_dict(content.get("location"))):
        parts = [
            at.text(as_text(first(source, *names))).strip() for names in (("latitude", "lat"), ("longitude", "lng"))
        ]
        if all("{{" in part or as_float(part) is not None for part in parts):
            names = {name: at.text(as_text(source.get(name))) for name in ("name", "address")}
            return {"latitude": parts[0], "longitude": parts[1], **{k: v for k, v in names.items() if v.strip()}}
    return None


def _question(at: At) -> None:
    text = text_of(at.data, "question", "questionText", "text", "message", "bodyText", "content")
    made: dict[str, Any] = {"question": at.text(text), "variable": _variable(at.data, at.node)}
    rules = as_dict(at.data.get("validation"))
    kind = as_text(
        first(rules, "type") or first(at.data, "responseType", "validationType", "inputType", "answerType")
    ).lower()
    options = as_list(first(at.data, "options", "choices", "buttons"))
    if options:
        _ask_options(at, made, options)
    else:
        made["validation"] = _validation(kind, rules, at.data)
        _limits(made, at.data)
        at.chain.add("question", made, hint_of(at.data, f"ask_{made['variable']}"), label_of(at.data))


def _validation(kind: str, rules: dict[str, Any], data: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {"type": _VALIDATIONS.get(kind, "text")}
    for name, *others in (
        ("min", "minValue"),
        ("max", "maxValue"),
        ("min_length", "minLength"),
        ("max_length", "maxLength"),
    ):
        number = as_float(first(rules, name, *others) if rules else None)
        if number is not None:
            found[name] = int(number) if number.is_integer() else number
    pattern = as_text(first(rules, "pattern", "regex") or first(data, "pattern", "regex"))
    if pattern:
        found.update(type="regex", pattern=pattern)
    elif found["type"] == "regex":
        found["pattern"] = r"^(https?://)?[\w-]+(\.[\w-]+)+"
    if found["type"] not in ("number", "date"):
        found.pop("min", None)
        found.pop("max", None)
    message = as_text(first(rules, "error_message", "errorMessage") or first(data, "errorMessage", "error_message"))
    return {**found, "error_message": message} if message else found


def _limits(made: dict[str, Any], data: dict[str, Any]) -> None:
    attempts = as_float(first(data, "max_attempts", "maxAttempts", "maxRetries"))
    if attempts and attempts >= 1:
        made["max_attempts"] = int(attempts)
    seconds = as_float(first(data, "timeout_seconds", "timeoutSeconds"))
    if seconds and seconds > 0:
        made["timeout_seconds"] = min(seconds, 30 * 86_400)


def _options(at: At, made: dict[str, Any] | None = None) -> None:
    content = as_dict(at.data.get("content"))
    text = (made or {}).get("text") or text_of(at.data, "bodyText", "body", "text", "message", "content", "question")
    question: dict[str, Any] = {"question": at.text(as_text(text)), "variable": _variable(at.data, at.node)}
    header = text_of(at.data, "headerText", "header")
    footer = text_of(at.data, "footerText", "footer")
    if header:
        question["header"] = header[: meta.HEADER_TEXT]
    if footer:
        question["footer"] = footer[: meta.FOOTER]
    button = text_of(at.data, "buttonText", "button_text", "button")
    options = as_list(first(at.data, "buttons", "listItems", "items", "options", "rows")) or as_list(
        content.get("buttons")
    )
    for section in dicts(first(at.data, "sections")):
        title = as_text(section.get("title"))
        rows = dicts(first(section, "rows", "items", "options"))
        options = [*options, *({**row, "section": title} for row in rows)]
    if button:
        question["list_button"] = button[: meta.LIST_BUTTON]
    _ask_options(at, question, options)


def _ask_options(at: At, made: dict[str, Any], options: list[Any]) -> None:
    parts = [option if isinstance(option, dict) else {"label": as_text(option)} for option in options]
    labels = [
        text_of(part, "label", "title", "text", "name", "value", "reply") or as_text(part.get("id")) for part in parts
    ]
    values = [
        as_text(first(part, "value", "id", "payload")) or label for part, label in zip(parts, labels, strict=True)
    ]
    targets = [
        at.following(value, label, as_text(part.get("id")), f"button-{number}", f"option-{number}", f"{number}")
        or _named_target(part)
        for number, (part, label, value) in enumerate(zip(parts, labels, values, strict=True))
    ]
    if len(set(values)) < len(values):
        values = labels
    choices = fit_options(labels, list(targets))
    made["validation"] = {"type": "choice"}
    made["question"] = with_lines(made["question"], choices)
    if not choices.buttons and parts:
        made["validation"]["choices"] = [
            {"value": value, "label": label} for value, label in zip(values, labels, strict=True)
        ]
    else:
        for button, part, value, label in zip(choices.buttons, parts, values, labels, strict=True):
            if value != label or value != button["label"]:
                button["value"] = value[: meta.ROW_ID]
            description = as_text(part.get("description"))
            if description and "description" not in button and len(choices.buttons) > meta.BUTTONS:
                button["description"] = description[: meta.ROW_DESCRIPTION]
            if part.get("section") and len(choices.buttons) > meta.BUTTONS:
                button["section"] = as_text(part["section"])[: meta.ROW_TITLE]
        made["buttons"] = choices.buttons
    if len(choices.buttons) <= meta.BUTTONS and all(len(label) <= meta.BUTTON_TITLE for label in labels):
        made.pop("list_button", None)
    _limits(made, at.data)
    if not parts:
        made["validation"] = {"type": "text"}
        made.pop("buttons", None)
        at.lose("no_options", "loss", "The question has no options. Any text is taken.")
    at.chain.add("question", made, hint_of(at.data, f"ask_{made['variable']}"), label_of(at.data))
    for label in choices.shortened:
        at.lose("label_shortened", "note", f"WhatsApp shows at most 72 characters: `{label[:60]}…`.")


def _named_target(part: dict[str, Any]) -> Ref | None:
    target = as_text(first(part, "next_node_id", "nextNodeId", "target"))
    return Ref(target) if target else None


def _condition(at: At) -> None:
    conditions = dicts(first(at.data, "conditions", "rules", "branches")) or (
        [at.data] if at.data.get("variable") else []
    )
    combined = as_text(first(at.data, "logicOperator", "logic", "operator_logic", "match")).lower()
    handles = [
        first(one, "branch", "handle", "output", "label_branch", "id") for one in conditions if one is not at.data
    ]
    named = any(handles)
    branches: list[dict[str, Any]] = []
    if named and not at.following("true", "yes", "sim"):
        for number, one in enumerate(conditions):
            made = _comparison(at, one)
            handle = as_text(first(one, "branch", "handle", "output", "id"))
            target = at.following(handle, f"condition-{number}", f"branch-{number}")
            if made is not None:
                branches.append({"all": [made], "next_node_id": target or Ref("")})
        default = at.following("default", "else", "other", "false")
    else:
        comparisons = [made for one in conditions if (made := _comparison(at, one)) is not None]
        if comparisons:
            target = at.following("true", "yes", "sim", as_text(first(at.data, "true_branch"))) or Ref("")
            branches.append({"any" if combined in ("or", "any", "ou") else "all": comparisons, "next_node_id": target})
        default = at.following("false", "no", "nao", "não", "default", "else")
    if not branches:
        at.lose("condition", "blocker", "The condition compares nothing that PyTake knows. Write it by hand.")
        return
    made_node: dict[str, Any] = {"branches": branches, "default_next_node_id": default or Ref("")}
    if default is None and len(branches) > 1 and _covers_all(branches):
        made_node["default_next_node_id"] = branches[-1]["next_node_id"]
        branches.pop()
    at.chain.add("condition", made_node, hint_of(at.data, "condition"), label_of(at.data), follows=False)
    at.chain.close()


def _covers_all(branches: list[dict[str, Any]]) -> bool:
    """Whether two branches are opposites, such as `>= 60` and `< 60`: the last one is then what remains."""
    pairs = {("<", ">="), (">=", "<"), (">", "<="), ("<=", ">"), ("==", "!="), ("!=", "==")}
    if len(branches) != 2:
        return False
    one, other = (branch.get("all", [{}])[0] for branch in branches)
    same = one.get("variable") == other.get("variable") and str(one.get("value")) == str(other.get("value"))
    return same and (one.get("operator"), other.get("operator")) in pairs


def _comparison(at: At, one: dict[str, Any]) -> dict[str, Any] | None:
    variable = (
        as_text(first(one, "variable", "field", "left", "variableName"))
        .strip()
        .removeprefix("{{")
        .removesuffix("}}")
        .strip()
    )
    operator = _OPERATORS.get(as_text(first(one, "operator", "op", "comparison")).strip().lower() or "==")
    if not variable or operator is None:
        at.lose("comparison", "blocker", "A comparison has no variable or no known operator. It is left out.")
        return None
    if operator in ("is_empty", "is_not_empty"):
        return {"variable": variable, "operator": operator}
    value = first(one, "value", "right", "compareTo")
    return {"variable": variable, "operator": operator, "value": "" if value is None else value}


def _handoff(at: At) -> None:
    made: dict[str, Any] = {}
    for name, *others in (
        ("message", "handoffMessage", "transferMessage"),
        ("department", "queue", "departmentName", "queueName"),
        ("priority",),
        ("note", "summary", "notes"),
    ):
        value = first(at.data, name, *others)
        if isinstance(value, str | int) and not isinstance(value, bool):
            made[name] = value
    if first(at.data, "agent_id", "agentId", "assignTo"):
        at.lose("agent", "loss", "PyTake hands over to a department, not to one agent.")
    at.chain.add("handoff", made, hint_of(at.data, "handoff"), label_of(at.data), follows=False)
    at.chain.close()


def _end(at: At) -> None:
    message = text_of(at.data, "message", "farewell", "finalMessage", "endMessage", "farewellMessage")
    at.chain.add(
        "end",
        {"message": at.text(message)} if message else {},
        hint_of(at.data, "end"),
        label_of(at.data),
        follows=False,
    )
    at.chain.close()


def _delay(at: At) -> None:
    amount = as_float(first(at.data, "seconds", "duration", "delay", "delaySeconds", "amount", "value")) or 0
    unit = as_text(first(at.data, "unit", "timeUnit", "delayUnit")).lower()
    seconds = amount * _UNITS.get(unit, 1)
    if seconds > 0:
        at.chain.add("delay", {"seconds": min(seconds, 30 * 86_400)}, hint_of(at.data, "wait"), label_of(at.data))


def _jump(at: At) -> None:
    target_node = as_text(first(at.data, "target_node_id", "targetNodeId", "targetNode"))
    target = as_text(first(at.data, "target_flow_id", "targetFlowId", "flowId", "flow_id", "targetFlow"))
    if target_node and not target:
        at.chain.go(Ref(target_node))
        return
    made: dict[str, Any] = {"target_flow_id": slug(target, "flow", 64) if target else "flow"}
    returns = at.following() is not None
    if not returns:
        made["return_to_parent"] = False
    at.chain.add("jump", made, hint_of(at.data, "jump"), label_of(at.data), follows=returns)
    message = f"The flow `{target}` is not in this file. Import it too, under the id `{made['target_flow_id']}`."
    at.lose("flow_not_in_file", "note", message)


def _random(at: At) -> None:
    paths = dicts(first(at.data, "paths", "variants", "branches", "options"))
    made = []
    for number, path in enumerate(paths[:20]):
        name = as_text(first(path, "id", "name", "label")) or f"path_{number + 1}"
        target = at.following(name, as_text(path.get("label")), f"path-{number}", f"path-{number + 1}")
        weight = as_float(first(path, "weight", "percentage", "probability"))
        made.append({"id": name, "next_node_id": target or Ref(""), **({"weight": weight} if weight else {})})
    if made:
        at.chain.add(
            "random", {"paths": made, "sticky": False}, hint_of(at.data, "random"), label_of(at.data), follows=False
        )
    at.chain.close()


def _variable(data: dict[str, Any], node: dict[str, Any]) -> str:
    name = as_text(
        first(data, "variable", "output_variable", "outputVariable", "variableName", "saveAs", "variable_name")
    )
    return name or f"answer_{slug(as_text(node.get('id')), 'node')[-12:]}"


_NODES: dict[str, Add] = {
    "start": _start, "trigger": _start, "message": _message, "text": _message, "image": _message, "media": _message,
    "question": _question, "input": _question, "condition": _condition, "api_call": call_api, "api": call_api,
    "webhook": call_api, "action": act, "interactive_buttons": _options, "buttons": _options,
    "interactive_list": _options, "list": _options, "handoff": _handoff, "human": _handoff, "transfer": _handoff,
    "transfer_to_queue": _handoff, "end": _end, "delay": _delay, "wait": _delay, "jump": _jump, "jump_to_flow": _jump,
    "flow": _jump, "random": _random, "ai_prompt": ask_model, "ai": ask_model, "set_variable": set_variables,
    "script": run_script, "whatsapp_template": send_template, "template": send_template, "template_message": send_template,
    "analytics": emit_event, "datetime": compute_date, "database_query": query_database,
}  # fmt: skip
