"""The bodies of goflow's web requests."""

from typing import Any

from pytake.importers.goflow.place import Place

_DEFAULT_BODY = "foreach_value(results"


def request_body(place: Place, body: str) -> Any:
    """The body of a request. The default one of the platform becomes an object with the contact, the flow and the results."""
    if _DEFAULT_BODY not in body:
        return place.text(body)
    source = place.flow.source
    results = {key: {"value": "{{" + variable + "}}", "name": key} for key, variable in source.results.items()}
    place.lose(
        "request_body",
        "note",
        "The body has the contact, the flow and the results. Check that the receiver needs no more.",
    )
    return {
        "contact": {"uuid": "{{contact.id}}", "name": "{{contact.name}}", "urn": "tel:{{contact.phone}}"},
        "flow": {"uuid": source.key, "name": source.name},
        "results": results,
    }
