"""The low default limit is pointed out. For the limits themselves see tests/contracts/test_deliveries.py."""

from tests.stack import REPOSITORY


def test_who_deploys_and_who_tries_the_demo_is_told_of_the_limit() -> None:
    readme = (REPOSITORY / "README.md").read_text()
    assert "**The default rate is 5 messages a minute**" in readme
    assert "may send 600 messages a minute" in (REPOSITORY / "docs" / "local.md").read_text()
