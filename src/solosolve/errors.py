"""The errors that Solosolve raises on purpose; each message says what was found and what would do."""

from __future__ import annotations

import re

_TRACEBACK = "Traceback (most recent call last)"
_JAVA_CAUSE = re.compile(r"(?:Caused by)?: (?=[\w.$]+)")
_RAISED = re.compile(r"[A-Za-z_][\w.]*(?:Error|Exception|Interrupt|Exit)\b")


class SolosolveError(Exception):
    """A failure with a one-line explanation for the person who ran the command (exit code 1)."""


class SettingsError(SolosolveError):
    """A setting is missing or has a value that is not allowed (exit code 2)."""


class UsageError(SolosolveError):
    """A command was called with words that it does not take (exit code 2)."""


class MissingDependencyError(SolosolveError):
    """Something that the machine must provide (Java, Delta's jars, a port) is not there."""


class NotAComplaintFileError(SolosolveError):
    """A landed file has no header with the complaint columns."""


class BundleError(SolosolveError):
    """The bundle's YAML is not what the runner can run."""


class TaskFailedError(SolosolveError):
    """A task of a job failed; the message names the task."""


class BusyError(SolosolveError):
    """Another process does the same work on the same tables."""


class ConservationError(SolosolveError):
    """Rows read and rows accounted for differ."""


class LeakageError(SolosolveError):
    """A column that is known only after the outcome was asked for as a feature."""


class ModelError(SolosolveError):
    """A model cannot be trained, loaded or applied."""


class TableError(SolosolveError):
    """A table is missing or is not what its schema says."""


class DownloadError(SolosolveError):
    """The published CSV could not be fetched whole."""


class BrokerError(SolosolveError):
    """A Kafka broker cannot be reached, or does not let us in."""


class CheckpointError(SolosolveError):
    """A stream's checkpoint is missing, or is not the one that its table was written from."""


class StoppedError(SolosolveError):
    """A task was told to stop, and did, with all that it had begun whole: nothing failed, and it is not done."""


def one_line(error: BaseException) -> str:
    """What an error says in one line, with its kind where the project did not raise it itself.

    Of an error in a Spark worker, whose message holds the worker's traceback, this is the traceback's last line; of
    one in the JVM its innermost cause.
    """
    lines = str(error).strip().splitlines()
    if isinstance(error, SolosolveError):
        return lines[0] if lines else ""
    raised_in_worker = [line for line in lines if _RAISED.match(line)] if _TRACEBACK in str(error) else []
    if raised_in_worker:
        return raised_in_worker[-1]
    causes = [line[found.end() :].strip() for line in lines if (found := _JAVA_CAUSE.match(line))]
    if causes:
        return causes[-1]
    return f"{type(error).__name__}: {lines[0] if lines else ''}"
