import warnings
from dataclasses import replace

import numpy as np
import pytest

from nblabel import _learning
from nblabel._learning import Order, learn
from nblabel.strategies import Auto, Margin, Random, TypicalClusters
from nblabel.suggest import ModelSuggester, Snapshot

TEXTS = ["win money", "cheap money", "see you", "see them", "money", "you"]


def order(labels: dict[int, str], candidates=None, version: int = 3) -> Order:
    places = np.array(list(labels), dtype=np.intp)
    targets = np.array(list(labels.values()), dtype=object)
    rest = [k for k in range(len(TEXTS)) if k not in labels] if candidates is None else candidates
    return Order(Snapshot(places, targets, version), tuple(labels.values()), np.array(rest, int), 2)


KNOWN = {0: "spam", 2: "ham"}


def test_one_training():
    result = learn(ModelSuggester(TEXTS, "text"), Margin(), order(KNOWN))
    assert result.predictions.version == 3 and result.predictions.n_labels == 2
    assert result.predictions.label(4) == "spam" and result.predictions.label(5) == "ham"
    assert result.predictions.confidences()[4] == pytest.approx(result.predictions.proba[4].max())
    assert result.predictions.best(np.array([4, 5])).tolist() == [1, 0]
    assert result.positions == {0, 2} and result.doing == "margin"
    assert sorted(draw.position for draw in result.ranking) == [1, 3, 4, 5]
    assert all(d.strategy == "margin" and "least sure" in d.reason for d in result.ranking)
    assert result.fitted.model.predict(["money"]).tolist() == ["spam"]


def test_one_class_is_not_enough():
    result = learn(ModelSuggester(TEXTS, "text"), Margin(), order({0: "spam", 1: "spam"}))
    assert result.predictions is None and result.fitted is None and len(result.ranking) == 0
    assert (result.doing, result.aim) == ("random", "at random until there is a model")


def test_the_default_names_what_it_does():
    assert learn(ModelSuggester(TEXTS, "text"), Auto(), order({})).doing == "transductive_design"
    assert learn(None, Auto(), order(KNOWN)).doing == "random"
    auto = Auto(start=2)
    assert learn(ModelSuggester(TEXTS, "text"), auto, order(KNOWN)).doing == "transductive_design"


def test_nothing_left_to_ask():
    result = learn(ModelSuggester(TEXTS, "text"), Auto(), order(KNOWN, candidates=[]))
    assert (list(result.ranking), result.doing) == ([], "") and result.predictions is not None


class Shuffled(Random):
    name = "shuffled"


def test_chance_changes_from_training_to_training():
    orders = [[d.position for d in learn(None, Shuffled(), order({}, version=v)).ranking]
              for v in (1, 1, 2)]  # fmt: skip
    assert orders[0] == orders[1] != orders[2]


def test_random_leaves_the_draws_to_the_queue():
    result = learn(ModelSuggester(TEXTS, "text"), Random(), order(KNOWN))
    assert result.predictions is not None and len(result.ranking) == 0
    assert (result.doing, result.aim) == ("random", "asking at random")


class Sampling(Shuffled):
    def __init__(self, chances):
        self.probabilities = chances

    def reason(self, utility):
        return "by chance"


def test_the_probabilities_of_draws_are_kept():
    sampling = Sampling(lambda context, drawn: [np.nan, *[0.5] * (len(drawn) - 1)])
    draws = list(learn(None, sampling, order({})).ranking)
    assert [draw.probability for draw in draws] == [None] + [0.5] * 5
    failed = learn(None, Sampling(lambda context, drawn: [2.0] * len(drawn)), order({}))
    assert "such as 2; what was drawn has one in (0, 1]" in str(failed.failed)
    own = learn(None, Sampling("something of its own"), order({})).ranking
    assert [draw.probability for draw in own] == [None] * 6


class Part(Random):
    name = "part"

    def __init__(self, made):
        self.made = made

    def utilities(self, context):
        return self.made


def test_what_is_not_to_be_asked_is_left_out():
    made = np.array([0.5, -np.inf, np.nan, 1.0])
    result = learn(None, Part(made), order(KNOWN))
    assert [draw.position for draw in result.ranking] == [5, 1]


def test_a_flag_of_the_processor_stops_nothing():
    """BLAS raises "invalid" at times where every number is right."""

    class Flagged(Part):
        def utilities(self, context):
            np.subtract(np.inf, np.inf)  # raises the flag; what comes of it is not used
            return self.made

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = learn(None, Flagged(np.array([0.5, 0.1, 0.2, 1.0])), order(KNOWN))
    assert [draw.position for draw in result.ranking] == [5, 1, 4, 3]


def test_each_training_draws_its_own():
    """Of a seed and the next one, too, whose means would else not be independent."""
    drawn = {
        Snapshot(np.array([0]), np.array(["a"]), version, seed).own_seed
        for version in range(1, 30)
        for seed in range(30)
    }
    assert len(drawn) == 29 * 30


def test_a_large_batch_is_ranked_as_a_whole(monkeypatch):
    monkeypatch.setattr(_learning, "LEAST_RANKED", 1)
    known = order(KNOWN)
    assert len(learn(None, Part(np.arange(4.0)), replace(known, batch=1)).ranking) == 2
    assert len(learn(None, Part(np.arange(4.0)), replace(known, batch=3)).ranking) == 4


def test_a_strategy_that_fails_costs_nothing_that_was_learned():
    result = learn(ModelSuggester(TEXTS, "text"), Part(np.ones(3)), order(KNOWN))
    assert "'part' gave utilities of shape (3,), expected (4,)" in result.failed.said
    assert "Traceback" in result.failed.story
    assert result.predictions.label(4) == "spam" and result.positions == {0, 2}
    assert len(result.ranking) == 0
    assert (result.doing, result.aim) == ("random", "asking at random: strategy 'part' failed")


def test_a_strategy_that_needs_features_says_so():
    failed = learn(None, TypicalClusters(), order(KNOWN)).failed
    assert "'typical' requires features, but there are none" in failed.said


def test_predictions_without_probabilities_have_no_confidence():
    from sklearn.svm import LinearSVC

    result = learn(ModelSuggester(TEXTS, "text", estimator=LinearSVC()), Margin(), order(KNOWN))
    assert not result.predictions.probabilistic and result.predictions.label(0) == "spam"
