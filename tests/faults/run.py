"""Disturbs every command at random moments, as a machine and its users do, and checks what is left behind.

After each disturbance: an output is absent or whole, with the bytes of an undisturbed run (a replaced output
may also be the former one); an error is an exit code 2 with the word `error`, never a panic; another run, of
`fit` with `--resume`, succeeds with the bytes of an undisturbed run; and nothing temporary remains after it.
Prints a table of faults, moments and outcomes, and ends with 1 if anything was wrong.

Not tested here: a clock that goes back, a thread that panics, the loss of power.
"""

import argparse
import collections
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import limits
from jobs import JOBS, content, environment, make_inputs, temporaries


class Harness:
    """The program, its undisturbed outputs, and the tally of what happened."""

    def __init__(self, program, work, seed):
        self.program, self.work = program, work
        self.rng = random.Random(seed)
        self.tally = collections.defaultdict(collections.Counter)
        self.wrong, self.skipped = [], []
        self.whole, self.seconds = {}, {}
        make_inputs(program, work)
        self.former = content(work / "inputs" / "former")
        for job in JOBS:
            self.seconds[job] = min(self.undisturbed(job) for _ in range(2))

    def undisturbed(self, job):
        folder = self.fresh(job)
        start = time.monotonic()
        done = self.start(job, folder).communicate(self.input(job))
        seconds = time.monotonic() - start
        now = {"stdout": done[0], **{name: content(folder / name) for name in job.outputs}}
        assert all(now.values()) or not job.through_pipes, f"{job.name} failed: {done[1].decode()}"
        assert None not in now.values(), f"{job.name} wrote nothing: {done[1].decode()}"
        assert self.whole.setdefault(job, now) == now, f"{job.name} gives other bytes the second time"
        assert not temporaries(folder), f"{job.name} leaves {temporaries(folder)}"
        return seconds

    def fresh(self, job):
        """An empty folder for one run, with the former output where the job replaces one."""
        folder = self.work / "trial"
        shutil.rmtree(folder, ignore_errors=True)
        (folder / "tmp").mkdir(parents=True)
        if job.replaces:
            shutil.copytree(self.work / "inputs" / "former", folder / job.outputs[0])
        return folder

    def input(self, job):
        return (self.work / "inputs" / "table.csv").read_bytes() if job.through_pipes else b""

    def start(self, job, folder, again=False, **more):
        return subprocess.Popen(job.command(self.program, again), cwd=folder, env=environment(folder),
                                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **more)

    def begin(self, job, folder):
        """Starts a job and hands it its input without waiting for the end."""
        child = self.start(job, folder)
        try:
            child.stdin.write(self.input(job))
            child.stdin.close()
        except BrokenPipeError:
            pass
        return child

    def note(self, fault, job, outcome, wrong=None):
        self.tally[(fault, job.name)][outcome if wrong is None else "WRONG"] += 1
        if wrong is not None:
            self.wrong.append(f"{fault}, {job.name}: {wrong}")
            print(f"WRONG {self.wrong[-1]}", file=sys.stderr)

    def left(self, job, folder):
        """What of the outputs is there: `whole`, `none`, `former`, or what is wrong with it."""
        found = set()
        for name in job.outputs:
            now = content(folder / name)
            if now == self.whole[job][name]:
                found.add("whole")
            elif now is None:
                found.add("none")
            elif job.replaces and now == self.former:
                found.add("former")
            else:
                return f"{name} is neither whole nor absent"
        if found <= {"none"} and job.replaces:
            kept = [p for p in temporaries(folder) if p.endswith(".former")]
            return "moved aside" if kept else "the former output is lost"
        # Of two files, the first may have been finished.
        return "none" if not found else min(found, key=["none", "former", "whole"].index)

    def again(self, job, folder):
        """Runs the job to its end, and returns what is wrong afterwards."""
        if not job.replaces:
            for name in job.outputs:
                (folder / name).unlink() if (folder / name).is_file() else shutil.rmtree(
                    folder / name, ignore_errors=True)
        child = self.start(job, folder, again=True)
        out, err = child.communicate(self.input(job))
        if child.returncode != 0:
            return f"the next run ended with {child.returncode}: {err.decode()[-300:]}"
        if {"stdout": out, **{name: content(folder / name) for name in job.outputs}} != self.whole[job]:
            return "the next run gave other bytes"
        remaining = temporaries(folder)
        others = {p.name for p in folder.iterdir()} - {"tmp", *job.outputs}
        if remaining or others:
            return f"after the next run there remain {remaining} {sorted(others)}"
        return None

    def judge(self, fault, job, folder, child, error, expected):
        """Notes the outcome of a run that was disturbed; `expected` are the exit codes that are in order."""
        state = self.left(job, folder)
        text = error.decode(errors="replace")
        wrong = None
        if state not in ("whole", "none", "former", "moved aside"):
            wrong = state
        elif "panicked" in text:
            wrong = f"panic: {text[-300:]}"
        elif child.returncode not in expected:
            wrong = f"exit code {child.returncode}: {text[-300:]}"
        elif child.returncode == 2 and "error" not in text:
            wrong = "no error is told"
        elif child.returncode in (2, 130) and temporaries(folder):
            wrong = f"it cleared nothing up: {temporaries(folder)}"
        elif child.returncode == 0 and job.outputs and state != "whole":
            wrong = f"success, and the output is {state}"
        outcome = {0: "finished first", 2: "error"}.get(child.returncode, "ended")
        wrong = wrong or self.again(job, folder)
        self.note(fault, job, f"{outcome}, {state}" if job.outputs else outcome, wrong)

    def disturb(self, fault, job, by, moments, expected):
        """Sends a signal at random moments: half of them anywhere, half after an output was begun."""
        for moment in range(moments):
            folder = self.fresh(job)
            child = self.begin(job, folder)
            start = time.monotonic()
            wait = self.rng.random() * self.seconds[job]
            if moment % 2:
                while child.poll() is None and not temporaries(folder):
                    pass
                start, wait = time.monotonic(), wait * 0.2
            while child.poll() is None and time.monotonic() - start < wait:
                time.sleep(0.0005)
            child.send_signal(by)
            out, err = child.stdout.read(), child.stderr.read()
            child.wait()
            # Before the handler is there, a signal ends the process as it ends any other.
            early = [-by] if by == signal.SIGKILL or not temporaries(folder) else []
            self.judge(fault, job, folder, child, err, [*expected, *early])

    def two_at_once(self, job, moments):
        """Two processes with the same output: one is whole, and the other succeeds or is refused."""
        for _ in range(moments):
            folder = self.fresh(job)
            pair = [self.begin(job, folder) for _ in range(2)]
            ends = [(child.stdout.read(), child.stderr.read(), child.wait()) for child in pair]
            codes = sorted(end[2] for end in ends)
            texts = b"".join(end[1] for end in ends).decode()
            state = self.left(job, folder)
            wrong = None
            if codes not in ([0, 0], [0, 2]) or "panicked" in texts:
                wrong = f"exit codes {codes}: {texts[-300:]}"
            elif job.outputs and state != "whole":
                wrong = f"the output is {state}"
            elif temporaries(folder):
                wrong = f"there remain {temporaries(folder)}"
            self.note("two at once", job, "both" if codes == [0, 0] else "one refused", wrong)

    def closed_pipe(self, job):
        """The reader of standard output and standard error has gone."""
        for stream in ("stdout", "stderr"):
            folder = self.fresh(job)
            read, write = os.pipe()
            os.close(read)
            command = [c for c in job.command(self.program) if c != "--quiet"]
            with open(self.work / "inputs" / "table.csv", "rb") as table:
                child = subprocess.Popen(command, cwd=folder, env=environment(folder), stdin=table,
                                         **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, stream: write})
            os.close(write)
            err = child.stderr.read() if child.stderr else b""
            child.stdout.read() if child.stdout else None
            child.wait()
            self.judge(f"closed {stream}", job, folder, child, err, [0])

    def print_table(self):
        print(f"{'fault':<22} {'command':<20} {'moments':>7}  outcome")
        for (fault, name), outcomes in self.tally.items():
            told = ", ".join(f"{count} × {outcome}" for outcome, count in sorted(outcomes.items()))
            print(f"{fault:<22} {name:<20} {sum(outcomes.values()):>7}  {told}")
        for text in self.skipped:
            print(text)
        print(f"{len(self.wrong)} wrong" if self.wrong else "nothing wrong")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program", type=lambda path: str(Path(path).resolve()))
    parser.add_argument("--moments", type=int, default=50, help="SIGKILLs for each command [50]")
    parser.add_argument("--short", action="store_true", help="4 SIGKILLs for each command, 2 of each other signal")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", help="names of faults, comma-separated: kill,signals,limits,folders,pipes,two")
    chosen = parser.parse_args()
    moments = 4 if chosen.short else chosen.moments
    few = 2 if chosen.short else max(4, moments // 5)
    only = set(chosen.only.split(",")) if chosen.only else {"kill", "signals", "limits", "folders", "pipes", "two"}
    with tempfile.TemporaryDirectory(prefix="faults-") as work:
        harness = Harness(chosen.program, Path(work), chosen.seed)
        for job in JOBS:
            if "kill" in only:
                harness.disturb("SIGKILL", job, signal.SIGKILL, moments, [0])
            if "signals" in only:
                for by in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
                    harness.disturb(by.name, job, by, few, [0, 130])
            if "two" in only:
                harness.two_at_once(job, few)
            if "pipes" in only:
                harness.closed_pipe(job)
            if "limits" in only:
                limits.starve(harness, job)
            if "folders" in only:
                limits.refuse(harness, job)
        harness.print_table()
    sys.exit(1 if harness.wrong else 0)


if __name__ == "__main__":
    main()
