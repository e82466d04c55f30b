import threading

import pytest

from nblabel._trainer import Trainer
from nblabel.errors import WorkerError

PATIENCE = 10.0


class Probe:
    """Jobs that start and end when told, and what became of them."""

    def __init__(self, trainer: Trainer) -> None:
        self.trainer = trainer
        self.done: list[object] = []
        self.failed: list[Exception] = []
        self.started: dict[str, threading.Event] = {}
        self.go: dict[str, threading.Event] = {}
        self.running = 0
        self.most_running = 0

    def submit(self, name: str, error: BaseException | None = None) -> None:
        self.started[name], self.go[name] = threading.Event(), threading.Event()

        def job() -> str:
            self.running += 1
            self.most_running = max(self.most_running, self.running)
            self.started[name].set()
            assert self.go[name].wait(PATIENCE)
            self.running -= 1
            if error is not None:
                raise error
            return name

        self.trainer.submit(job, self.done.append, self.failed.append)

    def finish(self, *names: str) -> None:
        for name in names:
            self.go[name].set()


@pytest.fixture
def probe():
    probe = Probe(Trainer())
    yield probe
    probe.finish(*probe.go)
    assert probe.trainer.wait(PATIENCE)


def test_a_job_runs_beside_the_caller(probe):
    probe.submit("a")
    assert probe.started["a"].wait(PATIENCE) and probe.trainer.busy
    probe.finish("a")
    assert probe.trainer.wait(PATIENCE)
    assert probe.done == ["a"] and not probe.trainer.busy


def test_the_latest_wins_and_one_runs_at_a_time(probe):
    probe.submit("a")
    assert probe.started["a"].wait(PATIENCE)
    probe.submit("b")
    probe.submit("c")
    probe.submit("d")
    probe.finish("a", "b", "c", "d")
    assert probe.trainer.wait(PATIENCE)
    assert probe.done == ["a", "d"] and probe.most_running == 1
    assert not probe.started["b"].is_set() and not probe.started["c"].is_set()


def test_errors_go_to_failed_and_the_next_job_runs(probe):
    probe.submit("a", ValueError("no"))
    probe.finish("a")
    assert probe.trainer.wait(PATIENCE)
    assert [str(error) for error in probe.failed] == ["no"] and probe.done == []
    probe.submit("b")
    probe.finish("b")
    assert probe.trainer.wait(PATIENCE) and probe.done == ["b"]


def test_waiting_gives_up(probe):
    assert probe.trainer.wait(0)  # nothing to wait for
    probe.submit("a")
    assert probe.trainer.wait(0.01) is False
    assert probe.trainer.wait(0) is False


def test_waiting_is_also_for_the_job_that_waits(probe):
    probe.submit("a")
    assert probe.started["a"].wait(PATIENCE)
    probe.submit("b")
    probe.finish("a")
    assert probe.started["b"].wait(PATIENCE)
    assert probe.trainer.busy and probe.trainer.wait(0) is False


def test_cancel_drops_the_job_that_waits(probe):
    probe.submit("a")
    assert probe.started["a"].wait(PATIENCE)
    probe.submit("b")
    probe.trainer.cancel()
    probe.finish("a", "b")
    assert probe.trainer.wait(PATIENCE)
    assert probe.done == ["a"] and not probe.started["b"].is_set()


def test_a_job_may_order_the_next_one():
    trainer, seen = Trainer(), []
    trainer.submit(
        lambda: 1,
        lambda one: trainer.submit(lambda: one + 1, seen.append, seen.append),
        seen.append,
    )
    assert trainer.wait(PATIENCE) and seen == [2]


@pytest.mark.parametrize("broken", ["done", "failed", "exit"])
def test_a_broken_callback_does_not_stop_later_jobs(monkeypatch, broken):
    told = []
    monkeypatch.setattr(threading, "excepthook", lambda args: told.append(args.exc_type))
    trainer, seen = Trainer(), []

    def fail(_=None):
        raise SystemExit if broken == "exit" else RuntimeError

    job = fail if broken != "done" else lambda: 1
    trainer.submit(job, fail, fail)
    assert trainer.wait(PATIENCE), "the worker died without a word"
    trainer.submit(lambda: "later", seen.append, seen.append)
    assert trainer.wait(PATIENCE) and seen == ["later"]
    assert told == [SystemExit if broken == "exit" else RuntimeError]


def test_inline_runs_at_once_in_the_calling_thread():
    trainer, seen = Trainer(inline=True), []
    trainer.submit(threading.get_ident, seen.append, seen.append)
    assert seen == [threading.get_ident()]
    trainer.submit(lambda: 1 / 0, seen.append, seen.append)
    assert isinstance(seen[1], ZeroDivisionError)
    assert trainer.wait() and not trainer.busy


def test_the_thread_does_not_keep_the_process_alive(probe):
    probe.submit("a")
    assert probe.started["a"].wait(PATIENCE)
    (thread,) = [t for t in threading.enumerate() if t.name == "nblabel-trainer"]
    assert thread.daemon


def test_a_question_is_answered_between_trainings(probe):
    assert Trainer(inline=True).ask(lambda: 7) == 7
    probe.submit("a")
    assert probe.started["a"].wait(PATIENCE)
    answers = []
    asker = threading.Thread(
        target=lambda: answers.append(probe.trainer.ask(lambda: len(probe.done)))
    )
    asker.start()
    probe.submit("b")
    probe.submit("c")  # takes the place of b, but not that of a question
    probe.finish("a", "b", "c")
    asker.join(PATIENCE)
    assert probe.trainer.wait(PATIENCE)
    assert probe.done == ["a", "c"] and answers in ([1], [2])


def test_a_question_brings_its_error_or_that_it_was_stopped(probe):
    with pytest.raises(ZeroDivisionError):
        probe.trainer.ask(lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        Trainer(inline=True).ask(lambda: 1 / 0)
    probe.submit("a")
    assert probe.started["a"].wait(PATIENCE)
    said = []

    def ask() -> None:
        try:
            said.append(probe.trainer.ask(lambda: 7))
        except WorkerError as error:
            said.append(str(error))

    asker = threading.Thread(target=ask)
    asker.start()
    while asker.is_alive():  # it may ask only after the first stop
        probe.trainer.stop()
        asker.join(0.01)
    assert said == ["What was to be computed was cancelled before it was there."]
