"""The flow definitions of RapidPro before spec 13: action sets and rule sets, brought into the form of spec 13."""

from typing import Any

from pytake.importers.goflow.legacy_expressions import migrate_template
from pytake.importers.reading import as_dict, as_float, as_list, as_text, dicts
from pytake.importers.report import Report

Translations = dict[str, str]
_TESTS = {
    "between": "has_number_between", "contains": "has_all_words", "contains_any": "has_any_word",
    "contains_only_phrase": "has_only_phrase", "contains_phrase": "has_phrase", "date": "has_date",
    "date_after": "has_date_gt", "date_before": "has_date_lt", "date_equal": "has_date_eq", "district": "has_district",
    "has_email": "has_email", "eq": "has_number_eq", "gt": "has_number_gt", "gte": "has_number_gte",
    "in_group": "has_group", "lt": "has_number_lt", "lte": "has_number_lte", "not_empty": "has_text",
    "number": "has_number", "phone": "has_phone", "regex": "has_pattern", "starts": "has_beginning", "state": "has_state",
    "ward": "has_ward", "airtime_status": "has_category",
}  # fmt: skip
_WAITS = {
    "wait_message": None, "wait_photo": "image", "wait_video": "video", "wait_audio": "audio", "wait_gps": "location",
    "wait_recording": "audio", "wait_digit": "digits", "wait_digits": "digits", "wait_menu": "digits", "wait_ussd": None,
    "wait_ussd_menu": None,
}  # fmt: skip
_ADDRESSES = frozenset(
    (
        "tel",
        "tel_e164",
        "mailto",
        "email",
        "whatsapp",
        "telegram",
        "twitter",
        "twitterid",
        "facebook",
        "ext",
        "viber",
        "line",
    )
)


def is_legacy(value: Any) -> bool:
    """Whether a definition has the form from before spec 13."""
    return isinstance(value, dict) and ("action_sets" in value or "rule_sets" in value)


def migrate_legacy(flow: dict[str, Any], report: Report) -> dict[str, Any]:
    """The definition in the form of spec 13."""
    return _Migration(flow, report).run()


class _Migration:
    def __init__(self, flow: dict[str, Any], report: Report) -> None:
        self._flow = flow
        self._meta = as_dict(flow.get("metadata"))
        self._base = as_text(flow.get("base_language")) or "base"
        self._localization: dict[str, dict[str, dict[str, list[str]]]] = {}
        self._number = 0
        self._report = report

    def run(self) -> dict[str, Any]:
        flow = self._flow
        sets = [(item, self._action_set(item)) for item in dicts(flow.get("action_sets"))]
        sets += [(item, self._rule_set(item)) for item in dicts(flow.get("rule_sets"))]
        sets.sort(key=lambda found: as_float(found[0].get("y")) or 0)
        entry = as_text(flow.get("entry"))
        nodes = [node for _, node in sets]
        nodes.sort(key=lambda node: node["uuid"] != entry)
        name = as_text(self._meta.get("name")) or as_text(flow.get("name"))
        kind = as_text(flow.get("flow_type")) or as_text(self._meta.get("flow_type"))
        definition = {
            "uuid": as_text(self._meta.get("uuid"))
            or as_text(flow.get("uuid"))
            or as_text(self._meta.get("id"))
            or str(flow.get("id") or ""),
            "name": name,
            "spec_version": "13.0.0",
            "language": self._base,
            "type": {"V": "voice", "S": "messaging_offline"}.get(kind, "messaging"),
            "localization": self._localization,
            "nodes": nodes,
        }
        if (expires := self._meta.get("expires") or flow.get("expires")) is not None:
            definition["expire_after_minutes"] = expires
        return definition

    def _id(self, kind: str) -> str:
        self._number += 1
        return f"{kind}-{self._number}"

    # Texts: one text in old files, else a text for each language.

    def _texts(self, value: Any) -> Translations:
        if isinstance(value, dict):
            return {language: as_text(text) for language, text in value.items() if as_text(text)}
        return {self._base: as_text(value)} if as_text(value) else {}

    def _own(self, texts: Translations) -> str:
        return texts.get(self._base) or texts.get("base") or next(iter(texts.values()), "")

    def _translate(self, texts: Translations, uuid: str, field: str) -> str:
        own = self._own(texts)
        for language, text in texts.items():
            if language not in (self._base, "base") and text != own:
                self._localization.setdefault(language, {}).setdefault(uuid, {})[field] = [migrate_template(text)]
        return migrate_template(own)

    def _action_set(self, item: dict[str, Any]) -> dict[str, Any]:
        actions = [made for action in dicts(item.get("actions")) if (made := self._action(action)) is not None]
        exit_uuid = self._id("exit")
        return {
            "uuid": as_text(item.get("uuid")),
            "actions": actions,
            "exits": [{"uuid": exit_uuid, "destination_uuid": item.get("destination")}],
        }

    def _action(self, action: dict[str, Any]) -> dict[str, Any] | None:
        kind = as_text(action.get("type"))
        uuid = as_text(action.get("uuid")) or self._id("action")
        method = _ACTIONS.get(kind)
        made = getattr(self, method)(action, uuid) if method else {"type": kind}
        return {"uuid": uuid, **made} if made is not None else None

    def _reply(self, action: dict[str, Any], uuid: str) -> dict[str, Any]:
        media = self._translate(self._texts(action.get("media")), uuid, "attachments")
        replies = [self._texts(reply) for reply in as_list(action.get("quick_replies"))]
        for language in {language for reply in replies for language in reply}:
            if language not in (self._base, "base"):
                texts = [migrate_template(reply.get(language) or self._own(reply)) for reply in replies]
                self._localization.setdefault(language, {}).setdefault(uuid, {})["quick_replies"] = texts
        return {
            "type": "send_msg",
            "all_urns": bool(action.get("send_all")),
            "text": self._translate(self._texts(action.get("msg")), uuid, "text"),
            "attachments": [media] if media else [],
            "quick_replies": [migrate_template(self._own(reply)) for reply in replies],
        }

    def _send(self, action: dict[str, Any], uuid: str) -> dict[str, Any]:
        return {
            "type": "send_broadcast",
            "text": self._translate(self._texts(action.get("msg")), uuid, "text"),
            **self._others(action),
        }

    def _others(self, action: dict[str, Any]) -> dict[str, Any]:
        variables = [as_text(one.get("id")) for one in dicts(action.get("variables"))]
        return {
            "groups": self._groups(action),
            "contacts": dicts(action.get("contacts")),
            "legacy_vars": [migrate_template(one) for one in variables if one and one != "@new_contact"],
        }

    def _groups(self, action: dict[str, Any]) -> list[dict[str, str]]:
        found = []
        for group in as_list(action.get("groups")):
            name = group if isinstance(group, str) else as_text(as_dict(group).get("name"))
            uuid = (
                ""
                if isinstance(group, str)
                else as_text(as_dict(group).get("uuid")) or str(as_dict(group).get("id") or "")
            )
            found.append(
                {"uuid": uuid, "name": migrate_template(name) if name.startswith("@") else name.replace("@", "@@")}
            )
        return found

    def _add_group(self, action: dict[str, Any], _: str) -> dict[str, Any]:
        return {"type": "add_contact_groups", "groups": self._groups(action)}

    def _del_group(self, action: dict[str, Any], _: str) -> dict[str, Any]:
        groups = self._groups(action)
        return {"type": "remove_contact_groups", "groups": groups, "all_groups": not groups}

    def _add_label(self, action: dict[str, Any], _: str) -> dict[str, Any]:
        names = [
            label if isinstance(label, str) else as_text(as_dict(label).get("name"))
            for label in as_list(action.get("labels"))
        ]
        return {"type": "add_input_labels", "labels": [{"name": migrate_template(name)} for name in names]}

    def _email(self, action: dict[str, Any], _: str) -> dict[str, Any]:
        emails = [as_text(one) for one in as_list(action.get("emails"))]
        return {
            "type": "send_email",
            "addresses": [migrate_template(one) for one in emails],
            "subject": migrate_template(as_text(action.get("subject"))),
            "body": migrate_template(self._own(self._texts(action.get("msg")))),
        }

    def _lang(self, action: dict[str, Any], _: str) -> dict[str, Any]:
        return {"type": "set_contact_language", "language": as_text(action.get("lang"))}

    def _channel(self, _: dict[str, Any], __: str) -> dict[str, Any]:
        return {"type": "set_contact_channel"}

    def _flow_reference(self, action: dict[str, Any]) -> dict[str, str]:
        flow = as_dict(action.get("flow"))
        name = as_text(flow.get("name")) or as_text(action.get("name"))
        return {"uuid": as_text(flow.get("uuid")) or str(flow.get("id") or action.get("id") or ""), "name": name}

    def _enter(self, action: dict[str, Any], _: str) -> dict[str, Any]:
        return {"type": "enter_flow", "flow": self._flow_reference(action), "terminal": True}

    def _trigger(self, action: dict[str, Any], _: str) -> dict[str, Any]:
        return {"type": "start_session", "flow": self._flow_reference(action), **self._others(action)}

    def _save(self, action: dict[str, Any], _: str) -> dict[str, Any]:
        field, value = as_text(action.get("field")).strip().lower(), migrate_template(as_text(action.get("value")))
        if field == "name":
            return {"type": "set_contact_name", "name": value}
        if field == "first_name":
            return {"type": "set_contact_name", "name": f"{value.strip()} @(word_slice(contact.name, 1, -1))"}
        if field in _ADDRESSES:
            return {"type": "add_contact_urn", "scheme": field, "path": value}
        label = as_text(action.get("label"))
        return {"type": "set_contact_field", "field": {"key": field or label, "name": label}, "value": value}

    def _api(self, action: dict[str, Any], _: str) -> dict[str, Any]:
        headers = {
            as_text(one.get("name")): migrate_template(as_text(one.get("value")))
            for one in dicts(action.get("webhook_headers"))
        }
        return self._call(as_text(action.get("webhook")), as_text(action.get("action")), headers)

    def _call(self, url: str, method: str, headers: dict[str, str], result: str = "") -> dict[str, Any]:
        method = method.upper() or "POST"
        body = '@(json(object("results", foreach_value(results))))' if method == "POST" else ""
        return {
            "type": "call_webhook", "method": method, "url": migrate_template(url, encoded=True), "headers": headers,
            "body": body, "result_name": result,
        }  # fmt: skip

    def _say(self, action: dict[str, Any], uuid: str) -> dict[str, Any]:
        return {"type": "say_msg", "text": self._translate(self._texts(action.get("msg")), uuid, "text")}

    def _play(self, action: dict[str, Any], _: str) -> dict[str, Any]:
        return {"type": "play_audio", "audio_url": migrate_template(as_text(action.get("url")))}

    def _rule_set(self, item: dict[str, Any]) -> dict[str, Any]:
        config = as_dict(item.get("config"))
        kind = self._kind(item)
        label = as_text(item.get("label"))
        rules = dicts(item.get("rules"))
        actions: list[dict[str, Any]] = []
        operand, wait = self._operand(item, kind), None
        if kind in _WAITS:
            wait = self._wait(kind, rules)
        elif kind == "subflow":
            flow = as_dict(config.get("flow"))
            actions = [
                {"type": "enter_flow", "flow": {"uuid": as_text(flow.get("uuid")), "name": as_text(flow.get("name"))}}
            ]
            operand = "@child.status"
        elif kind in ("webhook", "resthook"):
            actions, operand = [self._web_call(item, config, kind, label)], "@webhook.status"
        elif kind == "airtime":
            actions = [{"type": "transfer_airtime"}]
        elif kind == "form_field":
            mark, index = as_text(config.get("field_delimiter")) or " ", int(as_float(config.get("field_index")) or 0)
            operand = f'@(field({operand.removeprefix("@")}, {index}, "{mark}"))'
        router = self._router(rules, label, operand, kind)
        timeout = router.pop("timeout_category", None)
        if wait is not None:
            router["wait"] = wait
            if "timeout" in wait:
                wait["timeout"] = {"seconds": wait["timeout"]["seconds"], "category_uuid": timeout}
        if kind == "random":
            router["type"] = "random"
        exits = router.pop("exits")
        return {
            "uuid": as_text(item.get("uuid")),
            "actions": [{"uuid": self._id("action"), **action} for action in actions],
            "router": router,
            "exits": exits,
        }

    def _kind(self, item: dict[str, Any]) -> str:
        kind = as_text(item.get("ruleset_type"))
        if kind:
            return kind
        operand = as_text(item.get("operand")).strip().lower()
        if as_text(item.get("webhook")):
            return "webhook"
        if operand in ("", "@step.value", "@step"):
            types = {as_text(as_dict(rule.get("test")).get("type")) for rule in dicts(item.get("rules"))}
            return "wait_message" if "subflow" not in types else "subflow"
        return "expression"

    def _operand(self, item: dict[str, Any], kind: str) -> str:
        if kind == "group":
            return "@contact.groups"
        return migrate_template(as_text(item.get("operand")).strip()) or "@input.text"

    def _wait(self, kind: str, rules: list[dict[str, Any]]) -> dict[str, Any]:
        wait: dict[str, Any] = {"type": "msg"}
        if _WAITS[kind]:
            wait["hint"] = {"type": _WAITS[kind]}
        for rule in rules:
            test = as_dict(rule.get("test"))
            if test.get("type") == "timeout":
                wait["timeout"] = {"seconds": 60 * (as_float(test.get("minutes")) or 5)}
        return wait

    def _web_call(self, item: dict[str, Any], config: dict[str, Any], kind: str, label: str) -> dict[str, Any]:
        if kind == "resthook":
            return {"type": "call_resthook", "resthook": as_text(config.get("resthook")), "result_name": label}
        headers = {
            as_text(one.get("name")): migrate_template(as_text(one.get("value")))
            for one in dicts(config.get("webhook_headers"))
        }
        url = as_text(config.get("webhook")) or as_text(item.get("webhook"))
        method = as_text(config.get("webhook_action")) or as_text(item.get("webhook_action"))
        return self._call(url, method, headers, label)

    def _router(self, rules: list[dict[str, Any]], label: str, operand: str, kind: str) -> dict[str, Any]:
        cases, categories, exits = [], [], []
        default = ""
        for rule in rules:
            test = as_dict(rule.get("test"))
            category, exit_uuid = self._id("category"), self._id("exit")
            name = self._own(self._texts(rule.get("category"))) or _category_name(test)
            exits.append({"uuid": exit_uuid, "destination_uuid": rule.get("destination")})
            categories.append({"uuid": category, "name": name, "exit_uuid": exit_uuid})
            rule["_category"] = category
            if test.get("type") == "true" or (test.get("type") == "webhook_status" and test.get("status") != "success"):
                default = category
            elif test.get("type") != "timeout":
                cases.append({"uuid": (uuid := self._id("case")), "category_uuid": category, **self._test(test, uuid)})
        timeout = next(
            (rule["_category"] for rule in rules if as_dict(rule.get("test")).get("type") == "timeout"), None
        )
        if not default:
            default = self._id("category")
            exit_uuid = self._id("exit")
            exits.append({"uuid": exit_uuid, "destination_uuid": None})
            categories.append({"uuid": default, "name": "Other", "exit_uuid": exit_uuid})
        router: dict[str, Any] = {
            "type": "switch", "operand": operand, "cases": cases, "categories": categories,
            "default_category_uuid": default, "exits": exits,
            "result_name": label if kind not in ("webhook", "resthook") else "",
        }  # fmt: skip
        if timeout is not None:
            router["timeout_category"] = timeout
        return router

    def _test(self, test: dict[str, Any], uuid: str) -> dict[str, Any]:
        kind = as_text(test.get("type"))
        value = test.get("test")
        if kind == "subflow":
            return {"type": "has_only_text", "arguments": [as_text(test.get("exit_type"))]}
        if kind == "webhook_status":
            return {"type": "has_only_text", "arguments": ["Success"]}
        if kind == "airtime_status":
            return {
                "type": "has_category",
                "arguments": ["Success" if test.get("exit_status") == "success" else "Failure"],
            }
        if kind == "between":
            bounds = [migrate_template(as_text(test.get(name))) for name in ("min", "max")]
            return {"type": "has_number_between", "arguments": bounds}
        if kind == "in_group":
            group = {"uuid": "", "name": value} if isinstance(value, str) else as_dict(value)
            return {"type": "has_group", "arguments": [as_text(group.get("uuid")), as_text(group.get("name"))]}
        if kind in ("date", "has_email", "not_empty", "number", "phone", "state"):
            return {"type": _TESTS[kind], "arguments": []}
        if kind in ("true", "false", "and", "or"):
            return {"type": f"legacy_{kind}", "arguments": []}
        texts = self._texts(value)
        if kind == "regex":
            return {"type": "has_pattern", "arguments": [self._own(texts)]}
        return {"type": _TESTS.get(kind, f"legacy_{kind}"), "arguments": [self._translate(texts, uuid, "arguments")]}


def _category_name(test: dict[str, Any]) -> str:
    if test.get("type") == "between":
        return f"{as_text(test.get('min'))}-{as_text(test.get('max'))}"
    return "All Responses" if test.get("type") == "true" else as_text(test.get("type")) or "Other"


_ACTIONS = {
    "reply": "_reply", "send": "_send", "add_group": "_add_group", "del_group": "_del_group", "add_label": "_add_label",
    "email": "_email", "lang": "_lang", "channel": "_channel", "flow": "_enter", "trigger-flow": "_trigger",
    "save": "_save", "api": "_api", "say": "_say", "play": "_play",
}  # fmt: skip
