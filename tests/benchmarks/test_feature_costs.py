"""The turns whose costs are compared take place, and each is another one."""

from benchmarks.feature_costs import FEATURES, PLAIN, features_table, measure


def test_every_feature_has_a_row() -> None:
    found = measure(1, 2, lambda _: None)
    assert [title for title, _, _ in found] == [feature.title for feature in (PLAIN, *FEATURES)]
    assert all(time > 0 for _, time, _ in found)
    assert len(features_table(found).splitlines()) == len(found) + 2
