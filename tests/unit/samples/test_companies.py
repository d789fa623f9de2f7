"""Companies: the names of the made-up tail."""

from __future__ import annotations

from solosolve.samples.companies import TAIL_PER_FAMILY, tail_name
from solosolve.samples.distributions import read_statistics


def test_tail_names_are_distinct_and_differ_from_real_names() -> None:
    product_families = read_statistics("taxonomy")["topics"]
    names = [tail_name(family, rank) for family in product_families for rank in range(TAIL_PER_FAMILY)]
    assert len(set(names)) == len(names)
    assert not set(names) & set(read_statistics("people")["companies"])
