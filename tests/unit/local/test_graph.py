from __future__ import annotations

from pathlib import Path

import pytest

from solosolve.bundle import resolve_bundle
from solosolve.errors import UsageError
from solosolve.local.graph import draw_jobs

BRANCHES = Path(__file__).parents[2] / "support" / "bundles" / "branches"

EXPECTED = """\
flowchart LR
  subgraph cleanup["cleanup"]
    direction LR
    cleanup__remove["remove"]
  end
  subgraph imports["imports"]
    direction LR
    imports__list_files["list_files"]
    imports__has_files{{"has_files: #123;#123;tasks.list_files.values.count#125;#125; GREATER_THAN 0"}}
    imports__list_files --> imports__has_files
    imports__import_files[/"import_files: import_file for each of #123;#123;tasks.list_files.values.files#125;#125;"/]
    imports__has_files -->|"true"| imports__import_files
    imports__clean_up[["clean_up"]]
    imports__has_files -->|"false, AT_LEAST_ONE_SUCCESS"| imports__clean_up
    imports__import_files -->|"AT_LEAST_ONE_SUCCESS"| imports__clean_up
  end
  imports__clean_up -.-> cleanup"""


def test_draw_jobs_draws_tasks_conditions_loops_and_started_jobs() -> None:
    assert draw_jobs(resolve_bundle(BRANCHES, "prod", environ={})) == EXPECTED


def test_draw_jobs_draws_only_the_named_jobs() -> None:
    drawn = draw_jobs(resolve_bundle(BRANCHES, "prod", environ={}), ("imports",))
    assert "subgraph cleanup" not in drawn
    assert "-.->" not in drawn


def test_draw_jobs_refuses_an_unknown_job() -> None:
    with pytest.raises(UsageError, match="job: found 'x', the bundle has cleanup, imports"):
        draw_jobs(resolve_bundle(BRANCHES, "prod", environ={}), ("x",))
