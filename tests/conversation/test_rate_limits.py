"""The warning about a limit that is too low. For the limits themselves see tests/contracts/test_deliveries.py."""

from pytake.conversation.rate_limits import LOW_LIMIT, low_limit_warning
from tests.stack import REPOSITORY


def test_the_default_limit_warns_and_the_demos_does_not() -> None:
    warning = low_limit_warning(5)
    assert warning is not None
    assert "5 messages a minute" in warning
    assert "MessagesPerMinute" in warning
    assert low_limit_warning(LOW_LIMIT - 1) is not None
    assert low_limit_warning(LOW_LIMIT) is None
    assert low_limit_warning(600) is None


def test_who_deploys_and_who_tries_the_demo_is_told_of_the_limit() -> None:
    readme = (REPOSITORY / "README.md").read_text()
    assert "**The default rate is 5 messages a minute**" in readme
    assert "may send 600 messages a minute" in (REPOSITORY / "docs" / "local.md").read_text()
