"""One run of the program: what goes in, what comes out, progress, warnings and errors."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import warnings
from collections.abc import Callable, Sequence
from typing import IO, Any, Optional

from ._binary import binary
from .errors import CohortFlowError, CohortFlowWarning, ProcessError, UsageError, of_kind

#: Seconds that the program has to clean up when it is told to end.
PATIENCE = 10.0


def start(arguments: Sequence[str], environment: Optional[dict[str, str]] = None, **options: Any) -> Any:
    """Start the program with standard input and output as pipes.

    It gets a process group of its own, so that Ctrl-C reaches Python alone, which then ends the program in
    good order.
    """
    group: dict[str, Any] = {}
    if sys.platform == "win32":
        group["creationflags"] = subprocess.CREATE_NEW_PROCESS_GROUP
    else:
        group["start_new_session"] = True
    return subprocess.Popen(
        [binary(), *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, **(environment or {})},
        **group,
        **options,
    )


def end(process: Any) -> None:
    """End a program that is running: asked first, so that it can remove what is unfinished, then forced."""
    if process.poll() is None:
        process.terminate()
        try:
            # A fit answers the first signal with a checkpoint; the second one ends it at once.
            process.wait(timeout=PATIENCE / 4)
        except subprocess.TimeoutExpired:
            process.terminate()
            try:
                process.wait(timeout=PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
    for stream in (process.stdin, process.stdout, process.stderr):
        if stream is not None:
            try:
                stream.close()
            except OSError:
                # A pipe to a program that has ended may refuse its last bytes.
                pass


def warn(message: str) -> None:
    """Give a warning of the program as one of Python, at the line of the user's that caused it."""
    level, frame = 1, sys._getframe(0)
    while frame is not None and frame.f_globals.get("__name__", "").split(".")[0] in (
        "cohort_flow",
        "sklearn",
    ):
        level, frame = level + 1, frame.f_back  # type: ignore[assignment]
    warnings.warn(message, CohortFlowWarning, stacklevel=level)


class _Progress:
    """A bar of tqdm for each step, if tqdm is installed and somebody can see it."""

    def __init__(self, shown: Optional[bool]) -> None:
        self._bar: Any = None
        self._step: Optional[str] = None
        self._make: Optional[Callable[..., Any]] = None
        notebook = "ipykernel" in sys.modules
        if shown is False or (shown is None and not (notebook or sys.stderr.isatty())):
            return
        try:
            from tqdm.auto import tqdm
        except ImportError:
            return
        self._make = tqdm

    def show(self, event: dict[str, Any]) -> None:
        if self._make is None:
            return
        if event["step"] != self._step:
            self.close()
            self._step = event["step"]
            self._bar = self._make(total=event["total"] or None, desc=self._step, leave=False, unit="")
        self._bar.n = event["done"]
        self._bar.set_postfix_str(event.get("text", ""), refresh=False)
        self._bar.refresh()

    def close(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None


class _Listener(threading.Thread):
    """Reads what the program writes to standard error, a JSON object a line."""

    def __init__(self, stream: IO[bytes], progress: _Progress) -> None:
        super().__init__(daemon=True)
        self._stream = stream
        self._progress = progress
        self.warnings: list[str] = []
        self.error: Optional[CohortFlowError] = None
        self.other: list[str] = []
        self.notes: list[str] = []

    def run(self) -> None:
        for line in self._stream:
            text = line.decode("utf-8", "replace").rstrip("\n")
            try:
                event = json.loads(text)
                kind = event["event"]
            except (ValueError, KeyError, TypeError):
                self.other.append(text)
                continue
            if kind == "progress":
                self._progress.show(event)
            elif kind == "warning":
                self.warnings.append(event["text"])
            elif kind == "note":
                self.notes.append(event["text"])
            elif kind == "error":
                self.error = of_kind(event["kind"], event["message"], event["hint"])
        self._progress.close()


def run(
    arguments: Sequence[str],
    feed: Optional[Callable[[IO[bytes]], None]] = None,
    progress: Optional[bool] = None,
    n_jobs: Optional[int] = None,
) -> bytes:
    """Run the program to its end and return what it wrote to standard output.

    Parameters
    ----------
    arguments : sequence of str
        Command and options.
    feed : callable, optional
        Writes what the program reads on standard input.
    progress : bool, optional
        Whether to show bars; by default in a terminal and in a notebook.
    n_jobs : int, optional
        Number of threads; all cores by default.

    Raises
    ------
    CohortFlowError
        What the program reports, as the exception of its kind.
    KeyboardInterrupt
        After Ctrl-C, when the program has ended.
    """
    words = [*arguments, "--messages", "json", *threads(n_jobs)]
    process = start(words, stderr=subprocess.PIPE)
    listener = _Listener(process.stderr, _Progress(progress))
    listener.start()
    collected: list[bytes] = []
    reader = threading.Thread(target=lambda: collected.append(process.stdout.read()), daemon=True)
    reader.start()
    try:
        try:
            if feed is not None:
                feed(process.stdin)
            process.stdin.close()
        except BrokenPipeError:
            # The program has ended before it had read everything; it says why on standard error.
            pass
        process.wait()
    except BaseException:
        end(process)
        raise
    listener.join()
    reader.join()
    end(process)
    for text in listener.warnings:
        warn(text)
    if process.returncode != 0:
        raise _failure(process.returncode, arguments, listener)
    return b"".join(collected)


def _failure(code: int, arguments: Sequence[str], listener: _Listener) -> CohortFlowError:
    if listener.error is not None:
        return listener.error
    said = "\n".join(listener.other).strip()
    if code == 2 and said:
        # The parser of arguments reports in words of its own.
        return UsageError(said.removeprefix("error: ").split("\n\nUsage:")[0], None, "usage")
    return died(code, arguments[0], said)


def died(code: Optional[int], command: str, said: str = "") -> ProcessError:
    """Make the exception for a program that ended without an answer."""
    if code is not None and code < 0:
        try:
            how = f"was ended by the signal {signal.Signals(-code).name}"
        except ValueError:
            how = f"was ended by signal {-code}"
        hint = "where the memory of the machine was too small, use fewer records or fewer threads (n_jobs)"
    else:
        how = f"ended with status {code}"
        hint = "run the command in a terminal with -v to see more"
    return ProcessError(f"cohort-flow {command} {how}" + (f": {said}" if said else ""), hint, "process")


def threads(n_jobs: Optional[int]) -> list[str]:
    """Return the option that limits threads, by the conventions of scikit-learn."""
    if n_jobs is None:
        return []
    if n_jobs == 0:
        raise UsageError(
            "n_jobs is 0, and no work is done by no thread", "use 1, or -1 for all cores", "usage"
        )
    if n_jobs < 0:
        n_jobs = max(1, (os.cpu_count() or 1) + 1 + n_jobs)
    return ["--threads", str(n_jobs)]
