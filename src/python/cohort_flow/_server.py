"""A model that is loaded in a process of its own and answers one request after the other."""

from __future__ import annotations

import io
import json
import os
import struct
import tempfile
import threading
import weakref
from pathlib import Path
from typing import IO, Any, Optional

import numpy as np
import pyarrow as pa

from ._process import died, end, start, threads, warn
from ._records import Records
from .errors import CohortFlowError, VersionError, of_kind

_PROTOCOL = 1
_CHUNK = 1 << 20


class _ChunkSink(io.RawIOBase):
    """Writes chunks to a pipe: the length in four bytes, then the bytes; a length of 0 ends them."""

    def __init__(self, pipe: IO[bytes]) -> None:
        super().__init__()
        self._pipe = pipe
        self._held = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        view = memoryview(data)
        if len(self._held) + view.nbytes >= _CHUNK:
            self._send(self._held)
            self._held = bytearray()
            for at in range(0, view.nbytes, _CHUNK):
                self._send(view[at : at + _CHUNK])
        else:
            self._held += view
        return view.nbytes

    def _send(self, data: Any) -> None:
        if len(data) > 0:
            self._pipe.write(struct.pack("<I", len(data)))
            self._pipe.write(data)

    def finish(self) -> None:
        self._send(self._held)
        self._held = bytearray()
        self._pipe.write(struct.pack("<I", 0))
        self._pipe.flush()


class _ChunkSource(io.RawIOBase):
    """Reads the same back."""

    def __init__(self, pipe: IO[bytes]) -> None:
        super().__init__()
        self._pipe = pipe
        self._left = 0
        self._ended = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if self._left == 0 and not self._ended:
            self._left = int(struct.unpack("<I", _exactly(self._pipe, 4))[0])
            self._ended = self._left == 0
        wanted = min(self._left, len(buffer))
        if wanted == 0:
            return 0
        data = _exactly(self._pipe, wanted)
        buffer[:wanted] = data
        self._left -= wanted
        return wanted


def _column(reader: Any, name: str) -> Any:
    """Return one column of a stream. It is copied batch by batch, as a view would keep the whole batch alive."""
    parts = [np.array(batch.column(name).to_numpy(zero_copy_only=False)) for batch in reader]
    return np.concatenate(parts) if parts else np.empty(0)


def _exactly(pipe: IO[bytes], n: int) -> bytes:
    data = pipe.read(n)
    if len(data) != n:
        raise EOFError("the answer breaks off")
    return data


class Server:
    """The process, its pipes and its temporary folder.

    Parameters
    ----------
    folder : path
        The model folder.
    n_jobs : int, optional
        Number of threads.
    """

    def __init__(self, folder: Path, n_jobs: Optional[int] = None) -> None:
        self.owner = os.getpid()
        self._lock = threading.Lock()
        self._errors = tempfile.TemporaryFile()
        # Records lie here while they are judged; the folder goes even when the process is killed.
        self._folder = tempfile.TemporaryDirectory(prefix="cohort-flow-")
        words = ["serve", str(folder), "--stdio", "--messages", "json", *threads(n_jobs)]
        self._process = start(words, {"TMPDIR": self._folder.name}, stderr=self._errors)
        self._finalizer = weakref.finalize(self, _stop, self.owner, self._process, self._folder, self._errors)
        try:
            self.description: dict[str, Any] = self._read_line()["ready"]
            if self.description["protocol"] != _PROTOCOL:
                raise VersionError(
                    f"the program speaks version {self.description['protocol']} of the protocol",
                    f"this package speaks version {_PROTOCOL}; install both from one wheel",
                    "version",
                )
        except BaseException:
            self.close()
            raise

    @property
    def process_id(self) -> int:
        """Identifier of the process."""
        return int(self._process.pid)

    @property
    def alive(self) -> bool:
        """Whether it runs, and belongs to this Python process."""
        return self.owner == os.getpid() and self._finalizer.alive and self._process.poll() is None

    def ask(
        self, request: dict[str, Any], records: Optional[Records] = None, column: Optional[str] = None
    ) -> tuple[dict[str, Any], Any]:
        """Send a request and return the facts and the table of the answer.

        Parameters
        ----------
        request : dict
            What to do and with which options.
        records : Records, optional
            The records it is about.
        column : str, optional
            Return this column of the table alone, as a NumPy array.

        Raises
        ------
        CohortFlowError
            What the program reports about the request.
        ProcessError
            If the process ended.
        """
        with self._lock:
            try:
                return self._ask(request, records, column)
            except (BrokenPipeError, EOFError) as error:
                raise self._died() from error
            except CohortFlowError:
                raise
            except BaseException:
                # An answer may be half read: the next request needs a process that has not been asked
                # anything.
                self.close()
                raise

    def _ask(
        self, request: dict[str, Any], records: Optional[Records], column: Optional[str]
    ) -> tuple[dict[str, Any], Any]:
        pipe = self._process.stdin
        line = {key: value for key, value in request.items() if value is not None}
        pipe.write(json.dumps(line).encode() + b"\n")
        if records is not None:
            sink = _ChunkSink(pipe)
            records.write(sink)
            sink.finish()
        else:
            pipe.flush()
        answer = self._read_line()
        if not answer["ok"]:
            error = answer["error"]
            raise of_kind(error["kind"], error["message"], error["hint"])
        for message in answer["messages"]:
            warn(message["text"])
        table = None
        if answer["data"]:
            # Arrow wants as many bytes as it asks for, and a chunk ends where it ends.
            source = io.BufferedReader(_ChunkSource(self._process.stdout), _CHUNK)
            reader = pa.ipc.open_stream(pa.PythonFile(source, mode="r"))
            table = reader.read_all() if column is None else _column(reader, column)
            # What stands behind the end mark of the stream is the end of the chunks.
            while source.read(4096):
                pass
        return answer, table

    def _read_line(self) -> dict[str, Any]:
        try:
            line = self._process.stdout.readline()
        except ValueError as error:
            raise EOFError("the pipe is closed") from error
        if not line.endswith(b"\n"):
            raise self._died()
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _died(self) -> Exception:
        end(self._process)
        self._errors.seek(0)
        said = []
        for line in self._errors.read().decode("utf-8", "replace").splitlines():
            try:
                event = json.loads(line)
                if event["event"] == "error":
                    return of_kind(event["kind"], event["message"], event["hint"])
            except (ValueError, KeyError, TypeError):
                said.append(line)
        code = self._process.returncode
        self.close()
        return died(code, "serve", "\n".join(said).strip())

    def close(self) -> None:
        """End the process and remove its folder."""
        self._finalizer()


def _stop(owner: int, process: Any, folder: tempfile.TemporaryDirectory[str], errors: IO[bytes]) -> None:
    if owner != os.getpid():
        # A copy of this Python process, made by fork, ends; the server is not its own.
        return
    try:
        process.stdin.close()
    except OSError:
        pass
    end(process)
    folder.cleanup()
    errors.close()
