"""The actions of goflow's nodes."""

from collections.abc import Callable
from typing import Any

from pytake.importers.draft import Ref
from pytake.importers.goflow.bundle import intents_of, key_of
from pytake.importers.goflow.messages import interactive, say, spoken
from pytake.importers.goflow.place import Place
from pytake.importers.goflow.routing import result_variable, store_webhook_result
from pytake.importers.goflow.webhooks import request_body
from pytake.importers.languages import pytake_language
from pytake.importers.names import slug, variable_name
from pytake.importers.reading import as_dict, as_float, as_list, as_text, dicts
from pytake.importers.sources import see

Act = Callable[[Place, dict[str, Any]], None]
MODEL = "anthropic.claude-3-5-haiku-20241022-v1:0"
_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD")


def import_action(place: Place, action: dict[str, Any]) -> None:
    """Add what an action does to the place's chain. Reports what PyTake cannot do."""
    kind = as_text(action.get("type"))
    act = _ACTIONS.get(kind)
    if act is not None:
        act(place, action)
        return
    see(action)
    severity, message = _MISSING.get(kind, ("blocker", f"PyTake has no action `{kind[:40]}`. Replace it by hand."))
    place.lose(
        f"action_{slug(kind, 'unknown')}",
        "note" if severity == "note" else "loss" if severity == "loss" else "blocker",
        message,
    )


def _say(place: Place, action: dict[str, Any]) -> None:
    say(place, spoken(place, action))


def _say_interactive(place: Place, action: dict[str, Any]) -> None:
    say(place, interactive(place, action))


def _play(place: Place, action: dict[str, Any]) -> None:
    place.chain.add(
        "message", {"media": {"type": "audio", "link": place.text(as_text(action.get("audio_url")))}}, "audio"
    )


def _set_field(place: Place, action: dict[str, Any]) -> None:
    field = as_dict(action.get("field"))
    name = variable_name(as_text(field.get("key")) or as_text(field.get("name")), "field")
    place.chain.act(
        {"type": "save_contact", "field": name, "value": place.value(as_text(action.get("value")))}, f"save_{name}"
    )


def _set_name(place: Place, action: dict[str, Any]) -> None:
    place.chain.act(
        {"type": "save_contact", "field": "name", "value": place.text(as_text(action.get("name")))}, "save_name"
    )


def _set_language(place: Place, action: dict[str, Any]) -> None:
    written = as_text(action.get("language"))
    language = place.text(written) if "@" in written else pytake_language(written)
    if not language:
        place.lose("language", "loss", f"`{written[:40]}` is not a language that PyTake knows. Set it by hand.")
        return
    place.chain.act({"type": "set_language", "language": language}, "set_language")


def _tags(kind: str) -> Act:
    def tag(place: Place, action: dict[str, Any]) -> None:
        groups = dicts(action.get("groups"))
        if action.get("all_groups") or (kind == "remove_tag" and not groups):
            place.lose("all_groups", "loss", "PyTake removes tags one by one. Add the tags that are to be removed.")
        for group in groups:
            name = as_text(group.get("name")) or as_text(group.get("name_match"))
            name = name or place.flow.bundle.groups.get(as_text(group.get("uuid")), "")
            if group.get("query"):
                place.lose(
                    "group_query", "loss", f"The group `{name}` is filled by a query. PyTake has segments for this."
                )
            if name.strip():
                place.chain.act({"type": kind, "tag": place.text(name)}, kind)

    return tag


def _label(place: Place, action: dict[str, Any]) -> None:
    for label in dicts(action.get("labels")):
        name = as_text(label.get("name")) or as_text(label.get("name_match"))
        if name.strip():
            place.chain.act({"type": "label", "label": place.text(name)}, "label")


def _set_result(place: Place, action: dict[str, Any]) -> None:
    name = as_text(action.get("name"))
    variable = result_variable(place, name)
    place.chain.set(variable, place.value(as_text(action.get("value"))))
    if place.flow.bundle.uses(key_of(name), "category"):
        place.chain.set(f"{variable}_category", place.text(as_text(action.get("category"))))


def _set_local(place: Place, action: dict[str, Any]) -> None:
    variable = variable_name("local_" + as_text(action.get("local")).lstrip("_"), "local")
    if as_text(action.get("operation")) == "increment":
        amount = place.value(as_text(action.get("value")))
        number = as_float(amount)
        by = amount if number is None else int(number) if number.is_integer() else number
        place.chain.act({"type": "add", "variable": variable, "by": by}, f"add_{variable}")
    elif as_text(action.get("operation")) == "clear":
        place.chain.set(variable, "")
    else:
        place.chain.set(variable, place.value(as_text(action.get("value"))))


def _enter_flow(place: Place, action: dict[str, Any]) -> None:
    reference = as_dict(action.get("flow"))
    child = place.flow.bundle.find(reference)
    name = as_text(reference.get("name")) or as_text(reference.get("uuid"))
    target = child.flow_id if child is not None else slug(name, "flow")
    if target == place.flow.draft.id and child is None:
        target = f"{target}_2"
    data: dict[str, Any] = {"target_flow_id": target}
    ends = bool(action.get("terminal"))
    if ends:
        data["return_to_parent"] = False
    elif place.flow.bundle.uses_child_status and not _routes_by_status(place):
        data["outcome_variable"] = "child_status"
    place.chain.add("jump", data, f"enter_{target}", follows=not ends)
    if child is None:
        message = f"The flow `{name}` is not in this file. Import it too, under the id `{target}`."
        place.lose("flow_not_in_file", "note", message)
    if ends:
        place.chain.close()


def _routes_by_status(place: Place) -> bool:
    """Whether this node itself leads to different places by how the sub-flow ended."""
    return "child." in as_text(as_dict(place.node.get("router")).get("operand"))


def _webhook(place: Place, action: dict[str, Any]) -> None:
    webhook = place.flow.context.webhook
    method = as_text(action.get("method")).upper()
    if place.flow.is_glific and method == "FUNCTION":
        name = as_text(action.get("url"))
        message = f"The call runs the function `{name}` of the other platform. Offer it at your own address."
        place.lose("function", "blocker", message)
    url = place.text(as_text(action.get("url"))).strip()
    data: dict[str, Any] = {
        "method": method if method in _METHODS else "POST",
        "url": url if url.startswith(("https://", "http://", "{{")) else f"https://example.com/{slug(url, 'function')}",
        "output_variable": webhook,
        "status_variable": f"{webhook}_status",
        "error_body_variable": webhook,
    }
    headers = {name: place.text(as_text(value)) for name, value in as_dict(action.get("headers")).items()}
    if headers:
        data["headers"] = headers
    body = as_text(action.get("body"))
    if body.strip() and data["method"] not in ("GET", "HEAD"):
        data["body"] = request_body(place, body)
    node = place.chain.add("api_call", data, as_text(action.get("result_name")) or "call")
    if _is_last_with_router(place, action) or not as_text(action.get("result_name")).strip():
        return
    ends = []
    places = [(node["data"], "next_node_id"), (node["data"], "error_next_node_id")]
    for outcome, start in zip(("Success", "Failure"), places, strict=True):
        place.chain.reopen([start])
        place.chain.last = None
        store_webhook_result(place, action, outcome)
        ends += place.chain.take_open()
    place.chain.reopen(ends)
    place.chain.last = None


def _is_last_with_router(place: Place, action: dict[str, Any]) -> bool:
    actions = dicts(place.node.get("actions"))
    router = as_dict(place.node.get("router"))
    if not router or router.get("wait") or not actions or actions[-1] is not action:
        return False
    operand = as_text(router.get("operand"))
    return (
        "category" in operand
        or "webhook.status" in operand
        or key_of(as_text(action.get("result_name"))) in operand.lower()
    )


def _resthook(place: Place, action: dict[str, Any]) -> None:
    name = as_text(action.get("resthook"))
    place.chain.act({"type": "emit_event", "name": slug(name, "resthook"), "data": {}}, "resthook")
    variable = as_text(action.get("result_name"))
    if variable.strip():
        place.chain.set(result_variable(place, variable), "200")
        if place.flow.bundle.uses(key_of(variable), "category"):
            place.chain.set(f"{result_variable(place, variable)}_category", "Success")
    place.lose("resthook", "loss", f"The subscribers of `{name}` get the event, and their answers are not used.")


def _ticket(place: Place, action: dict[str, Any]) -> None:
    topic = as_text(as_dict(action.get("topic")).get("name"))
    note = place.text(as_text(action.get("note")) or as_text(action.get("body")))
    data: dict[str, Any] = {}
    if topic:
        data["department"] = topic
    if note.strip():
        data["note"] = note
    assignee = as_text(as_dict(action.get("assignee")).get("name")) or as_text(
        as_dict(action.get("assignee")).get("email")
    )
    if assignee:
        message = (
            f"The ticket went to `{assignee[:60]}`. PyTake hands over to a department: assign the conversation there."
        )
        place.lose("ticket_assignee", "loss", message, ahead=True)
    see(action.get("assignee"))
    name = as_text(action.get("result_name"))
    if name.strip():  # what follows finds a ticket that was opened
        place.chain.set(result_variable(place, name), "opened")
        if place.flow.bundle.uses(key_of(name), "category"):
            place.chain.set(f"{result_variable(place, name)}_category", "Success")
    place.chain.add("handoff", data, "handoff")


def _email(place: Place, action: dict[str, Any]) -> None:
    subject, body = place.text(as_text(action.get("subject"))), place.text(as_text(action.get("body")))
    for address in as_list(action.get("addresses")):
        to = place.text(as_text(address))
        if to.strip():
            place.chain.act({"type": "send_email", "to": to, "subject": subject, "text": body}, "send_email")


def _start_session(place: Place, action: dict[str, Any]) -> None:
    reference = as_dict(action.get("flow"))
    child = place.flow.bundle.find(reference)
    name = as_text(reference.get("name")) or as_text(reference.get("uuid"))
    target = child.flow_id if child is not None else slug(name, "flow")
    if child is None:
        place.lose("flow_not_in_file", "note", f"The flow `{name}` is not in this file. Import it too, as `{target}`.")
    _for_others(place, action, target)


def _broadcast(place: Place, action: dict[str, Any]) -> None:
    """The conversation goes on here; what other people get is asked of the organization's programs."""
    groups = [as_text(group.get("name")) for group in dicts(action.get("groups"))]
    data = {"text": place.text(as_text(action.get("text"))), "groups": [place.text(name) for name in groups if name]}
    place.chain.act({"type": "emit_event", "name": "send_broadcast", "data": data}, "send_broadcast")
    message = (
        "A flow sends no texts to other people. An event with the text asks one of your programs to start a campaign."
    )
    place.lose("broadcast", "loss", message)


def _for_others(place: Place, action: dict[str, Any], flow_id: str) -> None:
    """Start a flow for addresses. Groups, and contacts that have no address here, are for the organization's programs."""
    for variable in as_list(action.get("legacy_vars")):
        to = place.text(as_text(variable))
        place.chain.act({"type": "start_flow", "to": to, "flow_id": flow_id}, "start_flow")
    groups = [
        as_text(group.get("name")) or place.flow.bundle.groups.get(as_text(group.get("uuid")), "")
        for group in dicts(action.get("groups"))
    ]
    others = bool(as_list(action.get("contacts")) or action.get("contact_query"))
    if groups or others:
        data = {"flow_id": flow_id, "groups": groups}
        place.chain.act({"type": "emit_event", "name": "start_flow", "data": data}, "start_flow")
        message = (
            "A flow starts another one for a single phone number or user id. An event asks one of your programs to start it for "
            "groups and other contacts."
        )
        place.lose("other_contacts", "loss", message)


def _wait_for_time(place: Place, action: dict[str, Any]) -> None:
    seconds = as_float(action.get("delay")) or 0
    if seconds > 0:
        place.chain.add("delay", {"seconds": seconds}, "wait")


def _wait_for_result(place: Place, action: dict[str, Any]) -> None:
    data = {"name": "result", "timeout_seconds": as_float(action.get("delay")) or 3600, "output_variable": "response"}
    node = place.chain.add("wait_event", data, "wait_for_result")
    place.chain.reopen([(node["data"], "next_node_id"), (node["data"], "timeout_next_node_id")])


def _llm(place: Place, action: dict[str, Any]) -> None:
    output = variable_name("local_" + as_text(action.get("output_local")).lstrip("_"), "local_llm_output")
    data: dict[str, Any] = {"model": MODEL, "output_variable": output}
    data["system"] = place.text(as_text(action.get("instructions")))
    data["prompt"] = place.text(as_text(action.get("input"))) or "{{input.text}}"
    place.chain.add("ai_prompt", data, "ask_model")
    failed = place.flow.draft.chain(f"{place.key}:{as_text(action.get('uuid'))}:error")
    failed.set(output, "<ERROR>")
    data["error_next_node_id"] = Ref(f"{place.key}:{as_text(action.get('uuid'))}:error")
    place.chain.reopen([*place.chain.take_open(), *failed.take_open()])
    place.lose("model", "note", "The model is one of Amazon Bedrock. Choose the one that you have access to.")


def _classify(place: Place, action: dict[str, Any]) -> None:
    """A model names one of the intents that the flow knows, in place of the classifier."""
    intents = intents_of(place.flow.source.definition)
    name = as_text(action.get("result_name"))
    variable = result_variable(place, name)
    system = f"Name the intent of the text. Write only one of these names, or NONE: {', '.join(intents) or 'NONE'}"
    data: dict[str, Any] = {
        "model": MODEL,
        "system": system,
        "prompt": place.text(as_text(action.get("input"))) or "{{input.text}}",
    }
    data |= {"temperature": 0, "output_variable": variable}
    node = place.chain.add("ai_prompt", data, "classify")
    if place.flow.bundle.uses(key_of(name), "category"):
        ends = []
        for field, outcome in (("next_node_id", "Success"), ("error_next_node_id", "Failure")):
            place.chain.reopen([(node["data"], field)])
            place.chain.last = None
            place.chain.set(f"{variable}_category", outcome)
            ends += place.chain.take_open()
        place.chain.reopen(ends)
        place.chain.last = None
    see(action.get("classifier"))
    message = "A model names the intent in place of the classifier, without a confidence. Choose the model, and try it."
    place.flow.draft.lose("classifier", "loss", place.source, message, node["id"])


_ACTIONS: dict[str, Act] = {
    "send_msg": _say,
    "say_msg": _say,
    "send_interactive_msg": _say_interactive,
    "play_audio": _play,
    "set_contact_field": _set_field,
    "set_contact_name": _set_name,
    "set_contact_language": _set_language,
    "add_contact_groups": _tags("add_tag"),
    "remove_contact_groups": _tags("remove_tag"),
    "add_input_labels": _label,
    "set_run_result": _set_result,
    "set_run_local": _set_local,
    "enter_flow": _enter_flow,
    "call_webhook": _webhook,
    "call_resthook": _resthook,
    "open_ticket": _ticket,
    "send_email": _email,
    "start_session": _start_session,
    "send_broadcast": _broadcast,
    "wait_for_time": _wait_for_time,
    "wait_for_result": _wait_for_result,
    "call_llm": _llm,
    "call_classifier": _classify,
}
_MISSING = {
    "set_contact_channel": ("note", "A contact of WhatsApp has one channel, so there is nothing to choose."),
    "set_contact_timezone": ("loss", "PyTake keeps no time zone of a contact."),
    "set_contact_status": ("loss", "A flow of PyTake cannot block or archive a contact."),
    "set_contact_profile": ("blocker", "A contact of PyTake has one profile. Keep the profiles in your own system."),
    "add_contact_urn": (
        "loss",
        "A contact has one address in PyTake, its phone number. The other address is not kept.",
    ),
    "transfer_airtime": ("blocker", "PyTake cannot transfer airtime. Call the provider's API instead."),
    "link_google_sheet": (
        "blocker",
        "PyTake does not write to sheets. Call an API that does, or use the lake's reports.",
    ),
    "request_optin": ("loss", "PyTake keeps consent itself; see the page about privacy."),
}
