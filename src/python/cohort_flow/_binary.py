"""Where the program ``cohort-flow`` is, and whether it is of the version of this package."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

from ._version import __version__
from .errors import BinaryNotFoundError, VersionError

#: Names the program to use in place of the one that was installed with the package.
VARIABLE = "COHORT_FLOW_BINARY"

_checked: set[tuple[str, float]] = set()


def _candidates() -> list[Path]:
    name = "cohort-flow.exe" if sys.platform == "win32" else "cohort-flow"
    schemes = [sysconfig.get_path("scripts")]
    if "" != (base := os.environ.get("PYTHONUSERBASE", "")):
        schemes.append(str(Path(base) / "bin"))
    elif hasattr(sysconfig, "get_preferred_scheme"):
        schemes.append(sysconfig.get_path("scripts", sysconfig.get_preferred_scheme("user")))
    found = [Path(folder) / name for folder in schemes if folder]
    on_path = shutil.which(name)
    return found + ([Path(on_path)] if on_path else [])


def binary() -> str:
    """Return the path of the program.

    The program named by the environment variable ``COHORT_FLOW_BINARY`` comes first, then the one beside the
    interpreter, then the one on the ``PATH``.

    Raises
    ------
    BinaryNotFoundError
        If there is none.
    VersionError
        If it is of another version than the package.
    """
    named = os.environ.get(VARIABLE)
    candidates = [Path(named)] if named else _candidates()
    for path in candidates:
        if path.is_file() and os.access(path, os.X_OK):
            _check_version(path)
            return str(path)
    if named:
        raise BinaryNotFoundError(
            f"{VARIABLE} names {named}, which is no program", "correct the variable, or unset it", "binary"
        )
    raise BinaryNotFoundError(
        "the program cohort-flow is not installed",
        "install the wheel again with pip install --force-reinstall cohort-flow, or name the program in "
        + VARIABLE,
        "binary",
    )


def _check_version(path: Path) -> None:
    key = (str(path), path.stat().st_mtime)
    if key in _checked:
        return
    try:
        run = subprocess.run(
            [str(path), "--version"], capture_output=True, text=True, timeout=60, check=False
        )
    except OSError as error:
        raise BinaryNotFoundError(
            f"{path} cannot be run: {error.strerror}",
            "install the wheel for this operating system and processor",
            "binary",
        ) from error
    words = run.stdout.split()
    found = words[1] if len(words) == 2 and words[0] == "cohort-flow" else "unknown"
    if found != __version__:
        raise VersionError(
            f"{path} is of version {found}, and this package is of version {__version__}",
            "install both from one wheel: pip install --force-reinstall cohort-flow",
            "version",
        )
    _checked.add(key)
