from __future__ import annotations

from pathlib import Path

import psutil
import pytest

from solosolve.local.live_child import Child, ChildEndedError
from solosolve.local.processes import end_all


def test_failure_says_which_process_ended_and_why(tmp_path: Path) -> None:
    child = Child.start("the page", ["dashboard", "--port", "0"], tmp_path / "logs" / "page.log")
    assert child.process.wait(60) == 2
    with pytest.raises(ChildEndedError, match=r"the page ended with exit code 2: .*--port.*\n  its log is .*page\.log"):
        child.require_running()
    with pytest.raises(ChildEndedError):
        child.is_done()


def test_process_that_should_run_may_not_end_well_either(tmp_path: Path) -> None:
    child = Child.start("the stream", ["--version"], tmp_path / "version.log", nice=5)
    assert child.process.wait(60) == 0
    assert child.is_done()
    with pytest.raises(ChildEndedError, match="exit code 0"):
        child.require_running()


def test_process_ends_with_the_others(tmp_path: Path) -> None:
    # Reading its address book of names takes long enough to be interrupted.
    children = [Child.start(str(number), ["bundle", "check"], tmp_path / f"{number}.log") for number in range(2)]
    end_all([each.process for each in children], 5)
    assert not any(psutil.pid_exists(each.process.pid) for each in children)
