"""The worker process: where trainings run, so that they never hold up the kernel.

One process for a session, started with its first job; without one for long it ends, and the next
starts another. Jobs and results are packed into a folder
that both sides share (see `_packing`); what goes through the pipes is one line of JSON for each.
The process does not import the notebook's ``__main__``, and ends when the kernel does, also when
that was killed: then its end of the pipe closes.
"""

from __future__ import annotations

import importlib
import json
import os
import pickle
import queue
import shutil
import signal
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Callable
from contextlib import suppress
from multiprocessing import spawn
from typing import IO, Any

from ._packing import Folder
from ._progress import Cancelled, listening
from .errors import WorkerError, full_story, in_words

#: How much of what the process said last is quoted when it dies, or when a job fails.
_MOST_SAID = 2000
#: What was said before is thrown away when it is longer than this.
_MOST_KEPT = 1_000_000
_KEPT = "kept"
#: The kernel and the page come first.
_NICE = 5
#: Seconds without a job after which a process ends, and its memory is free.
IDLE_SECONDS = 900.0
_RESTED = 75
#: Says that a job cannot be packed, whatever in it is at fault.
UNPACKABLE = (pickle.PickleError, TypeError, AttributeError, ValueError, RecursionError)


class CannotSendError(Exception):
    """A job cannot be sent to another process."""


class RemoteTraceback(Exception):
    """Where in the worker an error came from: the cause of the error raised here."""

    def __str__(self) -> str:
        return f"\n{self.args[0]}"


class Worker:
    """The kernel's end: sends jobs, one at a time.

    Parameters
    ----------
    idle : float
        Seconds without a job after which the process ends.

    Raises
    ------
    OSError
        If the folder that both share cannot be made.
    """

    def __init__(self, idle: float = IDLE_SECONDS) -> None:
        self._idle = idle
        self._folder = Folder.make("k")
        self._said = self._folder.path / "said.txt"
        self._cwd = os.getcwd()
        #: The kernel that it belongs to: a copy that was forked of that has no part in it.
        self.owner = os.getpid()
        self._process: subprocess.Popen[bytes] | None = None
        self._starts = 0
        self._next: tuple[Any] | None = None
        self._kept: Any = None
        self._packed: Any = None  # the packet of what is kept
        self._sent = False  # whether this process has it
        self._said_before = 0  # bytes that were said before the job
        self._lock = threading.Lock()
        self._alive: list[subprocess.Popen[bytes]] = []
        self._clear = weakref.finalize(
            self, _clear, self._alive, str(self._folder.path), self.owner
        )

    @property
    def pid(self) -> int | None:
        """The process, None if there is none."""
        return None if self._process is None else self._process.pid

    def keep(self, value: Any) -> None:
        """Let the process have this object, once for all jobs that are about it."""
        self._next = (value,)  # from the next job on: the one that runs is about the old one

    def run(
        self,
        job: Callable[[], Any],
        report: Callable[[float | None], None],
        stopped: Callable[[], bool] = lambda: False,
    ) -> Any:
        """Run a job in the process and return its result.

        Parameters
        ----------
        job : callable
        report : callable
            Gets how far the job is; first None, as it begins.
        stopped : callable
            Whether the job is no longer wanted; who makes it true calls `stop` then.

        Raises
        ------
        CannotSendError
            If it cannot be sent.
        WorkerError
            If the process ended before the job did.
        Cancelled
            If it was stopped.
        Exception
            Of the job itself.
        """
        answer = None
        while answer is None:  # a process may have gone to rest as it was asked
            answer = self._run(job, report, stopped)
        return answer[0]

    def _run(
        self,
        job: Callable[[], Any],
        report: Callable[[float | None], None],
        stopped: Callable[[], bool],
    ) -> tuple[Any] | None:
        packet = None
        self._turn()
        try:
            try:
                process = self._started(stopped)  # it imports while this packs
                if self._kept is not None and self._packed is None:
                    self._packed = self._folder.dump(self._kept)
                    self._folder.share(_KEPT, self._kept)
                packet = self._folder.dump(job)
            except (*UNPACKABLE, OSError) as error:
                raise CannotSendError(f"{type(error).__name__}: {error}") from error
            self._begin_saying()
            kept = None if self._packed is None or self._sent else self._packed.name
            answer = self._ask(process, {"job": packet.name, "kept": kept}, report, stopped)
            if answer is None:
                return None
            if "unsent" in answer:
                raise CannotSendError(answer["unsent"])
            self._sent = self._packed is not None
            if "failed" in answer:
                raise self._error(answer)
            return (self._folder.load(answer["done"]),)
        finally:
            if packet is not None:
                self._folder.drop(packet)

    def _turn(self) -> None:
        following, self._next = self._next, None
        if following is not None:
            if self._packed is not None:
                self._folder.drop(self._packed)
            self._folder.unshare(_KEPT)
            (self._kept,), self._packed, self._sent = following, None, False

    def stop(self) -> None:
        """End the process, and with it the job that runs; the next job starts a new one."""
        with self._lock:
            self._end()

    def close(self) -> None:
        """End the process and remove the folder: what was left packed is lost."""
        with self._lock:
            self._process = None
            self._clear()

    # ------------------------------------------------------------ the process

    def _started(self, stopped: Callable[[], bool]) -> subprocess.Popen[bytes]:
        with self._lock:
            if stopped() or not self._clear.alive:
                raise Cancelled
            if self._process is not None and self._process.poll() is None:
                return self._process
            self._end()
            self._starts += 1
            self._sent = False
            options: dict[str, Any] = {"start_new_session": True}  # an interrupt is not for it
            if sys.platform == "win32":
                options = {"creationflags": subprocess.BELOW_NORMAL_PRIORITY_CLASS}
            path = [str(part) for part in sys.path]
            needed = type(self._kept).__module__
            side = f"w{self._starts}-"
            setup = json.dumps([str(self._folder.path), side, needed, self._idle, path])
            with open(self._said, "ab") as said:  # each write goes to the end, wherever that is
                self._process = subprocess.Popen(
                    [os.fsdecode(spawn.get_executable()), "-c", _START, setup],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=said,
                    cwd=self._cwd if os.path.isdir(self._cwd) else None,
                    **options,
                )
            self._alive.append(self._process)
            return self._process

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            _kill(process)
            self._alive[:] = [other for other in self._alive if other is not process]

    def _ask(
        self,
        process: subprocess.Popen[bytes],
        request: dict[str, Any],
        report: Callable[[float | None], None],
        stopped: Callable[[], bool],
    ) -> dict[str, Any] | None:
        assert process.stdin is not None and process.stdout is not None
        begun = False
        try:
            _tell(process.stdin, request)
            for line in process.stdout:
                answer: dict[str, Any] = json.loads(line)
                if "progress" not in answer:
                    return answer
                begun = True
                report(answer["progress"])
        except (OSError, ValueError):  # the pipe broke, or was closed by `stop`
            pass
        with self._lock:
            if stopped() or not self._clear.alive:  # or the interpreter ends
                raise Cancelled
            code = process.wait()
            self._end()
        if code == _RESTED and not begun:
            return None
        raise WorkerError(_how_it_ended(code, self._last_words()))

    def _begin_saying(self) -> None:
        with suppress(OSError):
            self._said_before = self._said.stat().st_size
            if self._said_before > _MOST_KEPT:
                os.truncate(self._said, 0)
                self._said_before = 0

    def _last_words(self) -> str:
        """Return the end of what the job printed, or what was written as the process died."""
        try:
            with open(self._said, "rb") as file:
                end = file.seek(0, os.SEEK_END)
                file.seek(max(self._said_before, end - _MOST_SAID))
                said = file.read(_MOST_SAID)
        except OSError:
            return ""
        return said.decode("utf-8", "replace").strip()

    def _error(self, answer: dict[str, Any]) -> Exception:
        try:
            error = self._folder.load(answer["failed"])
        except Exception:  # of a class that is not known here, or that cannot be made anew
            error = None
        if not isinstance(error, Exception):
            error = RuntimeError(answer["text"])
        said = self._last_words()
        printed = f"\nIt printed:\n{said}\n" if said else ""
        error.__cause__ = RemoteTraceback(answer["traceback"] + printed)
        return error


def _how_it_ended(code: int, said: str) -> str:
    how = f"with exit code {code}"
    if code < 0:
        try:
            how = f"by {signal.Signals(-code).name}"
        except ValueError:
            how = f"by signal {-code}"
    text = f"the process that trains the model was ended {how}"
    if code in (-9, 137):
        text += ", most likely because memory ran short"
    text += (
        ". The next training starts a new one. If it happens again: give the machine more memory, "
        "choose lighter features= or model=, or say worker='thread'"
    )
    return f"{text}. Its last words: {said}" if said else text


def _clear(alive: list[subprocess.Popen[bytes]], folder: str, owner: int) -> None:
    if os.getpid() == owner:  # not in a copy that the kernel forked
        for process in alive:
            _kill(process)
        alive.clear()
        shutil.rmtree(folder, ignore_errors=True)


def _kill(process: subprocess.Popen[bytes]) -> None:
    if process.poll() == _RESTED:
        pass  # long ago, maybe: its number may be another's by now
    elif sys.platform != "win32":  # with the processes that a model started, also if it is gone
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    elif process.returncode is None:
        process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout):
        assert pipe is not None
        with suppress(OSError):
            pipe.close()


def _tell(pipe: IO[bytes], message: dict[str, Any]) -> None:
    pipe.write(json.dumps(message).encode() + b"\n")
    pipe.flush()


# ---------------------------------------------------------------- in the process

_START = f"""
import json, os, sys
if hasattr(os, "nice"):
    os.nice({_NICE})
folder, side, needed, idle, sys.path[:] = json.loads(sys.argv[1])
from nblabel._worker import serve
serve(folder, side, needed, idle)
"""


def serve(path: str, side: str, needed: str, idle: float) -> None:
    """Be the worker process: run the jobs that come in until the pipe closes, or none comes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # What a model prints goes to where errors go, not between the answers. Nor can it read
    # requests: a question to the user, or a debugger, is at the end of its input at once.
    answers = os.fdopen(os.dup(1), "wb")
    asked = os.fdopen(os.dup(0), "rb")
    own = [answers.fileno(), asked.fileno()]
    os.dup2(2, 1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)

    def let_go() -> None:
        while own:
            os.close(own.pop())

    if hasattr(os, "register_at_fork"):
        # A copy of this process would keep the pipes open: the kernel would not see that it died.
        os.register_at_fork(after_in_child=let_go)
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(line_buffering=True)  # the last words before a sudden end
    requests: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
    folder = Folder(path, side)
    parent = os.getppid()
    for target, args in ((_listen, (asked, requests, path)), (_watch, (parent, path))):
        threading.Thread(target=target, args=args, daemon=True).start()
    if needed.startswith("nblabel."):  # the first job will need it; what is wrong shows there
        with suppress(Exception):
            importlib.import_module(needed)
    answer = None
    request = requests.get()
    while True:
        packet, answer = answer, None
        answer = _serve_one(folder, request, answers)
        if packet is not None:  # the kernel has read it, and may have sent parts of it back
            packet.held.clear()
        del packet
        try:
            request = requests.get(timeout=idle)
        except queue.Empty:
            os._exit(_RESTED)  # what was packed stays in the folder, which the kernel removes


def _listen(asked: IO[bytes], requests: queue.SimpleQueue[dict[str, Any]], path: str) -> None:
    for line in asked:
        requests.put(json.loads(line))
    _leave(path)


def _watch(parent: int, path: str) -> None:
    # A process that the kernel forked may hold the pipe open longer than the kernel lives.
    while os.getppid() == parent:
        time.sleep(1)
    _leave(path)


_leaving = threading.Lock()


def _leave(path: str) -> None:
    _leaving.acquire()  # for good: of two that clear up, the first to be done would end the other
    shutil.rmtree(path, ignore_errors=True)  # the kernel is gone and cannot
    os._exit(0)


def _serve_one(folder: Folder, request: dict[str, Any], answers: IO[bytes]) -> Any:
    try:
        if request["kept"] is not None:
            kept = folder.load(request["kept"], keep=True)
            folder.share(_KEPT, kept)
        job = folder.load(request["job"], keep=True)
    except Exception as error:  # such as a module that is not found from here
        _tell(answers, {"unsent": f"{type(error).__name__}: {error}"})
        return None

    def report(fraction: float) -> None:
        _tell(answers, {"progress": fraction})

    _tell(answers, {"progress": None})  # from here on the job itself takes the time
    try:
        with listening(report):
            result = job()
    except BaseException as error:  # also a model's sys.exit()
        _tell(answers, {"failed": _packed_error(folder, error), **_words(error)})
        return None
    kept = folder.shared(_KEPT)
    try:
        folder.lasting(kept)
        packet = folder.dump(result)
        folder.map_attributes(kept)
    except UNPACKABLE as error:
        _tell(answers, {"unsent": f"{type(error).__name__}: {error}"})
        return None
    except Exception as error:  # no memory, no room on the disk
        _tell(answers, {"failed": _packed_error(folder, error), **_words(error)})
        return None
    _tell(answers, {"done": packet.name})
    return packet


def _packed_error(folder: Folder, error: BaseException) -> str:
    try:
        return folder.dump(error).name
    except Exception:
        return folder.dump(None).name


def _words(error: BaseException) -> dict[str, str]:
    return {"text": in_words(error), "traceback": full_story(error)}
