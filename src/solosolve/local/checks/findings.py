"""Collects what the checks find."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from solosolve.bundle.nodes import Finding, Node, one_of


@dataclass
class Findings:
    """What was found so far; the same thing in two targets counts once."""

    found: dict[Finding, None] = field(default_factory=dict)

    def add(self, node: Node, found: str, allowed: str) -> None:
        """Adds a finding at a value."""
        self.found.setdefault(Finding(node.place, found, allowed))

    def add_at_key(self, node: Node, found: str, allowed: str) -> None:
        """Adds a finding at the key of a value."""
        self.found.setdefault(Finding(node.key or node.place, found, allowed))

    def add_name(self, node: Node, what: str, name: str, allowed: Iterable[str], *, at_key: bool = False) -> None:
        """Adds a finding about a name that is not one of those allowed, with the nearest of them."""
        add = self.add_at_key if at_key else self.add
        add(node, f"{what} '{name}'", one_of(name, allowed))

    def extend(self, findings: Iterable[Finding]) -> None:
        """Adds findings."""
        self.found |= dict.fromkeys(findings)
