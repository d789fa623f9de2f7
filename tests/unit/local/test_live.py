from __future__ import annotations

import subprocess
import sys

import pytest

from solosolve.errors import UsageError
from solosolve.local.live import alone
from solosolve.settings import Settings

HOLD = """
import sys
from pathlib import Path
from solosolve.local.live import alone
from solosolve.settings import Settings
with alone(Settings(home=Path(sys.argv[1]))):
    print("alone", flush=True)
    sys.stdin.read()
"""


def test_home_has_one_demo_at_a_time(settings: Settings) -> None:
    started = [sys.executable, "-c", HOLD, str(settings.home)]
    with subprocess.Popen(started, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "alone\n"
        with pytest.raises(UsageError, match="is running in another process on"), alone(settings):
            pass
        other.communicate()
    with alone(settings):
        pass
