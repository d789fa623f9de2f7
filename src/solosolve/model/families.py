"""Products, issues and companies across their renamings, so that complaints of today compare with those of the past.

`families.csv` has one line for each name: its family, the first and the last day on which a complaint at hand has it,
and where that is from. The Bureau's complaint form got new products and issues on 2017-04-24 and 2023-08-24. A line is
there only if both names say the same: issues in other words, with the same sub-issues; companies in other letters,
punctuation or legal form.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from importlib.resources import files
from types import MappingProxyType


def _read() -> Mapping[str, Mapping[str, str]]:
    families: dict[str, dict[str, str]] = {}
    text = files(__package__).joinpath("families.csv").read_text(encoding="utf-8")
    for line in csv.DictReader(text.splitlines()):
        families.setdefault(line["column"], {})[line["name"]] = line["family"]
    return MappingProxyType({column: MappingProxyType(names) for column, names in families.items()})


FAMILIES: Mapping[str, Mapping[str, str]] = _read()
"""For `product`, `issue` and `company`: name to family. A name that is not there is a family of its own."""
