"""Callback requests that no page would send."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from typing import Any

HOSTILE: list[Any] = [
    None, True, -1, 2**70, 1e308, "", "../../etc/passwd", "'; drop table x; --", "<script>alert(1)</script>", "\x00",
    "𝕏" * 99,     "a" * 10_000, [], {}, [[[[]]]], {"complaint_id": -1}, {"complaint_id": 2**80, "submission": "../.."},
    {"startRow": -5, "endRow": 10**12}, {"startRow": 0, "endRow": 50, "sortModel": [{"colId": "1;drop", "sort": "x"}]},
    ["a"] * 1_000, ["a", "b"], [None, None],
    ["abc", "7"], [True, {}], [1e400, -1], {"search": "[[["}, {"type": "rows", "search": "{"},
    "?company=" + "%00" * 50, float("nan"),
]  # fmt: skip

_PATHS = ("/", "/complaints", "/complaints/7", "/review", "/model", "/data")


def hostile_posts(known: list[dict[str, Any]], count: int) -> Iterator[str]:
    """Request bodies: most are well formed with hostile values, some are malformed.

    Args:
        known: The callbacks, as `/_dash-dependencies` lists them.
        count: The number of bodies.
    """
    generator = random.Random(11)
    for _ in range(count):
        chosen = generator.choice(known)
        body: dict[str, Any] = {
            "output": chosen["output"],
            "outputs": outputs_of(chosen["output"]),
            "changedPropIds": [f"{each['id']}.{each['property']}" for each in chosen["inputs"][:1]],
            "inputs": [_sent(each, generator) for each in chosen["inputs"]],
            "state": [_sent(each, generator) for each in chosen["state"]],
        }
        if generator.random() < 0.7:
            yield json.dumps(body)
            continue
        for name in generator.sample(sorted(body), generator.choice([1, 2])):
            body[name] = generator.choice(HOSTILE)
        text = json.dumps(body)
        yield text[: generator.randrange(len(text))] if generator.random() < 0.3 else text


def outputs_of(output: str) -> Any:
    """The `outputs` that a page sends along with the name of a callback's outputs."""
    if not output.startswith(".."):
        name, _, part = output.rpartition(".")
        return {"id": json.loads(name) if name.startswith("{") else name, "property": part}
    return [outputs_of(each.split("@")[0]) for each in output.strip(".").split("...")]


def _sent(part: dict[str, Any], generator: random.Random) -> Any:
    """A hostile value for a property, of one component or of all that match a pattern."""
    value, name = generator.choice(HOSTILE), part["id"]
    if part["property"] == "pathname" and generator.random() < 0.8:
        # Only a room's own callbacks look at anything else.
        value = generator.choice(_PATHS)
    if not name.startswith("{"):
        return {"id": name, "property": part["property"], "value": value}
    pattern = {key: "7" if isinstance(found, list) else found for key, found in json.loads(name).items()}
    matching = {"id": pattern, "property": part["property"], "value": value}
    return matching if "MATCH" in name else [matching]
