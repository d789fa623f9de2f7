"""YAML as a tree that knows where each of its values was written, and what was found wrong with it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any


@dataclass(frozen=True, order=True)
class Place:
    """A place in a file; lines and columns start at 1."""

    file: Path
    line: int = 1
    column: int = 1


@dataclass(frozen=True)
class Node:
    """A value and its place.

    Attributes:
        value: A scalar, a dictionary of nodes by key, or a list of nodes.
        place: Where the value begins.
        key: Where its key is written, for a value in a mapping.
    """

    value: Any
    place: Place
    key: Place | None = None

    @property
    def is_mapping(self) -> bool:
        """Whether the value is a mapping."""
        return isinstance(self.value, dict)

    @property
    def is_list(self) -> bool:
        """Whether the value is a list."""
        return isinstance(self.value, list)

    @property
    def entries(self) -> dict[str, Node]:
        """The nodes of a mapping by key; empty for anything else."""
        return self.value if isinstance(self.value, dict) else {}

    @property
    def elements(self) -> list[Node]:
        """The nodes of a list; empty for anything else."""
        return self.value if isinstance(self.value, list) else []

    def at(self, *path: str | int) -> Node | None:
        """The node below some keys and positions; None when there is none, or it is null."""
        found: Node | None = self
        for step in path:
            if found is None:
                return None
            if isinstance(step, int):
                found = found.elements[step] if -len(found.elements) <= step < len(found.elements) else None
            else:
                found = found.entries.get(step)
        return None if found is None or found.value is None else found

    def text(self, *path: str | int, default: str = "") -> str:
        """The scalar below some keys as text; the default when there is none."""
        found = self.at(*path)
        return default if found is None or found.is_mapping or found.is_list else as_text(found.value)

    def plain(self) -> Any:
        """The value without places."""
        if self.is_mapping:
            return {key: node.plain() for key, node in self.entries.items()}
        return [node.plain() for node in self.elements] if self.is_list else self.value

    def with_entries(self, **entries: Node) -> Node:
        """A mapping with some entries replaced or added."""
        return replace(self, value=self.entries | entries)

    def walk(self, path: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], Node]]:
        """Every node from here down, each with its path."""
        yield path, self
        for key, node in self.entries.items():
            yield from node.walk((*path, key))
        for position, node in enumerate(self.elements):
            yield from node.walk((*path, position))


@dataclass(frozen=True, order=True)
class Finding:
    """One thing that is wrong with a bundle.

    Attributes:
        place: Where it was written.
        found: What was found there.
        allowed: What is allowed instead.
    """

    place: Place
    found: str
    allowed: str

    def describe(self, root: Path) -> str:
        """The finding in one line; the file is named relative to the bundle's folder."""
        file = self.place.file
        shown = file.relative_to(root) if file.is_relative_to(root) else file
        return f"{shown}:{self.place.line}: found {self.found}, allowed: {self.allowed}"


def as_text(value: Any) -> str:
    """A scalar as it appears inside a longer text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def node_of(value: Any, place: Place) -> Node:
    """A tree of plain values, all with one place."""
    if isinstance(value, dict):
        return Node({str(key): node_of(inner, place) for key, inner in value.items()}, place)
    return Node([node_of(inner, place) for inner in value] if isinstance(value, list) else value, place)


def one_of(found: str, allowed: Iterable[str], *, at_most: int = 12) -> str:
    """What is allowed in place of a name: the nearest ones if some are close, or else all, cut to a few."""
    names = sorted(allowed)
    if near := difflib.get_close_matches(found, names, n=2, cutoff=0.75):
        return f"{' or '.join(near)} (did you mean that?)"
    shown = ", ".join(names[:at_most]) or "none"
    return f"{shown}, ..." if len(names) > at_most else shown
