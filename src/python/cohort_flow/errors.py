"""Exceptions and the warning of this package.

Every exception has the message of the program and, where there is one, its hint: what to do about it. Those
that tell of wrong input are also a ``ValueError``, as scikit-learn expects.
"""

from __future__ import annotations

from typing import Optional

__all__ = [
    "BinaryNotFoundError",
    "BundleError",
    "CohortFlowError",
    "CohortFlowWarning",
    "FileError",
    "FitFailedError",
    "FlagError",
    "InputError",
    "ModelError",
    "OutputExistsError",
    "ProcessError",
    "ReportError",
    "SchemaError",
    "UsageError",
    "VersionError",
    "of_kind",
]


class CohortFlowWarning(UserWarning):
    """Something the user should know about a result."""


class CohortFlowError(Exception):
    """Why something could not be done.

    Attributes
    ----------
    message : str
        What is wrong, where, and what is allowed.
    hint : str or None
        What to do about it.
    kind : str
        The stage that reports it, in one word.
    """

    def __init__(self, message: str, hint: Optional[str] = None, kind: str = "error") -> None:
        super().__init__(message, hint, kind)
        self.message = message
        self.hint = hint
        self.kind = kind

    def __str__(self) -> str:
        return f"{self.message}\nhint: {self.hint}" if self.hint else self.message


class InputError(CohortFlowError, ValueError):
    """The records cannot be read as they are."""


class SchemaError(CohortFlowError, ValueError):
    """A schema, a pipeline or a setting is wrong."""


class UsageError(CohortFlowError, ValueError):
    """Options that do not go together, or a value that is not allowed."""


class BundleError(CohortFlowError, ValueError):
    """Splits or transforms cannot be made, or a folder is no bundle."""


class FitFailedError(CohortFlowError, ValueError):
    """A model cannot be fitted to these records."""


class ModelError(CohortFlowError):
    """A folder is no model, is damaged, or was made by another version."""


class FlagError(CohortFlowError, ValueError):
    """Records cannot be flagged or completed with this model."""


class ReportError(CohortFlowError, ValueError):
    """A report cannot be made of these models and this bundle."""


class OutputExistsError(CohortFlowError, FileExistsError):
    """An output is there already, or cannot be written."""

    # The constructor of an operating-system error would take the arguments for an error number and its text.
    def __new__(cls, *arguments: object) -> OutputExistsError:
        return FileExistsError.__new__(cls)


class FileError(CohortFlowError):
    """The operating system refused to read or write a file."""


class ProcessError(CohortFlowError, RuntimeError):
    """The program ended without an answer: it was killed, or it broke down."""


class BinaryNotFoundError(CohortFlowError):
    """The program ``cohort-flow`` is not installed."""


class VersionError(CohortFlowError):
    """The program is of another version than this package."""


_KINDS: dict[str, type[CohortFlowError]] = {
    "schema": SchemaError,
    "input": InputError,
    "bundle": BundleError,
    "model": ModelError,
    "fit": FitFailedError,
    "flag": FlagError,
    "completion": FlagError,
    "report": ReportError,
    "output": OutputExistsError,
    "io": FileError,
    "usage": UsageError,
    "protocol": UsageError,
    "labels": InputError,
}


def of_kind(kind: str, message: str, hint: Optional[str]) -> CohortFlowError:
    """Make the exception for an error that the program reports.

    Parameters
    ----------
    kind : str
        The stage that reports it.
    message : str
        What is wrong.
    hint : str or None
        What to do about it.

    Returns
    -------
    CohortFlowError
        An instance of the class that belongs to the kind.
    """
    return _KINDS.get(kind, CohortFlowError)(message, hint, kind)
