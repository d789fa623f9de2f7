"""Compares YAML with the dataclasses that say which fields and values it may have."""

from __future__ import annotations

import dataclasses
import importlib
import re
import types
import typing
from enum import Enum
from functools import cache
from typing import Any

from solosolve.bundle.nodes import Node, as_text
from solosolve.local.checks.findings import Findings

_REFERENCE = re.compile(r"\$\{.+\}|<ID of .+>")
"""A value that only a deployed resource has; it may stand for any scalar."""

_SCALARS = {bool: "true or false", int: "a whole number", float: "a number", str: "a text"}


def check_type(node: Node, expected: Any, path: str, findings: Findings) -> None:
    """Compares a value with a type.

    Args:
        node: The value.
        expected: A dataclass, a container, a scalar type, an enumeration, a union of those, or Any.
        path: Where the value is in the bundle, for messages.
        findings: Takes unknown fields, missing fields and values of a wrong type.
    """
    expected = _without_variables(expected)
    if node.value is None or expected is Any:
        return
    origin, arguments = typing.get_origin(expected), typing.get_args(expected)
    if origin is list:
        _check_list(node, arguments[0], path, findings)
    elif origin is dict:
        _check_dict(node, arguments[1], path, findings)
    elif origin in (typing.Union, types.UnionType):
        _check_union(node, arguments, path, findings)
    elif dataclasses.is_dataclass(expected):
        _check_fields(node, expected, path, findings)
    elif isinstance(node.value, str) and _REFERENCE.fullmatch(node.value):
        return
    elif origin is typing.Literal:
        _check_choice(node, [str(each) for each in arguments], path, findings)
    elif isinstance(expected, type) and issubclass(expected, Enum):
        _check_choice(node, [str(each.value) for each in expected], path, findings)
    elif expected in _SCALARS and not _is_scalar(node, expected):
        findings.add(node, f"{path}: {_shown(node)}", _SCALARS[expected])


@cache
def fields_of(kind: type) -> dict[str, Any]:
    """The fields of a dataclass with their types."""
    package = ".".join(kind.__module__.split(".")[:3])
    # Types that refer to each other are named as text; the package has them all.
    return typing.get_type_hints(kind, localns=vars(importlib.import_module(package)))


def _without_variables(expected: Any) -> Any:
    """A type without null and without references, which have been replaced."""
    if typing.get_origin(expected) not in (typing.Union, types.UnionType):
        return expected
    kept = [each for each in typing.get_args(expected) if each is not type(None) and not _is_variable(each)]
    return kept[0] if len(kept) == 1 else typing.Union[tuple(kept)] if kept else Any  # noqa: UP007


def _is_variable(kind: Any) -> bool:
    return getattr(typing.get_origin(kind) or kind, "__name__", "") == "Variable"


def _check_list(node: Node, element: Any, path: str, findings: Findings) -> None:
    if not node.is_list:
        findings.add(node, f"{path}: {_shown(node)}", "a list")
    for position, inner in enumerate(node.elements):
        if inner.value is None:
            findings.add(inner, f"{path}[{position}]: nothing", "a value")
        check_type(inner, element, f"{path}[{position}]", findings)


def _check_dict(node: Node, value: Any, path: str, findings: Findings) -> None:
    if not node.is_mapping:
        findings.add(node, f"{path}: {_shown(node)}", "a mapping")
    for key, inner in node.entries.items():
        if inner.value is None and _without_variables(value) is str:
            findings.add_at_key(inner, f"{path}.{key}: nothing", "a text")
        check_type(inner, value, f"{path}.{key}", findings)


def _check_union(node: Node, kinds: tuple[Any, ...], path: str, findings: Findings) -> None:
    attempts = []
    for kind in kinds:
        attempt = Findings()
        check_type(node, kind, path, attempt)
        attempts.append(attempt)
    best = min(attempts, key=lambda attempt: len(attempt.found))
    findings.extend(best.found)


def _check_fields(node: Node, kind: Any, path: str, findings: Findings) -> None:
    if not node.is_mapping:
        findings.add(node, f"{path}: {_shown(node)}", "a mapping")
        return
    known = fields_of(kind)
    for key, inner in node.entries.items():
        if key not in known:
            findings.add_name(inner, f"{path}: the unknown field", key, known, at_key=True)
        else:
            check_type(inner, known[key], f"{path}.{key}", findings)
    for each in dataclasses.fields(kind):
        has_default = each.default is not dataclasses.MISSING or each.default_factory is not dataclasses.MISSING
        if not has_default and node.at(each.name) is None:
            findings.add_at_key(node, f"{path} without {each.name}", f"{each.name} is required")


def _check_choice(node: Node, allowed: list[str], path: str, findings: Findings) -> None:
    found = as_text(node.value) if not (node.is_list or node.is_mapping) else _shown(node)
    if found not in allowed:
        findings.add_name(node, f"{path}:", found, allowed)


def _is_scalar(node: Node, expected: Any) -> bool:
    """Whether a scalar has a type, or is written in a way that the platform converts to it."""
    value = node.value
    if node.is_list or node.is_mapping:
        return False
    if expected is str:
        return True
    if expected is bool:
        return isinstance(value, bool) or value in ("true", "false")
    if isinstance(value, bool):
        return False
    try:
        number = float(value)
    except ValueError:
        return False
    return expected is float or number.is_integer()


def _shown(node: Node) -> str:
    if node.is_list or node.is_mapping:
        return "a list" if node.is_list else "a mapping"
    return repr(node.value)
