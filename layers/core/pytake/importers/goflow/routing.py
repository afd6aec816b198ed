"""Routers of goflow: cases and categories as conditions, results as variables."""

import re
from typing import Any

from pytake.importers.draft import Ref
from pytake.importers.goflow.bundle import key_of
from pytake.importers.goflow.place import Place
from pytake.importers.goflow.tests import Tested, translate_test
from pytake.importers.languages import pytake_language
from pytake.importers.names import slug
from pytake.importers.reading import as_list, as_text, dicts

_ANSWERS = re.compile(
    r"@\(?\s*(?:default\(\s*)?input(?:\.text|\.value)?\s*(?:,\s*\"\"\s*\))?\s*\)?|@\(format_input\(input\)\)"
)
_CHILD_STATUS = re.compile(r"@\(?\s*child\.(?:run\.)?status\s*\)?")
_FOUND = (
    "has_number",
    "has_phone",
    "has_email",
    "has_date",
    "has_any_word",
    "has_all_words",
    "has_phrase",
    "has_beginning",
)
_CATEGORY = re.compile(r"@\(?\s*results\.(\w+)\.category\s*\)?")
_RESULT = re.compile(r"@\(?\s*(?:results\.(\w+)|webhook\.status)(?:\.value)?\s*\)?")
_SUCCESSES = frozenset({"success", "200"})


def result_variable(place: Place, name: str) -> str:
    """The variable of a result."""
    found = place.flow.source.results.get(key_of(name))
    return found or slug(name, "result")


def answer_variable(place: Place, router: dict[str, Any]) -> str:
    """The variable of the answer to a wait: the result itself, unless the router keeps only a part of the answer."""
    name = as_text(router.get("result_name"))
    if not name.strip():
        return "answer"
    variable = result_variable(place, name)
    return f"{variable}_input" if _keeps_a_part(router) or place.flow.bundle.uses(key_of(name), "input") else variable


def _keeps_a_part(router: dict[str, Any]) -> bool:
    return any(as_text(case.get("type")).startswith(_FOUND) for case in dicts(router.get("cases")))


def route(place: Place, router: dict[str, Any]) -> None:
    """Add the nodes of a router."""
    if as_text(router.get("type")) == "random":
        _route_at_random(place, router)
        return
    operand = as_text(router.get("operand")).strip()
    if router.get("wait") and (not operand or _ANSWERS.fullmatch(operand)):
        _switch(place, router, answer_variable(place, router), is_answer=True)
        return
    webhook = _webhook_before(place, operand)
    if webhook is not None:
        _route_webhook(place, router, webhook)
    elif _CHILD_STATUS.fullmatch(operand) and _enters_flow(place):
        _route_sub_flow(place, router)
    elif (has_group := _only_groups(router)) or not operand or _ANSWERS.fullmatch(operand):
        _switch(place, router, "contact.tags" if has_group else "input.text", is_answer=not has_group)
    else:
        is_category = bool(_CATEGORY.fullmatch(operand))
        variable = place.operand(operand)
        if variable is None:
            place.chain.go(category_target(place, router, as_text(router.get("default_category_uuid")), None))
        else:
            _switch(place, router, variable, is_answer=not is_category and "child." not in operand)


def _only_groups(router: dict[str, Any]) -> bool:
    kinds = [as_text(case.get("type")) for case in dicts(router.get("cases"))]
    return bool(kinds) and all(kind == "has_group" for kind in kinds)


def _switch(place: Place, router: dict[str, Any], operand: str, *, is_answer: bool) -> None:
    name = as_text(router.get("result_name"))
    kept = result_variable(place, name) if name.strip() else ""
    branches: list[dict[str, Any]] = []
    for case in dicts(router.get("cases")):
        kind = as_text(case.get("type"))
        if kind == "has_wait_timed_out":
            continue
        for language, arguments in _arguments(place, case):
            if operand == "child_status":
                arguments = ["timeout" if argument == "expired" else argument for argument in arguments]
            tested_value = operand
            if kind == "has_category" and not operand.endswith("_category"):
                tested_value = f"{operand}_category"
            tested = translate_test(kind, tested_value, arguments, kept or "found_value", exact=is_answer)
            if not _usable(place, kind, tested):
                continue
            comparisons = tested.all
            if language is not None:
                comparisons = [{"variable": "contact.language", "operator": "==", "value": language}, *comparisons]
            if tested.partial and kept and place.flow.bundle.reads(key_of(name)):
                place.lose(
                    "match", "loss", f"`{kind}`: the result is the whole answer, not the part of it that matched."
                )
            value = None if tested.keeps or not kept else tested.value or _own_value(operand, kept)
            target = category_target(place, router, as_text(case.get("category_uuid")), value)
            branches.append({"all": comparisons, "next_node_id": target if target is not None else Ref("")})
    default = category_target(
        place, router, as_text(router.get("default_category_uuid")), _own_value(operand, kept) if kept else None
    )
    if not branches:
        place.chain.go(default)
        return
    data = {"branches": branches, "default_next_node_id": default if default is not None else Ref("")}
    place.chain.add("condition", data, f"check_{name or 'answer'}", follows=False)


def _own_value(operand: str, kept: str) -> str | None:
    return None if operand == kept else "{{" + operand + "}}"


def _usable(place: Place, kind: str, tested: Tested) -> bool:
    if tested.missing:
        place.lose("test", "blocker", f"PyTake has no condition for {tested.missing}. The case is left out.")
        return False
    if tested.near:
        place.lose("test", "loss", f"`{kind}`: {tested.near}")
    return bool(tested.all)


def _arguments(place: Place, case: dict[str, Any]) -> list[tuple[str | None, list[Any]]]:
    """The arguments of a case: the flow's own, and those of other languages with the language."""
    kind, own = as_text(case.get("type")), as_list(case.get("arguments"))
    if kind == "has_group":
        names = [place.flow.bundle.groups.get(as_text(own[0]), "") if own else "", *map(as_text, own[1:2])]
        name = next((name for name in reversed(names) if name), as_text(own[0]) if own else "")
        return [(None, [place.text(name)])]
    found: list[tuple[str | None, list[Any]]] = []
    translations = place.translations(as_text(case.get("uuid")), "arguments")
    for language, texts in translations.items():
        if texts != [as_text(text) for text in own]:
            found.append((pytake_language(language, language), [_argument(place, kind, text) for text in texts]))
    return [(None, [_argument(place, kind, as_text(text)) for text in own]), *found]


def _argument(place: Place, kind: str, text: str) -> str:
    return text if kind == "has_pattern" and "@" not in text.replace("@@", "") else place.text(text)


def category_target(place: Place, router: dict[str, Any], category_uuid: str, value: str | None) -> Ref | None:
    """Where a category leads: the nodes that store the result, then the exit's destination. `value`: what to store."""
    category = next(
        (found for found in dicts(router.get("categories")) if as_text(found.get("uuid")) == category_uuid), {}
    )
    exit_uuid = as_text(category.get("exit_uuid"))
    target = place.exit_target(exit_uuid)
    name = as_text(router.get("result_name"))
    if not name.strip():
        return target
    bundle, key, variable = place.flow.bundle, key_of(name), result_variable(place, name)
    sets: list[tuple[str, Any]] = [(variable, value)] if value is not None else []
    if bundle.uses(key, "category"):
        sets.append((f"{variable}_category", as_text(category.get("name"))))
    if not sets:
        return target
    ref = Ref(f"{place.key}:category:{category_uuid}:{value}")
    draft = place.flow.draft
    if not draft.has(ref):
        chain = draft.chain(ref)
        for variable_, stored in sets:
            chain.set(variable_, stored)
        chain.go(target)
    return ref


def _route_at_random(place: Place, router: dict[str, Any]) -> None:
    categories = dicts(router.get("categories"))
    paths = []
    for number, category in enumerate(categories, 1):
        target = category_target(place, router, as_text(category.get("uuid")), str(number))
        name = slug(as_text(category.get("name")), f"path_{number}")
        paths.append({"id": f"{name}_{number}", "next_node_id": target if target is not None else Ref("")})
    if len(paths) > 20:
        place.lose("too_many_paths", "loss", "PyTake draws one of at most 20 paths. The others are left out.")
    if paths:
        place.chain.add("random", {"paths": paths[:20], "sticky": False}, "split", follows=False)
    else:
        place.chain.go(None)


def _enters_flow(place: Place) -> bool:
    return any(action.get("type") == "enter_flow" for action in dicts(place.node.get("actions")))


def _route_sub_flow(place: Place, router: dict[str, Any]) -> None:
    """The jump of this node leads to `Completed` when its flow ends, and elsewhere when it expires."""
    done, expired = _by_argument(router, "completed"), _by_argument(router, "expired")
    default = as_text(router.get("default_category_uuid"))
    jump = place.chain.last
    target = category_target(place, router, expired or default, "expired")
    if jump is not None and jump["type"] == "jump" and target is not None and expired != done:
        child = next(
            (
                place.flow.bundle.find(action.get("flow"))
                for action in dicts(place.node.get("actions"))
                if action.get("type") == "enter_flow"
            ),
            None,
        )
        minutes = child.definition.get("expire_after_minutes") if child is not None else None
        seconds = int(minutes) * 60 if isinstance(minutes, int | float) and 0 < minutes <= 43_200 else 7 * 24 * 3600
        jump["data"]["timeout_seconds"] = seconds
        jump["data"]["timeout_next_node_id"] = target
    place.chain.go(category_target(place, router, done or default, "completed"))


def _by_argument(router: dict[str, Any], argument: str) -> str:
    for case in dicts(router.get("cases")):
        if [as_text(one).lower() for one in as_list(case.get("arguments"))] == [argument]:
            return as_text(case.get("category_uuid"))
    return ""


def _webhook_before(place: Place, operand: str) -> dict[str, Any] | None:
    """The call in this node whose outcome the router tests."""
    actions = dicts(place.node.get("actions"))
    call = actions[-1] if actions else {}
    if call.get("type") not in ("call_webhook", "call_resthook") or place.chain.last is None:
        return None
    if place.chain.last["type"] != "api_call":
        return None
    found = _CATEGORY.fullmatch(operand) or _RESULT.fullmatch(operand)
    if found is None or (found[1] or "") not in ("", key_of(as_text(call.get("result_name")) or "webhook")):
        return None
    return call


def _route_webhook(place: Place, router: dict[str, Any], call: dict[str, Any]) -> None:
    """The success and the failure of a call lead directly to their categories."""
    default = as_text(router.get("default_category_uuid"))
    success = failure = ""
    for case in dicts(router.get("cases")):
        words = {as_text(one).strip().lower() for one in as_list(case.get("arguments"))}
        if words & _SUCCESSES and not success:
            success = as_text(case.get("category_uuid"))
        elif not words & _SUCCESSES and not failure:
            failure = as_text(case.get("category_uuid"))
    failed = _outcome(place, router, call, failure or default, "Failure")
    if place.chain.last is not None:
        place.chain.last["data"]["error_next_node_id"] = failed
    place.chain.go(_outcome(place, router, call, success or default, "Success"))


def _outcome(place: Place, router: dict[str, Any], call: dict[str, Any], category: str, outcome: str) -> Ref:
    ref = Ref(f"{place.key}:webhook:{outcome}")
    chain = place.flow.draft.chain(ref)
    store_webhook_result(place.at(chain), call, outcome)
    chain.go(category_target(place, router, category, outcome if router.get("result_name") else None))
    return ref


def store_webhook_result(place: Place, call: dict[str, Any], outcome: str) -> None:
    """Store what goflow keeps of a call: its status, `Success` or `Failure`, and the response."""
    name = as_text(call.get("result_name"))
    if not name.strip():
        return
    key, variable, bundle = key_of(name), result_variable(place, name), place.flow.bundle
    place.chain.set(variable, "{{" + place.flow.context.webhook + "_status}}")
    if bundle.uses(key, "category"):
        place.chain.set(f"{variable}_category", outcome)
    if bundle.uses(key, "extra"):
        place.chain.set(f"{variable}_extra", "{{" + place.flow.context.webhook + "}}")
