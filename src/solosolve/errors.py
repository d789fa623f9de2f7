"""The errors that Solosolve raises; each message says what was wrong, what was found and what to do."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from solosolve.names import MADE_BY, Table
from solosolve.where import command_here

_TRACEBACK = "Traceback (most recent call last)"
_JAVA_CAUSE = re.compile(r"(?:Caused by)?: (?=[\w.$]+)")
_RAISED = re.compile(r"[A-Za-z_][\w.]*(?:Error|Exception|Interrupt|Exit)\b")


class SolosolveError(Exception):
    """A failure, explained in one line to the person who ran the command (exit code 1)."""

    def __reduce__(self) -> tuple[Any, ...]:
        # By default, unpickling would call the constructor, whose arguments differ, with the message.
        return type(self).__new__, (type(self), *self.args), self.__dict__


class SettingsError(SolosolveError):
    """A setting is missing or has a value that is not allowed (exit code 2)."""


class UsageError(SolosolveError):
    """A command got arguments that it does not accept (exit code 2)."""


class MissingDependencyError(SolosolveError):
    """Something that the machine must provide is missing: Java, Delta's jars, a port."""


class NotAComplaintFileError(SolosolveError):
    """A file has no header with the complaint columns."""


class NotAFeedbackFileError(SolosolveError):
    """A file has no feedback events, or cannot be read."""


class RefusedFilesError(NotAComplaintFileError):
    """Some files of a landing were refused; the others have been landed.

    Attributes:
        reasons: One line per refused file.
    """

    def __init__(self, reasons: Sequence[str], file_count: int) -> None:
        listed = "".join(f"\n  {reason}" for reason in reasons)
        super().__init__(f"{len(reasons)} of {file_count} files refused, the others have been landed:{listed}")
        self.reasons = tuple(reasons)


class RefusedMessageError(SolosolveError):
    """A message is not a complaint or not a request; it is set aside with the reason."""


class BundleError(SolosolveError):
    """The bundle's YAML cannot be read or run."""


class TaskFailedError(SolosolveError):
    """A task of a job failed; the message names the task."""


class BusyError(SolosolveError):
    """Another process is doing the same work on the same tables."""


class ConservationError(SolosolveError):
    """Rows were lost or duplicated: the number read is not the number accounted for."""


class LeakageError(SolosolveError):
    """A feature would read a column that is known only after the outcome."""


class ModelError(SolosolveError):
    """A model cannot be trained, loaded or applied."""


class TableError(SolosolveError):
    """A table is missing, broken, or does not match its schema."""


class UnreadableTablesError(TableError):
    """Tables cannot be read; the message says which and since when, and the log why.

    Attributes:
        tables: The tables, at least one of which cannot be read.
        since: When that was first noticed, in UTC.
    """

    def __init__(self, tables: Sequence[Table], since: datetime) -> None:
        names = " or ".join(map(str, tables))
        super().__init__(f"{names} cannot be read since {since:%Y-%m-%d %H:%M} UTC; the dashboard's log says why")
        self.tables, self.since = tuple(tables), since


class NotYetError(SolosolveError):
    """Something that a command makes has not been made yet.

    Attributes:
        command: The command that makes it, as it works where the process runs.
    """

    def __init__(self, found: str, command: str) -> None:
        command = command_here(command)
        super().__init__(f"{found}; run: {command}")
        self.found = found
        self.command = command


class MissingTableError(NotYetError, TableError):
    """A table has not been made yet.

    Attributes:
        table: The table.
        command: The command that makes it.
    """

    def __init__(self, table: Table) -> None:
        super().__init__(f"table {table} does not exist yet", MADE_BY[table])
        self.table = table


class NoChampionError(NotYetError, ModelError):
    """No model has been promoted yet."""

    def __init__(self) -> None:
        super().__init__("there is no champion model yet", "solosolve run train_model")


class DownloadError(SolosolveError):
    """The published CSV could not be downloaded completely."""


class BrokerError(SolosolveError):
    """No Kafka broker can be reached, or the login fails."""


class ClusterError(SolosolveError):
    """A Spark cluster on this machine does not start, or a run on it differs from one without it."""


class CheckpointError(SolosolveError):
    """The checkpoint of a stream is missing, or is not the one that its table was written from."""


class StoppedError(SolosolveError):
    """A task stopped on request, between two batches: nothing failed, but the work is not done."""


def one_line(error: BaseException) -> str:
    """An error's message in one line, preceded by its type unless it is one of the project's.

    For an error in a Spark worker, this is the last line of the worker's traceback; for one in the JVM, the innermost
    cause.
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
