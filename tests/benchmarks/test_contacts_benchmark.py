"""The pages of a large organization's contacts: what they find, and how many requests they cost."""

from benchmarks.contacts_benchmark import contacts_table, contacts_target, measure


def test_pages_find_what_is_there_with_few_requests() -> None:
    found = measure(lambda _: None, contacts=5_000, pages=3)
    assert {name: found[name]["found"] for name in ("list", "number", "name")} == {"list": 50, "number": 1, "name": 50}
    assert found["list"]["requests"] <= 10
    assert found["tag"]["requests"] <= 16, "eight parts of the list, and 500 contacts in five requests"
    assert len(contacts_table(found).splitlines()) == 6
    assert contacts_target(found)[1] == "≤ 300 ms"
