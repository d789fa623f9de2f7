"""Reads a YAML file as a tree of nodes, by the rules of YAML 1.2 that the Databricks CLI follows."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from solosolve.bundle.nodes import Finding, Node, Place
from solosolve.errors import BundleError

_MERGE = "tag:yaml.org,2002:merge"


class _Loader(yaml.SafeLoader):
    """PyYAML follows YAML 1.1, in which `on` is true and `1:30` is 90; here they are text."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012


for _tag, _pattern, _first in (
    ("null", r"^(?:~|null|Null|NULL|)$", ["~", "n", "N", ""]),
    ("bool", r"^(?:true|True|TRUE|false|False|FALSE)$", list("tTfF")),
    ("int", r"^(?:[-+]?[0-9]+|0x[0-9a-fA-F]+)$", list("-+0123456789")),
    ("float", r"^(?:[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?)$", list("-+.0123456789")),
    ("merge", r"^<<$", ["<"]),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(_pattern), _first)


def read_yaml(file: Path, findings: list[Finding]) -> Node:
    """Reads a YAML file whose top level is a mapping.

    Args:
        file: The file.
        findings: Takes repeated keys; the last value counts.

    Returns:
        The tree; an empty mapping for an empty file.

    Raises:
        BundleError: The file cannot be read, or is not YAML with a mapping at its top level.
    """
    try:
        text = file.read_text(encoding="utf-8")
        loader = _Loader(text)
        try:
            root = loader.get_single_node()
            tree = _Reader(file, loader, findings).node(root) if root is not None else None
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        problem = " ".join(str(error.problem or error.context).split())
        raise BundleError(f"{file.name}:{line}: cannot be read as YAML ({problem})") from error
    except (OSError, ValueError, yaml.YAMLError, RecursionError) as error:
        raise BundleError(f"{file.name}: cannot be read as YAML ({' '.join(str(error).split())})") from error
    if tree is None or tree.value is None:
        return Node({}, Place(file))
    if not tree.is_mapping:
        raise BundleError(f"{file.name}:{tree.place.line}: found {tree.plain()!r}, expected a mapping")
    return tree


class _Reader:
    def __init__(self, file: Path, loader: yaml.SafeLoader, findings: list[Finding]) -> None:
        self.file, self.loader, self.findings = file, loader, findings

    def node(self, found: yaml.Node, key: Place | None = None) -> Node:
        place = self._place(found)
        if isinstance(found, yaml.MappingNode):
            return Node(self._mapping(found), place, key)
        if isinstance(found, yaml.SequenceNode):
            return Node([self.node(element) for element in found.value], place, key)
        return Node(self._scalar(found), place, key)

    def _mapping(self, found: yaml.MappingNode) -> dict[str, Node]:
        merged: dict[str, Node] = {}
        own: dict[str, Node] = {}
        for name, value in found.value:
            if name.tag == _MERGE:
                sources = value.value if isinstance(value, yaml.SequenceNode) else [value]
                for source in reversed(sources):
                    merged |= self.node(source).entries
                continue
            place, key = self._place(name), str(name.value)
            if key in own:
                first = own[key].key or own[key].place
                self.findings.append(
                    Finding(place, f"the key '{key}' again (first on line {first.line})", "each key once")
                )
            own[key] = self.node(value, place)
        return merged | own

    def _scalar(self, found: yaml.Node) -> Any:
        # A date stays text, as in the JSON that is deployed.
        return self.loader.construct_object(found)

    def _place(self, found: yaml.Node) -> Place:
        mark = found.start_mark
        return Place(self.file, mark.line + 1, mark.column + 1)
