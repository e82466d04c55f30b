import numpy as np
import pytest
from scipy import stats

from nblabel._queue import Draw, Queue, order_seed


def every(n_items: int, *but: int) -> np.ndarray:
    """Which items want an answer: all but these."""
    is_open = np.ones(n_items, dtype=bool)
    is_open[list(but)] = False
    return is_open


def ranked(*positions: int) -> list[Draw]:
    return [Draw(position, "margin", "unsure") for position in positions]


def places(draws: list[Draw]) -> list[int]:
    return [draw.position for draw in draws]


def drawn_again(draw: Draw) -> int:
    """What was drawn, from what the log keeps of it."""
    return np.random.default_rng(draw.seed).permutation(draw.seed % 2**32)[draw.draw]


def test_a_ranking_is_followed():
    queue = Queue(10, explore=0, seed=0)
    queue.rank(ranked(4, 2, 7))
    window = queue.window("a", 2, every(10))
    assert window == ranked(4, 2) and queue.version == 1
    assert queue.hand("a") == [4, 2] and queue.held("a", 4) == window[0]
    assert queue.held("a", 7) is None and queue.held("b", 4) is None


def test_the_head_is_pinned_when_the_ranking_changes():
    queue = Queue(10, explore=0, seed=0)
    queue.rank(ranked(4, 2, 7))
    queue.window("a", 3, every(10))
    queue.rank(ranked(9, 8, 7, 4))
    assert places(queue.window("a", 4, every(10), keep=[4, 2])) == [4, 2, 9, 8]


def test_what_is_answered_or_was_never_held_is_not_kept():
    queue = Queue(10, explore=0, seed=0)
    queue.rank(ranked(4, 2, 7))
    queue.window("a", 2, every(10))
    assert places(queue.window("a", 2, every(10, 4), keep=[4, 5, 2])) == [2, 7]


def test_what_was_answered_in_the_hand_is_asked_again_for_what_it_is_wanted_for():
    queue = Queue(10, explore=1, seed=0)
    (first,) = queue.window("a", 1, every(10))
    assert first.audit
    again = Draw(first.position, "review", "to be judged again")
    queue.want([again])
    assert queue.window("a", 1, every(10), keep=[first.position]) == [first], "it has no answer yet"
    answered = [first.position]
    queue.answered(first.position)
    queue.want([again])
    window = queue.window("a", 3, every(10, *answered), keep=[first.position])
    assert window[0] == again and first.position not in places(window[1:])


def test_what_is_asked_again_in_silence_stays_so_when_it_is_asked_by_name():
    queue = Queue(10, explore=0, seed=0)
    silent, named = Draw(3, "repeat"), Draw(3, "review")
    queue.want([silent])
    assert queue.window("a", 1, every(10, 3)) == [silent]
    queue.want([named])
    assert queue.window("a", 1, every(10, 3), keep=[3]) == [silent]
    queue.answered(3)
    queue.want([named])
    assert queue.window("a", 1, every(10, 3), keep=[3]) == [named]


def test_a_random_draw_that_was_taken_back_is_one_again():
    queue = Queue(10, explore=1, seed=0)
    (first,) = queue.window("a", 1, every(10))
    queue.answered(first.position)
    assert queue.window("a", 1, every(10), keep=[first.position]) == [first]
    queue.want([Draw(first.position, "review")])
    assert queue.window("a", 1, every(10), keep=[first.position]) == [first]


def test_without_a_ranking_everything_is_asked_once():
    for explore in (0.0, 0.3, 1.0):
        queue = Queue(20, explore=explore, seed=3)
        window = queue.window("a", 50, every(20))
        assert sorted(places(window)) == list(range(20))
        assert any(draw.audit for draw in window) == (explore > 0)
        assert all(draw.audit for draw in window) == (explore == 1.0)
        assert window == Queue(20, explore=explore, seed=3).window("a", 50, every(20))


def test_after_the_ranking_the_rest_is_asked():
    queue = Queue(6, explore=0, seed=0)
    queue.rank(ranked(3))
    window = queue.window("a", 6, every(6))
    assert window[0].position == 3 and sorted(places(window)) == list(range(6))
    assert {draw.strategy for draw in window[1:]} == {"random"}


def test_items_that_come_back_are_asked_again():
    queue = Queue(5, explore=1.0, seed=0)
    queue.window("a", 5, every(5))
    queue.window("a", 5, ~every(5))
    assert places(queue.window("a", 5, np.arange(5) == 2)) == [2]


def test_the_share_of_audits():
    queue = Queue(20_000, explore=0.1, seed=1)
    queue.rank(ranked(*range(20_000)))
    window = queue.window("a", 4000, every(20_000))
    audits = sum(draw.audit for draw in window)
    assert stats.binomtest(audits, 4000, 0.1).pvalue > 1e-4
    assert not any(d.audit for d in Queue(50, explore=0, seed=1).window("a", 50, every(50)))


def test_audits_are_uniform():
    # The ranking prefers low places, answers remove items: audits must not care.
    n_items, counts = 20, np.zeros(20)
    for seed in range(1500):
        queue = Queue(n_items, explore=0.5, seed=seed)
        queue.rank(ranked(*range(n_items)))
        window = queue.window("a", 4, every(20))
        if window[0].audit:
            counts[window[0].position] += 1
    assert 650 < counts.sum() < 850
    assert stats.chisquare(counts).pvalue > 1e-3


def test_an_audit_names_its_place_in_the_seeded_order():
    queue = Queue(30, explore=1.0, seed=5)
    for draw in queue.window("a", 10, every(30)):
        assert draw.strategy == "audit" and drawn_again(draw) == draw.position
    queue.resize(50)
    for draw in queue.window("a", 10, every(50)):
        assert draw.seed % 2**32 == 50 and drawn_again(draw) == draw.position


@pytest.mark.parametrize("explore", [0.0, 1.0])
def test_a_random_draw_knows_its_probability(explore):
    queue = Queue(20, explore=explore, seed=1)
    window = queue.window("a", 3, every(20))
    assert [draw.probability for draw in window] == [1 / 20, 1 / 19, 1 / 18]
    answered = places(window)
    others = [p for p in range(20) if p not in answered][:7]  # labeled by choice
    in_a_hand = queue.window("b", 2, every(20, *answered, *others))
    assert [draw.probability for draw in in_a_hand] == [1 / 10, 1 / 9]
    later = queue.window("a", 8, every(20, *answered, *others))
    assert [draw.probability for draw in later] == [1 / k for k in range(8, 0, -1)]
    assert queue.held("b", in_a_hand[0].position) == in_a_hand[0], "what it was drawn with stays"


def test_what_is_filled_in_and_taken_back_is_no_part_of_the_next_draw():
    queue = Queue(10, explore=0.0, seed=0)
    first = places(queue.window("a", 3, every(10)))
    queue.window("a", 1, every(10, *first))
    (draw,) = queue.window("a", 1, every(10))
    assert draw.position not in first and draw.probability == 1 / 7


def test_a_strategy_that_samples_says_nothing_once_one_of_its_draws_was_asked_otherwise():
    drawn = [Draw(k, "badge", probability=k / 10) for k in range(1, 6)]
    queue = Queue(20, explore=0.0, seed=1)
    queue.rank(drawn)
    assert queue.window("a", 2, every(20)) == drawn[:2]
    # The next page goes on where this one is.
    assert queue.window("b", 1, every(20)) == drawn[2:3]
    # The fourth was labeled by name: what the fifth was drawn from has changed.
    (fifth,) = queue.window("c", 1, every(20, 4))
    assert (fifth.position, fifth.probability) == (5, None)
    queue.rank(drawn)
    assert queue.window("d", 1, every(20, 1, 2, 3))[0].probability is None


def test_what_a_rule_put_forward_has_no_probability():
    queue = Queue(20, explore=0.0, seed=1)
    queue.rank(ranked(4, 2, 7))
    queue.want([Draw(9, "asked")])
    assert [draw.probability for draw in queue.window("a", 4, every(20))] == [None] * 4


def test_what_was_passed_and_is_open_again_is_no_part_of_the_next_draw():
    queue = Queue(5, explore=1.0, seed=0)
    first, second = queue.window("a", 2, every(5))
    queue.answered(first.position)
    queue.answered(second.position)
    queue.window("a", 0, every(5, first.position, second.position))
    # Its label is taken back: the walk does not turn round for it.
    (third,) = queue.window("a", 1, every(5, second.position))
    assert third.probability == 1 / 3 and third.position != first.position
    rest = queue.window("a", 4, every(5, second.position), [third.position])
    assert [draw.probability for draw in rest[1:]] == [1 / 2, 1, 1]


@pytest.mark.parametrize("seed", [0, 1, 2**31 - 1, 2**70])
def test_the_seed_of_an_order_can_be_written(seed):
    made = order_seed(seed, 1_000_000)
    assert made % 2**32 == 1_000_000 and made < 2**53
    assert made != order_seed(seed, 1_000_001)


def grown_by_adding(seed: int) -> tuple[Queue, set[int]]:
    """Five audits of ten items answered, then ten more items."""
    queue = Queue(10, explore=1.0, seed=seed)
    answered = set(places(queue.window("a", 5, every(10))))
    queue.window("a", 3, every(10, *answered))  # waiting in a hand
    queue.resize(20)
    return queue, answered


def grown_by_opening_again(seed: int) -> tuple[Queue, set[int]]:
    queue = Queue(10, explore=1.0, seed=seed)
    answered = set(places(queue.window("a", 5, every(10))))
    return Queue(20, explore=1.0, seed=seed), answered


def grown_after_the_strategy_chose(seed: int) -> tuple[Queue, set[int]]:
    """What the ranking likes is answered, audits are answered, half and half."""
    queue = Queue(10, explore=0.5, seed=seed)
    queue.rank(ranked(*range(10)))
    answered = set(places(queue.window("a", 5, every(10))))
    queue.resize(20)
    queue.explore = 1.0
    return queue, answered


@pytest.mark.parametrize(
    "grown", [grown_by_adding, grown_by_opening_again, grown_after_the_strategy_chose]
)
def test_audits_are_uniform_over_all_open_items_after_growth(grown):
    ranks, second, new = np.zeros(15), np.zeros(15), 0
    for seed in range(3000):
        queue, answered = grown(seed)
        window = queue.window("a", 2, every(20, *answered))
        assert all(draw.audit and draw.seed == order_seed(seed, 20) for draw in window)
        still_open = sorted(set(range(20)) - answered)
        ranks[still_open.index(window[0].position)] += 1
        second[still_open.index(window[1].position)] += 1
        new += window[0].position >= 10
    assert stats.chisquare(ranks).pvalue > 1e-3 and stats.chisquare(second).pvalue > 1e-3
    assert stats.binomtest(new, 3000, 10 / 15).pvalue > 1e-3


def test_growth_keeps_what_is_on_the_screen_and_asks_everything_once():
    queue = Queue(10, explore=0.5, seed=3)
    queue.rank(ranked(*range(10)))
    before = queue.window("a", 5, every(10))
    queue.resize(16)
    kept = places(before[:2])
    window = queue.window("a", 16, every(16), kept)
    assert window[:2] == before[:2] and sorted(places(window)) == list(range(16))


def test_an_audit_once_drawn_is_not_lost_by_re_ranking():
    queue = Queue(400, explore=0.3, seed=2)
    answered: set[int] = set()
    drawn: set[int] = set()
    asked_as_audit: set[int] = set()
    for turn in range(120):
        queue.rank(ranked(*np.random.default_rng(turn).permutation(400)[:100].tolist()))
        keep = queue.hand("a")[:2]
        window = queue.window("a", 8, every(400, *answered), keep)
        drawn |= {d.position for d in map(lambda p: queue.held("a", p), queue.hand("a")) if d.audit}
        answered.add(window[0].position)
        if window[0].audit:
            asked_as_audit.add(window[0].position)
    waiting = {p for p in queue.hand("a") if queue.held("a", p).audit}
    assert len(drawn) > 30
    # Every audit was answered as one, or is still owed: none became a plain item or vanished.
    assert drawn - asked_as_audit <= waiting - answered


def test_owed_audits_come_before_new_ones():
    queue = Queue(50, explore=1.0, seed=0)
    first = queue.window("a", 4, every(50))
    queue.rank(ranked(*range(50)))
    assert queue.window("a", 4, every(50)) == first
    kept = first[2].position
    assert queue.window("a", 3, every(50), [kept]) == [first[2], first[0], first[1]]


def test_owed_audits_are_asked_when_nothing_else_is_left():
    queue = Queue(4, explore=1.0, seed=0)
    first = queue.window("a", 2, every(4))
    queue.explore = 0.0
    queue.rank(ranked(*range(4)))
    again = queue.window("a", 4, every(4))
    assert {d.position for d in again if d.audit} == {d.position for d in first}
    assert sorted(places(again)) == [0, 1, 2, 3]


def test_two_clients_do_not_get_the_same_items_while_others_are_left():
    queue = Queue(12, explore=0.3, seed=4)
    queue.rank(ranked(*range(6)))
    one, two = queue.window("a", 5, every(12)), queue.window("b", 5, every(12))
    assert not set(places(one)) & set(places(two))
    three = queue.window("c", 5, every(12))
    assert len(set(places(three)) - set(places(one)) - set(places(two))) == 2
    assert len(three) == 5  # the rest twice rather than never
    assert {d.reason for d in three[2:]} == {"also open in another view"}


def test_what_a_client_lets_go_of_others_get():
    queue = Queue(3, explore=0, seed=0)
    queue.rank(ranked(0, 1, 2))
    queue.window("a", 3, every(3))
    queue.release("a")
    queue.release("nobody")
    assert places(queue.window("b", 3, every(3))) == [0, 1, 2] and queue.hand("a") == []


def test_nothing_left():
    queue = Queue(3, explore=0.5, seed=0)
    assert queue.window("a", 3, ~every(3)) == []
    assert queue.window("a", 0, every(3)) == []


def test_what_leaves_a_hand_is_nobodys_until_the_page_asks_again():
    """Its page may answer it before it hears that it is gone."""
    queue = Queue(20, explore=0.0, seed=0)
    queue.rank([Draw(k, "margin") for k in range(20)])
    assert [d.position for d in queue.window("one", 4, every(20))] == [0, 1, 2, 3]
    queue.rank([Draw(k, "margin") for k in range(19, -1, -1)])
    assert [d.position for d in queue.window("one", 3, every(20), [0, 1])] == [0, 1, 19]
    queue.rank([Draw(k, "margin") for k in range(20)])
    assert [d.position for d in queue.window("two", 2, every(20))] == [4, 5]
    queue.window("one", 3, every(20), [0, 1, 19])  # it has heard
    assert [d.position for d in queue.window("three", 2, every(20))] == [2, 3]
