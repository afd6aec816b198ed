"""The comparisons of a campaign, from the outcomes of its audience."""

from msgspec.structs import replace

from pytake.campaigns import freeze
from pytake.campaigns.audience import AudienceCounts
from pytake.campaigns.records import Variant
from pytake.campaigns.results import Arms, results_of
from tests.campaigns.world import DEFINITION, CampaignWorld, person
from tests.engine.conversations import document, node

TWO = replace(DEFINITION, variants=[Variant("a"), Variant("b")])
HELD = replace(DEFINITION, holdout=0.5)


def shown(found: Arms | None) -> list[tuple[str, int, int, str]]:
    assert found is not None
    return [(one.name, one.people, one.reached, one.verdict) for one in found.experiment.comparisons]


def test_variants_are_compared_by_everyone_whose_message_was_released() -> None:
    outcomes = {
        "": 7,
        "released": 3,
        "-no_consent": 50,
        "-in_session late replied": 9,
        "read replied completed @a =62500": 100,
        "sent @a =62500": 850,
        "failed:131026 @a": 50,
        "read replied @b =62500": 250,
        "delivered @b =62500": 750,
    }
    counts = AudienceCounts(outcomes)
    for goal, a, b, verdict in (
        ("replied", 100, 250, "better"),
        ("read", 100, 250, "better"),
        ("completed", 100, 0, "too_early"),
    ):
        found = results_of(TWO, counts, goal, 0.02)  # type: ignore[arg-type]
        assert shown(found.variants) == [("a", 1000, a, "no_difference_yet"), ("b", 1000, b, verdict)]
        assert found.holdout is None
    assert results_of(TWO, counts, "replied", 0.02).variants.experiment.conclusion == "difference"  # type: ignore[union-attr]
    assert results_of(DEFINITION, counts, "replied", 0.02).variants is None


def test_variants_whose_people_are_missing_are_not_compared() -> None:
    counts = AudienceCounts({"read replied @a": 200, "sent @a": 800, "read replied @b": 200, "sent @b": 500})
    found = results_of(TWO, counts, "replied", 0.02).variants
    assert found is not None
    assert (found.experiment.sample_ratio_mismatch, found.experiment.conclusion) == (True, "not_comparable")


def test_the_holdout_is_compared_with_all_others_of_finished_parts() -> None:
    """Those who were skipped when the message was to leave belong to the others: the holdout has such people, too."""
    outcomes = {
        "-holdout": 980,
        "-holdout replied": 120,
        "read replied": 300,
        "sent": 650,
        "-in_session late replied": 40,
        "-opted_out late": 10,
        "-opted_out": 500,
        "-merged": 5,
        "": 90,
    }
    open_outcomes = {"-holdout": 80, "-holdout replied": 20, "": 90}
    found = results_of(HELD, AudienceCounts(outcomes, open_outcomes=open_outcomes), "replied", 0.02)
    assert shown(found.holdout) == [("holdout", 1000, 100, "no_difference_yet"), ("campaign", 1000, 340, "better")]
    assert found.holdout is not None
    assert not found.holdout.experiment.sample_ratio_mismatch
    assert results_of(HELD, AudienceCounts(outcomes), "read", 0.02).holdout is None


def test_the_conclusion_says_when_no_difference_matters() -> None:
    def conclusion(people: int, reached: tuple[int, int]) -> str:
        outcomes = {}
        for name, count in zip("ab", reached, strict=True):
            outcomes |= {f"read replied @{name}": count, f"sent @{name}": people - count}
        found = results_of(TWO, AudienceCounts(outcomes), "replied", 0.02).variants
        assert found is not None
        return found.experiment.conclusion

    assert conclusion(100, (10, 30)) == "too_early"
    assert conclusion(1_000, (100, 105)) == "no_difference_yet"
    assert conclusion(100_000, (10_000, 10_050)) == "no_relevant_difference"


def test_results_come_from_what_people_did_and_outlive_an_erasure() -> None:
    people = [person(index) for index in range(60)]
    world = CampaignWorld(people, holdout=0.3, variants=[Variant("a"), Variant("b")])
    world.start()
    assert world.run().status == "completed"
    world.clock.forward(5)
    written = [one for one in people if world.turns()[one.contact_id]]
    left_out = [one for one in people if world.outcomes()[one.contact_id] == "-holdout"]
    assert len(written) + len(left_out) == 60
    for one in (*written[:4], *left_out[:2]):
        world.product.say("Oi", one.contact_id)
    world.product.run_queues()
    world.clock.forward(61)
    assert world.recount()

    def found() -> tuple[list[tuple[str, int, int, str]], list[tuple[str, int, int, str]]]:
        results = world.manage.results("acme", "spring", "replied", 0.02)
        return shown(results.variants), shown(results.holdout)

    variants, holdout = found()
    assert [(name, people, reached) for name, people, reached, _ in holdout] == [
        ("holdout", len(left_out), 2),
        ("campaign", len(written), 4),
    ]
    assert (sum(one[1] for one in variants), sum(one[2] for one in variants)) == (len(written), 4)
    assert min(one[1] for one in variants) > 5
    world.audiences.forget("acme", [written[0].contact_id, left_out[0].contact_id])
    assert found() == (variants, holdout)


def test_whoever_ends_the_flow_after_the_answer_has_completed_it() -> None:
    thanks = document(node("s", "start", next_node_id="e"), node("e", "end", message="Thanks!"), id="thanks")
    world = CampaignWorld([person(index) for index in range(2)], flow_id="thanks")
    world.product.publish("acme", thanks)
    world.start()
    assert world.run().status == "completed"
    world.clock.forward(5)
    world.product.say("Yes", world.people[0].contact_id)
    world.product.run_queues()
    world.clock.forward(61)
    assert world.recount()
    assert world.outcomes()[world.people[0].contact_id].split()[1:3] == ["replied", "completed"]


def test_people_of_a_part_that_is_not_finished_are_not_compared_with_the_holdout() -> None:
    world = CampaignWorld([person(index) for index in range(40)], holdout=0.3, pace_per_second=0.1)
    world.start()
    world.tick()
    assert any(world.outcomes().values())
    assert freeze.PART_RECIPIENTS > 40
    holdout = world.manage.results("acme", "spring", "replied", 0.02).holdout
    assert [(name, people) for name, people, _, _ in shown(holdout)] == [("holdout", 0), ("campaign", 0)]
