"""The REST API's import: documents and losses, and nothing saved."""

from tests.functions.conftest import Gateway

PATH = "/api/v1/flows/import"
EXPORT = {
    "name": "Hello",
    "nodes": [
        {"id": "a", "type": "message", "data": {"text": "Hi"}},
        {"id": "b", "type": "database_query", "data": {}},
    ],
    "edges": [{"source": "a", "target": "b"}],
}


def test_an_export_becomes_documents_and_losses_and_nothing_is_saved(gateway: Gateway) -> None:
    answer = gateway.api("POST", PATH, EXPORT, role="builder")
    assert answer.status == 200
    assert answer.body["format"] == "pytake"
    assert [document["id"] for document in answer.body["documents"]] == ["hello"]
    assert [(loss["code"], loss["severity"]) for loss in answer.body["losses"]] == [("database", "blocker")]
    assert gateway.api("GET", "/api/v1/flows").body == []


def test_a_document_of_the_answer_can_be_saved_and_published(gateway: Gateway) -> None:
    (document,) = gateway.api("POST", PATH, EXPORT).body["documents"]
    assert gateway.api("PUT", "/api/v1/flows/hello", document).body["problems"] == []
    assert gateway.api("POST", "/api/v1/flows/hello/publish").status == 200


def test_a_file_that_cannot_be_imported_is_a_problem_with_the_reason(gateway: Gateway) -> None:
    answer = gateway.api("POST", PATH, {"name": "x"})
    assert (answer.status, answer.body["code"]) == (422, "export_refused")
    assert "not known" in answer.body["detail"]
    named = gateway.api("POST", PATH, EXPORT, query={"source_format": "typebot"})
    assert (named.status, named.body["code"]) == (422, "export_refused")


def test_only_builders_import(gateway: Gateway) -> None:
    assert gateway.api("POST", PATH, EXPORT, role="analyst").status == 403
