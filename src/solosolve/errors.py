"""The errors that Solosolve raises on purpose; each message says what was found and what would do."""

from __future__ import annotations


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
