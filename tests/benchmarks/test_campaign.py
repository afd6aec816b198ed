"""The simulated campaign keeps to its rate and reaches each person once."""

import pytest

from benchmarks.campaign import simulate


def test_a_simulated_campaign_leaves_at_the_allowed_rate_and_reaches_each_person_once() -> None:
    done = simulate(3000)

    assert (done.released, done.twice) == (3000, 0)
    assert done.per_second == pytest.approx(done.allowed, rel=0.01)
    assert done.megabytes < 64, "memory does not grow with the audience"
