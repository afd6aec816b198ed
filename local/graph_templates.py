"""Message templates at the simulated Graph API: create, edit, list, delete and unpause them, and send with them.

`PUT /_sim/templates/{name}/{language}` plays what Meta decides: a pause, a rejection, another category or quality. Each
change is posted to the webhook, signed for every app that the account's numbers have. An account without templates takes
every name, so that a flow can be tried without creating its templates.
Source: WhatsApp Business Management API, "Message templates" (November 2026).
"""

from collections.abc import Awaitable, Callable, Iterator
from typing import Any, Literal

import msgspec
from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from local.graph_errors import GraphApiError
from local.graph_network import Network
from local.graph_rules import recipient_of
from local.graph_sim_requests import SimulatorRequestError, errors_as_json, json_response, read_body
from local.graph_webhooks import ACCOUNT_ID, account_notification
from pytake.whatsapp.template_rules import definition_problems
from pytake.whatsapp.templates import language_code, mismatches, parts_of, read_template

Json = dict[str, Any]

_MOST = 250
_EDITABLE = ("APPROVED", "REJECTED", "PAUSED")
_SENDABLE = ("APPROVED", "FLAGGED", "REINSTATED", "UNARCHIVED")
_STOPPED = {"PAUSED": 132015, "DISABLED": 132016}
_MISMATCH = {"count": 132000, "format": 132012}
_FILTERS = ("name", "status", "category", "language")


class TemplateDecision(Struct, forbid_unknown_fields=True, omit_defaults=True):
    """The body of `PUT /_sim/templates/{name}/{language}`: what Meta decides. `title` and `reason` explain the status.
    `held`: whether messages are held for a quality assessment, which they then pass."""

    status: Literal["APPROVED", "PENDING", "REJECTED", "PAUSED", "DISABLED", "FLAGGED", "IN_APPEAL"] | None = None
    title: str | None = None
    reason: str | None = None
    quality: Literal["GREEN", "YELLOW", "RED", "UNKNOWN"] | None = None
    category: Literal["MARKETING", "UTILITY", "AUTHENTICATION"] | None = None
    announced_category: Literal["MARKETING", "UTILITY", "AUTHENTICATION"] | None = None
    held: bool | None = None
    waba_id: str = ACCOUNT_ID


class TemplateApi:
    """The templates of all simulated accounts."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self._templates: dict[tuple[str, str, str], Json] = {}

    def routes(self) -> list[BaseRoute]:
        """The routes with full paths, except the description (`describe`)."""
        of_account = "/_graph/{version}/{waba_id}/message_templates"
        return [
            Route(of_account, self._answered(self._list), methods=["GET"]),
            Route(of_account, self._answered(self._create), methods=["POST"]),
            Route(of_account, self._answered(self._delete), methods=["DELETE"]),
            Route("/_graph/{version}/{template_id}/unpause", self._answered(self._unpause), methods=["POST"]),
            Route("/_graph/{version}/{template_id}", self._answered(self._edit), methods=["POST"]),
            Route("/_sim/templates", errors_as_json(self._list_all), methods=["GET"]),
            Route("/_sim/templates/{name}/{language}", errors_as_json(self._decide), methods=["PUT"]),
        ]

    def saved(self) -> list[Json]:
        """All templates, for the next run."""
        return [{"waba_id": place[0], **template} for place, template in self._templates.items()]

    def restore(self, saved: list[Json]) -> None:
        """Restore the templates of the last run."""
        for template in saved:
            waba_id = template.pop("waba_id")
            self._templates[waba_id, template["name"], template["language"]] = template

    def describe(self, request: Request, template_id: str) -> Json | None:
        """Meta's answer to `GET /{template_id}`, if there is such a template. Raises `GraphApiError` for a foreign token."""
        found = self._by_id(template_id)
        if found is None:
            return None
        self._authorize(request, found[0])
        return _fields(request, self._templates[found])

    def check_send(self, phone_number_id: str, payload: Json) -> bool:
        """Check a template message against the account's templates; whether Meta holds it for a quality assessment.

        Raises `GraphApiError` as Meta does for an unknown, stopped or differently made template.
        """
        waba_id = self._network.numbers[phone_number_id].waba_id
        if payload.get("type") != "template" or not any(place[0] == waba_id for place in self._templates):
            return False
        sent = payload["template"]
        name, language = sent["name"], language_code(sent["language"]["code"])
        raw = self._templates.get((waba_id, name, language))
        if raw is None or raw["status"] not in (*_SENDABLE, *_STOPPED):
            raise GraphApiError(132001, f"template name ({name}) does not exist in {language}", http_status=404)
        if raw["status"] in _STOPPED:
            raise GraphApiError(_STOPPED[raw["status"]], f"template ({name}) is {raw['status'].lower()}")
        if raw["category"] == "MARKETING" and self._network.phones.phone_of(recipient_of(payload)).marketing_stopped:
            raise GraphApiError(131050, "The person chose in WhatsApp to get no marketing messages from this business")
        template = read_template(raw)
        for found in mismatches(template, sent.get("components") or []) if template is not None else ():
            raise GraphApiError(_MISMATCH[found.kind], f"template.components.{found.field}: {found.message}")
        return bool(raw.get("held"))

    def category_of(self, phone_number_id: str, payload: Json) -> str:
        """The category that a message is priced in: its template's (`utility` if the account has none), or `service`."""
        if payload.get("type") != "template":
            return "service"
        sent = payload["template"]
        place = (
            self._network.numbers[phone_number_id].waba_id,
            sent["name"],
            language_code(sent["language"]["code"]),
        )
        raw = self._templates.get(place)
        return str(raw["category"]).lower() if raw is not None else "utility"

    # Requests to the Graph API.

    async def _list(self, request: Request) -> Response:
        waba_id = self._authorize(request, request.path_params["waba_id"])
        query = request.query_params
        wanted = {key: set(query[key].upper().split(",")) for key in _FILTERS if key in query}
        found = [
            template
            for place, template in sorted(self._templates.items())
            if place[0] == waba_id and all(str(template[key]).upper() in values for key, values in wanted.items())
        ]
        start, limit = int(query.get("after", "0")), int(query.get("limit", "25"))
        page, end = found[start : start + limit], start + limit
        answer: Json = {"data": [_fields(request, template) for template in page]}
        if page:
            answer["paging"] = {"cursors": {"before": str(start), "after": str(end)}}
        if end < len(found):
            answer["paging"]["next"] = str(request.url.include_query_params(after=str(end)))
        if "summary" in query:
            counts = {"total_count": len(found), "message_template_count": len(found)}
            answer["summary"] = counts | {"message_template_limit": _MOST, "are_translations_complete": True}
        return json_response(answer)

    async def _create(self, request: Request) -> Response:
        waba_id = self._authorize(request, request.path_params["waba_id"])
        definition = await _body(request)
        definition["parameter_format"] = str(definition.get("parameter_format", "POSITIONAL")).upper()
        definition["category"] = str(definition.get("category", "")).upper()
        _check_definition(definition)
        place = (waba_id, definition["name"], definition["language"])
        if place in self._templates:
            raise _refused(2388024, "There is already content in this language for this template")
        if sum(known[0] == waba_id for known in self._templates) >= _MOST:
            raise _refused(2388019, f"The account has the most templates, {_MOST}")
        template = {"id": str(int(self._network.new_id(), 16) % 10**16), **definition, "status": "PENDING"}
        self._templates[place] = template
        answer = json_response({name: template[name] for name in ("id", "status", "category")})
        self._approve(place)
        return answer

    async def _edit(self, request: Request) -> Response:
        place = self._own(request)
        template, change = self._templates[place], await _body(request)
        if template["status"] not in _EDITABLE:
            raise _refused(2388001, f"A template can be edited when it is {', '.join(_EDITABLE)}")
        if template["status"] == "APPROVED" and change.get("category", template["category"]) != template["category"]:
            raise _refused(2388001, "The category of an approved template cannot be changed")
        known = ("category", "components", "message_send_ttl_seconds", "parameter_format")
        edited = template | {name: change[name] for name in known if change.get(name) is not None}
        _check_definition(edited)
        self._templates[place] = edited
        if "components" in change:
            self._post(place, "message_template_components_update", _texts_of(edited))
        self._approve(place)
        answer = {"success": True, **{name: edited[name] for name in ("id", "name", "category")}}
        return json_response(answer)

    async def _unpause(self, request: Request) -> Response:
        place = self._own(request)
        if self._templates[place]["status"] != "PAUSED":
            return json_response({"success": False, "reason": "The template is not paused"})
        self._approve(place, {"other_info": {"title": "UNPAUSE", "description": "The template can be sent again"}})
        return json_response({"success": True})

    async def _delete(self, request: Request) -> Response:
        waba_id = self._authorize(request, request.path_params["waba_id"])
        name, template_id = request.query_params.get("name"), request.query_params.get("hsm_id")
        found = [
            place
            for place, template in self._templates.items()
            if place[:2] == (waba_id, name) and template_id in (None, template["id"])
        ]
        if not found:
            raise _refused(2593002, f"There is no template {name!r}")
        for place in found:
            if self._templates[place]["status"] == "DISABLED":
                raise _refused(2388001, "A disabled template cannot be deleted")
            self._post(place, "message_template_status_update", {"event": "DELETED", "reason": None})
            del self._templates[place]
        return json_response({"success": True})

    # Requests to /_sim.

    async def _list_all(self, _request: Request) -> Response:
        return json_response({"templates": self.saved()})

    async def _decide(self, request: Request) -> Response:
        decision = await read_body(request, TemplateDecision)
        place = (decision.waba_id, request.path_params["name"], language_code(request.path_params["language"]))
        if place not in self._templates:
            raise SimulatorRequestError(404, "template_unknown", "The account has no such template")
        template = self._templates[place]
        if decision.quality is not None:
            before = template.get("quality_score", {}).get("score", "UNKNOWN")
            template["quality_score"] = {"score": decision.quality}
            scores = {"previous_quality_score": before, "new_quality_score": decision.quality}
            self._post(place, "message_template_quality_update", scores)
        if decision.announced_category is not None:
            value = {"correct_category": decision.announced_category, "new_category": template["category"]}
            self._post(place, "template_category_update", value)
        if decision.category is not None:
            value = {"previous_category": template["category"], "new_category": decision.category}
            template["category"] = decision.category
            self._post(place, "template_category_update", value)
        if decision.held is not None:
            template["held"] = decision.held
        if decision.status is not None:
            template["status"], template["rejected_reason"] = decision.status, decision.reason or "NONE"
            value = {"event": decision.status, "reason": decision.reason}
            if decision.title is not None:
                value["other_info"] = {"title": decision.title, "description": "Decided at /_sim/templates"}
            self._post(place, "message_template_status_update", value)
        return json_response(template)

    def _approve(self, place: tuple[str, str, str], more: Json | None = None) -> None:
        """Approve a template: Meta examines new ones for minutes, the simulator at once."""
        self._templates[place]["status"] = "APPROVED"
        self._post(place, "message_template_status_update", {"event": "APPROVED", "reason": "NONE", **(more or {})})

    def _post(self, place: tuple[str, str, str], field: str, value: Json) -> None:
        """Post a change of a template, once for each app secret of the account's numbers."""
        waba_id, name, language = place
        template = self._templates[place]
        named = {
            "message_template_id": int(template["id"]),
            "message_template_name": name,
            "message_template_language": language,
        }
        if field == "message_template_status_update":
            named["message_template_category"] = template["category"]
        document = account_notification(waba_id, field, named | value, self._network.clock())
        for app_secret in sorted(self._app_secrets(waba_id)):
            self._network.webhooks.post(app_secret, document)

    def _app_secrets(self, waba_id: str) -> set[str]:
        return {number.app_secret for number in self._network.numbers.values() if number.waba_id == waba_id}

    def _authorize(self, request: Request, waba_id: str) -> str:
        """The account of a request. Raises `GraphApiError` unless the token is that of one of its numbers."""
        header = request.headers.get("authorization", "")
        if not header.startswith("Bearer "):
            raise GraphApiError(190, "An access token is required", http_status=401)
        of_account = [number for number in self._network.numbers.values() if number.waba_id == waba_id]
        if not any(number.access_token == header.removeprefix("Bearer ") for number in of_account):
            details = f"Unsupported request. Object with ID '{waba_id}' does not exist"
            raise GraphApiError(100, details, more={"error_subcode": 33})
        return waba_id

    def _own(self, request: Request) -> tuple[str, str, str]:
        template_id = request.path_params["template_id"]
        place = self._by_id(template_id)
        if place is None:
            details = f"Unsupported request. Object with ID '{template_id}' does not exist"
            raise GraphApiError(100, details, more={"error_subcode": 33})
        self._authorize(request, place[0])
        return place

    def _by_id(self, template_id: str) -> tuple[str, str, str] | None:
        return next((place for place, one in self._templates.items() if one["id"] == template_id), None)

    def _answered(self, endpoint: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            try:
                return await endpoint(request)
            except GraphApiError as error:
                return json_response(error.body(self._network.new_id()), error.http_status)

        return answer


def _check_definition(definition: Json) -> None:
    for field, message in definition_problems(definition):
        raise _refused(2388043, f"{field}: {message}")


def _refused(subcode: int, message: str) -> GraphApiError:
    return GraphApiError(100, message, more={"error_subcode": subcode, "error_user_msg": message})


def _fields(request: Request, template: Json) -> Json:
    """The fields that a request asks for; Meta leaves out those without a value."""
    asked = request.query_params.get("fields")
    names = asked.split(",") if asked else ["name", "status", "category", "language", "components", "parameter_format"]
    return {name: template[name] for name in (*names, "id") if name in template}


def _texts_of(template: Json) -> Json:
    """The value of a `message_template_components_update`."""
    parts = parts_of(template["components"])
    value: Json = {"message_template_element": parts["BODY"].get("text", "")}
    for part, name in (("HEADER", "title"), ("FOOTER", "footer")):
        if "text" in parts.get(part, {}):
            value[f"message_template_{name}"] = parts[part]["text"]
    if "BUTTONS" in parts:
        value["message_template_buttons"] = list(_buttons_of(parts["BUTTONS"]))
    return value


def _buttons_of(part: Json) -> Iterator[Json]:
    for button in part.get("buttons") or ():
        named = {name: button[name] for name in ("type", "text", "url", "phone_number") if name in button}
        yield {f"message_template_button_{name}": value for name, value in named.items()}


async def _body(request: Request) -> Json:
    try:
        return msgspec.json.decode(await request.body(), type=Json)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise GraphApiError(100, "The body must be a JSON object") from None
