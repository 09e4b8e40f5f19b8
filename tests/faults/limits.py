"""Faults that are limits: of the size of files, of disks, of memory, of the stack, and of permissions."""

import os
import resource
import shutil
import signal
import subprocess
import sys

# Bytes that a file may have, from none at all to nearly enough.
SIZES = [0, 100, 1000, 5000, 20_000, 100_000]
# Address space in MB. The program itself maps about 100 MB.
SPACES = [80, 120, 160, 240, 400]
# Stacks of the main thread in MB; 8 is what most systems give.
STACKS = [8, 64]
NOBODY = 65534


def limited(kind, amount):
    """What runs in the child before the program: a limit, and errors instead of signals where it is met."""
    def prepare():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(kind, (amount, amount))
    return prepare


def run(harness, job, folder, **more):
    child = harness.start(job, folder, **more)
    out, err = child.communicate(harness.input(job))
    return child, err


def starve(harness, job):
    """Disks that are full after some bytes, little memory, and the stacks of other systems."""
    for size in SIZES:
        folder = harness.fresh(job)
        child, err = run(harness, job, folder, preexec_fn=limited(resource.RLIMIT_FSIZE, size))
        harness.judge("file size limit", job, folder, child, err, [0, 2])
    for space in SPACES:
        folder = harness.fresh(job)
        child, err = run(harness, job, folder, preexec_fn=limited(resource.RLIMIT_AS, space << 20))
        # An allocation that fails inside a library ends the process at once; it must have said so.
        said = b"memory" in err
        harness.judge("memory limit", job, folder, child, err, [0, 2, *([-signal.SIGABRT] if said else [])])
    for stack in STACKS:
        folder = harness.fresh(job)
        child, err = run(harness, job, folder, preexec_fn=limited(resource.RLIMIT_STACK, stack << 20))
        harness.judge("stack limit", job, folder, child, err, [0])
    full_disk(harness, job)


def full_disk(harness, job):
    """A file system of a few pages, when there is the right to mount one."""
    place = harness.work / "disk"
    place.mkdir(exist_ok=True)
    for kilobytes in (4, 16, 64, 256):
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", str(place)],
                                 stderr=subprocess.DEVNULL).returncode == 0
        if not mounted:
            once(harness, "full disk: skipped, no file system can be mounted here")
            return
        try:
            shutil.rmtree(harness.work / "trial", ignore_errors=True)
            os.symlink(place, harness.work / "trial")
            (place / "tmp").mkdir()
            if job.replaces:
                try:
                    shutil.copytree(harness.work / "inputs" / "former", place / job.outputs[0])
                except (OSError, shutil.Error):
                    continue  # There is no room for the former output itself.
            child, err = run(harness, job, place)
            # What is next is run where there is room.
            subprocess.run(["mount", "-o", "remount,size=64m", str(place)], check=True)
            harness.judge("full disk", job, place, child, err, [0, 2])
        finally:
            os.unlink(harness.work / "trial")
            subprocess.run(["umount", str(place)], check=True)


def refuse(harness, job):
    """Folders and inputs that one may not write or read. Root is let in everywhere, and so gives way."""
    as_whom = {}
    if os.getuid() == 0:
        as_whom = {"user": NOBODY, "group": NOBODY, "extra_groups": []}
        os.chmod(harness.work, 0o755)
        try:
            subprocess.run([harness.program, "--version"], stdout=subprocess.DEVNULL, check=True, **as_whom)
        except (OSError, subprocess.CalledProcessError):
            once(harness, "permissions: skipped, since root is let in everywhere and `nobody` may not run "
                          "the program")
            return
    if job.outputs:
        folder = harness.fresh(job)
        os.chmod(folder, 0o555)
        child, err = run(harness, job, folder, **as_whom)
        os.chmod(folder, 0o755)
        told = b"permission is denied" in err and b"hint" in err
        harness.judge("read-only folder", job, folder, child, err, [2] if told else [])
    inputs = harness.work / "inputs"
    folder = harness.fresh(job)
    os.chmod(inputs, 0o000)
    os.chmod(folder, 0o777)
    os.chmod(folder / "tmp", 0o777)
    child = harness.start(job, folder, **as_whom)
    err = child.communicate(b"id,x\n1,2\n")[1]
    os.chmod(inputs, 0o755)
    harness.judge("unreadable input", job, folder, child, err, [2] if b"error" in err else [])


def once(harness, text):
    if text not in harness.skipped:
        harness.skipped.append(text)
        print(text, file=sys.stderr)
