"""Real complaints, which are not part of the project; tests that need them are skipped without them, except in CI."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

REAL_DATA = Path(__file__).parents[3] / "shared" / "data"

needs_real_data = pytest.mark.skipif(
    not REAL_DATA.is_dir() and "CI" not in os.environ,
    reason=f"real complaints are not part of the project, and {REAL_DATA} is absent",
)
