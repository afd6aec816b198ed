"""What the simulated Graph API says about an object: a number, its business profile, a file or a template."""

from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from local.graph_errors import GraphApiError
from local.graph_network import Network, NumberCredentials
from local.graph_sim_requests import json_response

Json = dict[str, Any]


class GraphReads:
    """The GET requests to the Graph API that name one object.

    `authorized` returns for a phone number id and the header `Authorization` or raises `GraphApiError`. `describe` of
    `others` describes files and templates.
    """

    def __init__(
        self,
        network: Network,
        authorized: Callable[[str, str | None], NumberCredentials],
        others: tuple[Callable[[Request, str], Json | None], ...],
    ) -> None:
        self._network = network
        self._authorized = authorized
        self._others = others

    def routes(self) -> list[BaseRoute]:
        path = "/_graph/{version}/{object_id}"
        return [
            Route(path, self._describe, methods=["GET"]),
            Route(f"{path}/whatsapp_business_profile", self._business_profile, methods=["GET"]),
        ]

    async def _describe(self, request: Request) -> Response:
        id_ = request.path_params["object_id"]
        try:
            for describe in self._others:
                found = describe(request, id_)
                if found is not None:
                    return json_response(found)
            number = self._authorized(id_, request.headers.get("authorization"))
        except GraphApiError as error:
            return json_response(error.body(self._network.new_id()), error.http_status)
        profile = number.profile(id_, self._network.webhooks.url)
        return json_response(_chosen(profile, request, "display_phone_number,verified_name", "id"))

    async def _business_profile(self, request: Request) -> Response:
        try:
            number = self._authorized(request.path_params["object_id"], request.headers.get("authorization"))
        except GraphApiError as error:
            return json_response(error.body(self._network.new_id()), error.http_status)
        return json_response({"data": [_chosen(number.business_profile(), request, "", "messaging_product")]})


def _chosen(about: Json, request: Request, default: str, always: str) -> Json:
    fields = {*request.query_params.get("fields", default).split(","), always}
    return {name: value for name, value in about.items() if name in fields}
