"""The bins in which a feature is counted: facts that a model version keeps, and that need no Spark to be read."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

OTHER_BIN, NOT_GIVEN_BIN = "Other", "not given"


class CategoryBins(BaseModel):
    """Named bins of a text column; null is NOT_GIVEN_BIN.

    Attributes:
        name: What is counted, such as `product`.
        column: The column that has the values.
        bin_of: Value to its bin. Several values may share one, such as the names that a product has had.
        other: The bin of all other values; None if each of them is a bin.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["category"] = "category"
    name: str
    column: str
    bin_of: dict[str, str]
    other: str | None = OTHER_BIN

    def bin(self, value: str | None) -> str:
        """The bin of a value."""
        if value is None:
            return NOT_GIVEN_BIN
        return self.bin_of.get(value, value if self.other is None else self.other)


class NumberBins(BaseModel):
    """Ranges of a number column, numbered from 0.

    Attributes:
        name: What is counted, such as `narrative_length`.
        column: The column that has the values.
        edges: The lowest value of each bin but the first, ascending.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["number"] = "number"
    name: str
    column: str
    edges: tuple[float, ...]

    def bin(self, value: float) -> str:
        """The bin of a value."""
        return str(sum(value >= edge for edge in self.edges))


Bins = Annotated[CategoryBins | NumberBins, Field(discriminator="kind")]
