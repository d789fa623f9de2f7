"""Replaces `${...}` in a bundle's tree by what it names."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from solosolve.bundle.nodes import Finding, Node, as_text, one_of

_NAME = r"[A-Za-z]+(?:[-_]*[A-Za-z0-9]+)*"
REFERENCE = re.compile(rf"\$\{{({_NAME}(?:\.{_NAME}(?:\[[0-9]+\])*)*(?:\[[0-9]+\])*)\}}")
_STEP = re.compile(r"([^.\[\]]+)|\[([0-9]+)\]")

_PREFIXES = ("var", "bundle", "workspace", "resources", "artifacts", "variables", "presets")
_KNOWN_LATER = ("workspace.host", "workspace.profile", "workspace.resource_path")
COMPUTED = {"id", "url", "etag", "full_name", "volume_path", "service_principal_client_id", "service_principal_id"}
"""Fields of a resource that exist once it is deployed; a reference to one stays as it is."""


class References:
    """Replaces the references of one tree.

    Args:
        tree: The tree; the value of the variable `x` is at `variables.x.value`.
        is_due: Which references to replace now; the others stay.
        findings: Takes references to what does not exist.
    """

    def __init__(self, tree: Node, is_due: Callable[[str], bool], findings: list[Finding]) -> None:
        self.tree, self.is_due, self.findings = tree, is_due, findings
        self.known: dict[str, Node | None] = {}

    def resolved(self, node: Node, trail: tuple[str, ...] = ()) -> Node:
        """A node with every reference in it replaced.

        Args:
            node: The node.
            trail: The references that led here.
        """
        if node.is_mapping:
            return replace(node, value={key: self.resolved(inner, trail) for key, inner in node.entries.items()})
        if node.is_list:
            return replace(node, value=[self.resolved(inner, trail) for inner in node.elements])
        if not isinstance(node.value, str) or "${" not in node.value:
            return node
        whole = REFERENCE.fullmatch(node.value)
        if whole and self.is_due(whole[1]):
            found = self._value(whole[1], node, trail)
            return node if found is None else replace(found, place=node.place, key=node.key)

        def text_of(match: re.Match[str]) -> str:
            if not self.is_due(match[1]):
                return match[0]
            found = self._value(match[1], node, trail)
            if found is not None and (found.is_mapping or found.is_list):
                self._add(node, f"{match[0]} inside a text, but it is no single value", "a reference to a single value")
                return match[0]
            return match[0] if found is None else as_text(found.value)

        return replace(node, value=REFERENCE.sub(text_of, node.value))

    def _value(self, name: str, user: Node, trail: tuple[str, ...]) -> Node | None:
        if name in trail:
            path = " -> ".join(f"${{{step}}}" for step in (*trail[trail.index(name) :], name))
            self._add(user, path, "a reference that does not lead back to itself")
            return None
        if name not in self.known:
            target = self._target(name, user, trail)
            self.known[name] = None if target is None else self.resolved(target, (*trail, name))
        return self.known[name]

    def _target(self, name: str, user: Node, trail: tuple[str, ...]) -> Node | None:
        steps: list[str | int] = [int(index) if index else word for word, index in _STEP.findall(name)]
        if steps[0] == "var" and len(steps) > 1:
            steps = ["variables", steps[1], "value", *steps[2:]]
        found = self.tree
        for position, step in enumerate(steps):
            below = found.elements[step : step + 1] if isinstance(step, int) else [found.entries.get(step)]
            following = below[0] if below else None
            if following is None:
                self._report_missing(name, steps[: position + 1], found, user)
                return None
            if isinstance(following.value, str) and position < len(steps) - 1:
                following = self.resolved(following, (*trail, name))
            found = following
        return found

    def _report_missing(self, name: str, steps: list[str | int], parent: Node, user: Node) -> None:
        step = steps[-1]
        is_of_resource = steps[0] == "resources" and len(steps) == 4
        if (is_of_resource and step in COMPUTED) or name.startswith("bundle.git.") or name in _KNOWN_LATER:
            return
        allowed = _PREFIXES if len(steps) == 1 else parent.entries
        shown = "value" if step == "value" else one_of(str(step), allowed)
        self._add(user, f"${{{name}}}, which does not exist", "a variable with a value" if shown == "value" else shown)

    def _add(self, node: Node, found: str, allowed: str) -> None:
        finding = Finding(node.place, found, allowed)
        if finding not in self.findings:
            self.findings.append(finding)
