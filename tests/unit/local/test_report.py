from __future__ import annotations

from io import StringIO
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import write_deltalake
from rich.console import Console

from solosolve.errors import ConservationError, NotYetError
from solosolve.local.report import show_report
from solosolve.names import COMPLAINTS_RAW, LANDINGS, QUARANTINE
from solosolve.settings import Settings


def test_report_before_there_are_tables_names_the_command_that_makes_them(tmp_path: Path) -> None:
    with pytest.raises(NotYetError) as caught:
        show_report(Settings(home=tmp_path), Console(file=StringIO()))
    assert caught.value.command == "make demo"


def test_report_shows_that_the_counts_of_a_failed_check_differ(tmp_path: Path) -> None:
    settings, text = Settings(home=tmp_path), StringIO()
    write_deltalake(settings.table_folder(COMPLAINTS_RAW), pa.table({"complaint_id": ["1", "2"]}))
    write_deltalake(settings.table_folder(QUARANTINE), pa.table({"_reason": ["too short"]}))
    write_deltalake(settings.table_folder(LANDINGS), pa.table({"source_file": ["a.csv"], "record_count": [4]}))
    with pytest.raises(ConservationError):
        show_report(settings, Console(file=text, width=200))
    assert "BROKEN  records landed = bronze + quarantine: 4 ≠ 3" in text.getvalue()
