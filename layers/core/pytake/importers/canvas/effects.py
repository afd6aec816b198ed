"""The canvas' nodes that people do not see: API calls, actions, scripts, values, models, events."""

from typing import Any

from pytake.importers.canvas.canvas import Add, At, first, hint_of, label_of, text_of
from pytake.importers.goflow.place import run_steps
from pytake.importers.goflow.translation import UntranslatableError
from pytake.importers.names import slug
from pytake.importers.reading import as_dict, as_float, as_list, as_text, dicts
from pytake.importers.sources import changed, see

MODEL = "anthropic.claude-3-5-haiku-20241022-v1:0"
_DATE_UNITS = ("second", "minute", "hour", "day", "week", "month", "year")
_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD")


def call_api(at: At) -> None:
    """Add an API call."""
    method = as_text(first(at.data, "method", "httpMethod")).upper()
    url = at.canvas.address(at.chain, at.node, text_of(at.data, "url", "endpoint", "apiUrl"))
    made: dict[str, Any] = {"method": method if method in _METHODS else "GET", "url": url}
    if not url.startswith(("https://", "http://", "{{")):
        made["url"] = f"https://{url or 'example.com'}"
    for name, value in (
        ("headers", at.canvas.pairs(at.data.get("headers"))),
        ("query_params", at.canvas.pairs(first(at.data, "query_params", "queryParams"))),
    ):
        if value:
            made[name] = {key: as_text(item) for key, item in value.items()} if name == "headers" else value
    body = first(at.data, "body", "requestBody", "payload")
    if body is not None and made["method"] not in ("GET", "HEAD"):
        made["body"] = at.canvas.setting(body)
    seconds = as_float(first(at.data, "timeout_seconds", "timeout"))
    if seconds and 0 < seconds <= 20:
        made["timeout_seconds"] = seconds
    output = as_text(first(at.data, "output_variable", "outputVariable", "responseVariable", "saveTo"))
    if output:
        made["output_variable"] = output
    error = at.following("error", "failure", "on_error", "erro")
    if error is not None:
        made["error_next_node_id"] = error
    at.chain.add("api_call", made, hint_of(at.data, "call"), label_of(at.data))


def act(at: At) -> None:
    """Add the actions of an action node."""
    actions = dicts(first(at.data, "actions")) or [at.data]
    for action in actions:
        kind = as_text(first(action, "action_type", "actionType", "type", "action")).lower()
        config = changed(action, as_dict(first(action, "config", "params", "parameters")))
        act = _ACTIONS.get(kind)
        if act is None:
            see(action)
            at.lose(f"action_{slug(kind, 'unknown')}", "blocker", f"PyTake has no action `{kind[:40]}`.")
        else:
            act(at.with_data(config))


def _save_contact(at: At) -> None:
    contact = as_dict(first(at.data, "contact_data", "contactData", "contact", "fields")) or {}
    fields = {}
    for name, value in {**contact, **as_dict(first(contact, "custom_fields", "customFields"))}.items():
        if name in ("tags", "custom_fields", "customFields", "id"):
            continue
        fields["phone_number" if name == "phone" else name] = value
    if at.data.get("field"):
        fields[as_text(at.data["field"])] = at.data.get("value")
    if fields:
        at.chain.act({"type": "save_contact", "fields": fields}, "save_contact")
    for tag in as_list(first(contact, "tags")):
        at.chain.act({"type": "add_tag", "tag": as_text(tag)}, "add_tag")


def _tag(kind: str) -> Add:
    def tag(at: At) -> None:
        tags = as_list(first(at.data, "tags")) or [first(at.data, "tag", "tagName", "value")]
        for one in tags:
            if as_text(one):
                at.chain.act({"type": kind, "tag": as_text(one)}, kind)

    return tag


def _send_email(at: At) -> None:
    mail = as_dict(first(at.data, "email_data", "emailData", "email")) or at.data
    text = text_of(mail, "text", "body", "message", "content")
    variables = as_dict(mail.get("variables"))
    if not text:
        text = "\n".join(f"{name}: {as_text(value)}" for name, value in variables.items())
        if mail.get("template"):
            name = as_text(mail["template"])[:60]
            message = f"The e-mail used the template `{name}`. Its values are sent; write the text around them."
            at.lose("email_template", "note", message)
    to = text_of(mail, "to", "recipient", "emailTo")
    subject = text_of(mail, "subject", "title") or at.canvas.draft.name
    at.chain.act({"type": "send_email", "to": to, "subject": subject, "text": text or subject}, "send_email")


def run_script(at: At) -> None:
    """Compute what a script computes. Reports a script that PyTake cannot read."""
    script = text_of(at.data, "script", "scriptCode", "code")
    language = as_text(first(at.data, "language", "scriptLanguage")).lower()
    output = as_text(first(at.data, "output_variable", "outputVariable"))
    try:
        if language == "python":
            raise UntranslatableError("PyTake reads no Python scripts.")
        run_steps(at.chain, at.canvas.scripts.steps(script, output))
    except UntranslatableError as error:
        at.lose("script", "blocker", f"{error} Compute the value by expressions, or call an API.")


def set_variables(at: At) -> None:
    """Store values, or change them."""
    for one in dicts(first(at.data, "variables", "assignments")) or [at.data]:
        name = as_text(first(one, "variable", "variableName", "variable_name", "name", "key", "outputVariable"))
        if not name:
            continue
        operation = as_text(first(one, "operation", "type", "operator")).lower()
        value = first(one, "value", "variableValue", "expression")
        number = as_float(value)
        if operation in ("add", "increment", "increase", "sum"):
            at.chain.act({"type": "add", "variable": name, "by": _plain(number, value, 1)}, f"add_{name}")
        elif operation in ("subtract", "decrement", "decrease") and (number is not None or value is None):
            at.chain.act({"type": "add", "variable": name, "by": -(number if number is not None else 1)}, f"add_{name}")
        elif operation in ("append", "push"):
            at.chain.act({"type": "append", "variable": name, "value": value}, f"append_{name}")
        elif operation in ("delete", "clear", "unset"):
            at.chain.set(name, "")
        else:
            at.chain.set(name, "" if value is None else at.text(value) if isinstance(value, str) else value)


def _plain(number: float | None, value: Any, default: int) -> Any:
    if value is None:
        return default
    return value if number is None else int(number) if number.is_integer() else number


def ask_model(at: At) -> None:
    """Add a prompt to a model."""
    made: dict[str, Any] = {
        "model": MODEL,
        "prompt": text_of(at.data, "prompt", "userPrompt", "message") or "{{input.text}}",
    }
    system = text_of(at.data, "system", "systemPrompt", "system_prompt")
    if system:
        made["system"] = system
    made["output_variable"] = as_text(first(at.data, "output_variable", "outputVariable")) or "model_answer"
    temperature, most = as_float(at.data.get("temperature")), as_float(first(at.data, "max_tokens", "maxTokens"))
    if temperature is not None and 0 <= temperature <= 1:
        made["temperature"] = temperature
    if most and most >= 1:
        made["max_tokens"] = int(most)
    at.chain.add("ai_prompt", made, hint_of(at.data, "ask_model"), label_of(at.data))
    at.lose("model", "note", "The model is one of Amazon Bedrock. Choose the one that you have access to.")


def send_template(at: At) -> None:
    """Add a WhatsApp template."""
    name = text_of(at.data, "template_name", "templateName", "name")
    made: dict[str, Any] = {"name": name, "language": text_of(at.data, "language", "languageCode") or "pt_BR"}
    values = as_list(first(at.data, "body_variables", "bodyVariables", "variables", "parameters"))
    if dicts(first(at.data, "components")):
        made["components"] = dicts(at.data["components"])
    elif values:
        texts = [text_of(value, "value", "text") if isinstance(value, dict) else as_text(value) for value in values]
        made["components"] = [{"type": "body", "parameters": [{"type": "text", "text": text} for text in texts]}]
    at.chain.add("template", made, hint_of(at.data, "template"), label_of(at.data))


def emit_event(at: At) -> None:
    """Publish an event."""
    name = slug(text_of(at.data, "event_name", "eventName", "name", "event"), "event")
    values = as_dict(first(at.data, "properties", "data", "event_data", "eventData", "parameters"))
    at.chain.act({"type": "emit_event", "name": name, "data": values}, name)


def compute_date(at: At) -> None:
    """Store a date."""
    name = as_text(first(at.data, "output_variable", "outputVariable")) or "date"
    operation = as_text(first(at.data, "operation", "action", "type")).lower()
    source = as_text(first(at.data, "inputDate", "date", "inputVariable", "variable")).strip("{} ") or "now"
    form = as_text(first(at.data, "format", "outputFormat", "dateFormat"))
    amount = as_float(first(at.data, "amount", "value", "addAmount"))
    unit = as_text(first(at.data, "unit", "addUnit")).lower()
    written = source
    if operation in ("add", "subtract") and amount is not None and unit.removesuffix("s") in _DATE_UNITS:
        sign = -1 if operation == "subtract" else 1
        written += f' | add_time("{int(sign * amount)} {unit}")'
    elif operation not in ("", "now", "current", "format", "get_current", "getcurrent", "current_datetime"):
        at.lose("datetime", "blocker", f"PyTake has no `{operation[:30]}` of dates. Write it by an expression.")
    if form:
        written += f' | date("{form.replace("yyyy", "YYYY").replace("dd", "DD")}")'
    at.chain.set(name, "{{" + written + "}}")


def query_database(at: At) -> None:
    """Report a query of a database."""
    see(at.node)
    at.lose("database", "blocker", "PyTake queries no databases. Offer the query as an API, and call that.")


_ACTIONS: dict[str, Add] = {
    "save_contact": _save_contact, "update_contact": _save_contact, "save_to_contact": _save_contact,
    "add_tag": _tag("add_tag"), "add_tags": _tag("add_tag"), "remove_tag": _tag("remove_tag"),
    "send_email": _send_email, "email": _send_email, "script": run_script, "set_variable": set_variables,
    "webhook": call_api, "emit_event": emit_event, "api_call": call_api,
}  # fmt: skip
