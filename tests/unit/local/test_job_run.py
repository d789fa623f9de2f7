from __future__ import annotations

import io
import json
import os
import re
import shutil
import threading
import time
from pathlib import Path

import pytest
from rich.console import Console

from solosolve.errors import BundleError, TaskFailedError, UsageError
from solosolve.local.dynamic_values import job_id
from solosolve.local.job_plan import load_bundle
from solosolve.local.runner import only_tasks, run_tasks
from support.tiny_bundles import TinyBundle

FAILS = "raise ValueError('boom')"


@pytest.fixture
def tiny(tmp_path: Path) -> TinyBundle:
    bundle = TinyBundle(tmp_path)
    for name in ("a", "b", "c", "d"):
        bundle.task_file(name)
    return bundle


def task(key: str, *parameters: str, after: str = "", more: str = "", file: str = "") -> str:
    depends_on = [{"task_key": name} for name in after.split()]
    return (
        f"  - task_key: {key}\n"
        f"    depends_on: {json.dumps(depends_on)}\n"
        f"    spark_python_task: {{python_file: ../jobs/{file or key}.py, parameters: {json.dumps(parameters)}}}\n"
        + "".join(f"    {line}\n" for line in more.splitlines())
    )


def tasks(*each: str) -> str:
    return "tasks:\n" + "".join(each)


def test_task_receives_facts_of_the_job_and_its_run(tiny: TinyBundle) -> None:
    words = ("{{job.id}}", "{{job.name}}", "{{ job.run_id }}", "{{task.name}}", "{{task.run_id}}")
    words += ("{{task.execution_count}}", "{{job.trigger.type}}", "{{job.repair_count}}")
    tiny.job("one", tasks(task("a", *words)))
    tiny.run("one")
    found = tiny.log[0].split()
    assert found[:3] == ["a", str(job_id("one")), "tiny_one"]
    assert found[3].isdigit()
    assert found[4:] == ["a", str(int(found[3]) + 1), "1", "one_time", "0"]


def test_task_receives_the_start_time_in_every_unit(tiny: TinyBundle) -> None:
    units = ["iso_date", "iso_datetime", "timestamp_ms", "year", "month", "day", "hour", "minute", "second"]
    units += ["iso_weekday", "is_weekday"]
    tiny.job("one", tasks(task("a", *(f"{{{{job.start_time.{unit}}}}}" for unit in units))))
    tiny.run("one")
    found = dict(zip(units, tiny.log[0].split()[1:], strict=True))
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", found["iso_datetime"])
    assert found["iso_datetime"].startswith(found["iso_date"])
    assert int(found["iso_date"][:4]) == int(found["year"])
    assert abs(int(found["timestamp_ms"]) / 1000 - time.time()) < 60
    assert found["is_weekday"] == ("true" if int(found["iso_weekday"]) < 6 else "false")


def test_unknown_reference_of_a_known_kind_fails_the_task_by_name(tiny: TinyBundle) -> None:
    tiny.job("one", tasks(task("a", "{{job.naem}}")))
    with pytest.raises(TaskFailedError, match=r"one\.a: found \{\{job\.naem\}\}, allowed in place of 'naem': name"):
        tiny.run("one")


@pytest.mark.parametrize("word", ["{{workspace.url}}", "{{secrets/scope/key}}", "{{my.value}", "{{anything}}"])
def test_reference_outside_the_job_is_refused_or_stays_as_on_the_platform(tiny: TinyBundle, word: str) -> None:
    tiny.job("one", tasks(task("a", word)))
    if word.startswith("{{workspace"):
        with pytest.raises(TaskFailedError, match="which only the platform knows"):
            tiny.run("one")
    else:
        tiny.run("one")
        assert tiny.log == [f"a {word}"]


def test_references_in_a_default_are_replaced_and_those_in_a_given_value_are_not(tiny: TinyBundle) -> None:
    parameters = "parameters: [{name: day, default: 'on {{job.name}}'}, {name: other, default: x}]\n"
    tiny.job("one", parameters + tasks(task("a", "{{job.parameters.day}}", "{{job.parameters.other}}")))
    tiny.run("one", other="{{job.id}}")
    assert tiny.log == ["a on tiny_one {{job.id}}"]


def test_task_values_reach_later_tasks(tiny: TinyBundle) -> None:
    tiny.task_file(
        "a", "set_task_value('rows', 3); set_task_value('names', ['x', 'y']); set_task_value('is_new', True)"
    )
    words = [f"{{{{tasks.a.values.{key}}}}}" for key in ("rows", "names", "is_new")]
    tiny.job("one", tasks(task("a"), task("b", *words, "{{tasks.a.result_state}}", after="a")))
    tiny.run("one")
    assert tiny.log[1] == 'b 3 ["x", "y"] true success'


def test_missing_task_value_fails_the_task_by_name(tiny: TinyBundle) -> None:
    tiny.task_file("a", "set_task_value('rows', 3)")
    tiny.job("one", tasks(task("a"), task("b", "{{tasks.a.values.row}}", after="a")))
    with pytest.raises(TaskFailedError, match=r"one\.b: found \{\{tasks\.a\.values\.row\}\}.*: rows"):
        tiny.run("one")


def test_result_states_are_those_of_the_platform(tiny: TinyBundle) -> None:
    tiny.task_file("a", FAILS)
    words = [f"{{{{tasks.{name}.result_state}}}}" for name in ("a", "b")]
    tiny.job("one", tasks(task("a"), task("b", after="a"), task("c", *words, after="a b", more="run_if: ALL_DONE")))
    with pytest.raises(TaskFailedError):
        tiny.run("one")
    assert tiny.log[-1] == "c failed upstream_failed"


CONDITION = """\
  - task_key: check
    depends_on: [{task_key: a}]
    condition_task: {op: OP, left: LEFT, right: RIGHT}
"""


def condition(op: str, left: str, right: str) -> str:
    return CONDITION.replace("OP", op).replace("LEFT", json.dumps(left)).replace("RIGHT", json.dumps(right))


def branch(key: str, outcome: str) -> str:
    return task(key).replace("depends_on: []", f"depends_on: [{{task_key: check, outcome: '{outcome}'}}]")


@pytest.mark.parametrize(
    ("op", "left", "right", "is_met"),
    [
        ("EQUAL_TO", "12.0", "12", False),
        ("EQUAL_TO", "x", "x", True),
        ("NOT_EQUAL", "12.0", "12", True),
        ("GREATER_THAN", "9", "10", False),
        ("GREATER_THAN", "10", "9.5", True),
        ("GREATER_THAN_OR_EQUAL", "12.0", "12", True),
        ("LESS_THAN", "9", "10", True),
        ("LESS_THAN_OR_EQUAL", "10", "9", False),
        ("GREATER_THAN", "{{tasks.a.values.rows}}", "{{job.parameters.limit}}", True),
        ("EQUAL_TO", "{{tasks.a.values.is_new}}", "true", True),
    ],
)
def test_condition_chooses_the_branch(tiny: TinyBundle, op: str, left: str, right: str, is_met: bool) -> None:
    tiny.task_file("a", "set_task_value('rows', 30); set_task_value('is_new', True)")
    body = tasks(task("a"), condition(op, left, right), branch("b", "true"), branch("c", "false"))
    tiny.job("one", "parameters: [{name: limit, default: '4'}]\n" + body)
    tiny.run("one")
    assert (tiny.states["b"], tiny.states["c"]) == (("done", "excluded") if is_met else ("excluded", "done"))


def test_condition_that_orders_words_fails_by_name(tiny: TinyBundle) -> None:
    tiny.job("one", tasks(task("a"), condition("LESS_THAN", "x", "1"), branch("b", "true")))
    with pytest.raises(TaskFailedError, match=r"one\.check: LESS_THAN compares numbers, found 'x' and '1'"):
        tiny.run("one")
    assert tiny.states["b"] == "skipped"


def test_tasks_after_excluded_ones_follow_the_platform(tiny: TinyBundle) -> None:
    after_b, joins = task("d", after="b"), task("d", after="b c").replace("task_key: d\n", "task_key: e\n", 1)
    body = tasks(task("a"), condition("EQUAL_TO", "1", "1"), branch("b", "false"), branch("c", "true"), after_b, joins)
    tiny.job("one", body)
    tiny.run("one")
    assert {key: tiny.states[key] for key in "bcde"} == {"b": "excluded", "c": "done", "d": "excluded", "e": "done"}


@pytest.mark.parametrize(
    ("run_if", "outcomes", "state"),
    [
        ("ALL_SUCCESS", "ok ok", "done"),
        ("ALL_SUCCESS", "ok bad", "skipped"),
        ("ALL_DONE", "bad bad", "done"),
        ("NONE_FAILED", "ok ok", "done"),
        ("NONE_FAILED", "ok bad", "skipped"),
        ("AT_LEAST_ONE_SUCCESS", "ok bad", "done"),
        ("AT_LEAST_ONE_SUCCESS", "bad bad", "skipped"),
        ("ALL_FAILED", "bad bad", "done"),
        ("ALL_FAILED", "ok bad", "excluded"),
        ("AT_LEAST_ONE_FAILED", "ok bad", "done"),
        ("AT_LEAST_ONE_FAILED", "ok ok", "excluded"),
    ],
)
def test_run_if_decides_whether_a_task_runs(tiny: TinyBundle, run_if: str, outcomes: str, state: str) -> None:
    for name, outcome in zip("ab", outcomes.split(), strict=True):
        tiny.task_file(name, FAILS if outcome == "bad" else "pass")
    tiny.job("one", tasks(task("a"), task("b"), task("c", after="a b", more=f"run_if: {run_if}")))
    if "bad" in outcomes:
        with pytest.raises(TaskFailedError):
            tiny.run("one")
    else:
        tiny.run("one")
    assert tiny.states["c"] == state


FAILS_TWICE = """
    if len((Path(__file__).parent.parent / "log").read_text().splitlines()) < 3:
        raise ValueError("boom")"""


def test_failed_task_is_tried_again_up_to_its_limit(tiny: TinyBundle) -> None:
    tiny.task_file("a", FAILS_TWICE)
    tiny.job("one", tasks(task("a", "try {{task.execution_count}}", more="max_retries: 2")))
    tiny.run("one")
    assert tiny.log == ["a try 1", "a try 2", "a try 3"]
    assert "try 1 failed (ValueError: boom); trying again" in tiny.shown.getvalue()


@pytest.mark.parametrize(("retries", "count"), [(0, 1), (1, 2)])
def test_task_fails_after_its_last_try(tiny: TinyBundle, retries: int, count: int) -> None:
    tiny.task_file("a", FAILS)
    tiny.job("one", tasks(task("a", more=f"max_retries: {retries}")))
    with pytest.raises(TaskFailedError):
        tiny.run("one")
    assert len(tiny.log) == count


def test_task_without_a_limit_of_tries_is_tried_until_it_succeeds(tiny: TinyBundle) -> None:
    tiny.task_file("a", FAILS_TWICE)
    tiny.job("one", tasks(task("a", more="max_retries: -1")))
    tiny.run("one")
    assert len(tiny.log) == 3


def test_tries_start_at_least_the_interval_apart(tiny: TinyBundle) -> None:
    tiny.task_file("a", FAILS)
    tiny.job("one", tasks(task("a", more="max_retries: 1\nmin_retry_interval_millis: 300")))
    started = time.monotonic()
    with pytest.raises(TaskFailedError):
        tiny.run("one")
    assert time.monotonic() - started >= 0.3


def test_wrong_arguments_are_not_tried_again(tiny: TinyBundle) -> None:
    tiny.task_file("a", "from solosolve.errors import UsageError; raise UsageError('no such thing')")
    tiny.job("one", tasks(task("a", more="max_retries: 5")))
    with pytest.raises(UsageError):
        tiny.run("one")
    assert len(tiny.log) == 1


SLOW = "import time; time.sleep(20)"


def test_task_that_takes_too_long_is_interrupted(tiny: TinyBundle) -> None:
    tiny.task_file("a", f"\n    try:\n        {SLOW}\n    except Exception: pass")
    tiny.job("one", tasks(task("a", more="timeout_seconds: 1"), task("b", after="a")))
    started = time.monotonic()
    with pytest.raises(TaskFailedError, match=r"it took longer than 1\.0 s"):
        tiny.run("one")
    assert time.monotonic() - started < 10
    assert tiny.states == {"a": "timed out", "b": "skipped"}


@pytest.mark.parametrize(("policy", "count"), [("retry_on_timeout: true", 2), ("retry_on_timeout: false", 1)])
def test_timed_out_task_is_tried_again_only_if_it_says_so(tiny: TinyBundle, policy: str, count: int) -> None:
    tiny.task_file("a", SLOW)
    tiny.job("one", tasks(task("a", more=f"timeout_seconds: 1\nmax_retries: 1\n{policy}")))
    with pytest.raises(TaskFailedError):
        tiny.run("one")
    assert len(tiny.log) == count


def test_job_that_takes_too_long_is_interrupted(tiny: TinyBundle) -> None:
    tiny.task_file("b", SLOW)
    tiny.job("one", "timeout_seconds: 1\n" + tasks(task("a"), task("b", after="a")))
    with pytest.raises(TaskFailedError, match=r"one\.b failed: it took longer than"):
        tiny.run("one")
    assert tiny.states == {"a": "done", "b": "timed out"}


def test_timeout_outside_the_main_thread_is_refused_by_name(tiny: TinyBundle) -> None:
    tiny.job("one", tasks(task("a", more="timeout_seconds: 5")))
    found: list[Exception] = []

    def run() -> None:
        try:
            tiny.run("one")
        except UsageError as error:
            found.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert "timeout_seconds can be honoured only in the main thread" in str(found[0])


RUNS_OTHER = """\
parameters: [{name: day, default: monday}]
tasks:
  - task_key: start
    run_job_task:
      job_id: ${resources.jobs.other.id}
      job_parameters: {source: "from {{job.parameters.day}}"}
"""


def other(tiny: TinyBundle, body: str = "pass", *more: str) -> None:
    tiny.task_file("a", body)
    parameters = "parameters: [{name: source, default: x}, {name: mode, default: fast}]\n"
    words = ("{{job.parameters.source}}", "{{job.parameters.mode}}", "{{job.trigger.type}}")
    tiny.job("other", parameters + tasks(task("a", *words), *more))


def test_run_job_task_runs_the_other_job_with_its_parameters(tiny: TinyBundle) -> None:
    other(tiny)
    tiny.job("one", RUNS_OTHER)
    report = tiny.run("one")
    assert tiny.log == ["a from monday fast run_job_task"]
    assert [(run.job, run.task, run.state) for run in report.tasks] == [
        ("other", "a", "done"),
        ("one", "start", "done"),
    ]


def test_run_job_task_fails_if_the_other_job_does(tiny: TinyBundle) -> None:
    other(tiny, FAILS)
    tiny.job("one", RUNS_OTHER)
    with pytest.raises(TaskFailedError, match=r"one\.start failed: job other failed: a: ValueError: boom"):
        tiny.run("one")


def test_run_job_task_succeeds_if_the_last_task_of_the_other_job_does(tiny: TinyBundle) -> None:
    other(tiny, FAILS, task("b", after="a", more="run_if: ALL_DONE"))
    tiny.job("one", RUNS_OTHER)
    tiny.run("one")
    assert tiny.states == {"a": "failed", "b": "done", "start": "done"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("${resources.jobs.other.id}", "123"), r"one\.start: job_id: found 123, which is not a job of this bundle"),
        (("source:", "sauce:"), r"one\.start: job_parameters: found 'sauce', other takes mode, source"),
        (("jobs.other.id", "jobs.one.id"), r"one\.start: jobs start each other in a cycle: one -> one"),
    ],
)
def test_run_job_task_that_cannot_run_is_refused(tiny: TinyBundle, change: tuple[str, str], message: str) -> None:
    other(tiny)
    tiny.job("one", RUNS_OTHER.replace(*change))
    with pytest.raises(BundleError, match=message):
        tiny.plan("one")


def for_each(inputs: str, *words: str, more: str = "") -> str:
    return (
        f"  - task_key: loop\n    for_each_task:\n      inputs: {json.dumps(inputs)}\n      concurrency: 3\n"
        "      task:\n"
        f"        task_key: a\n{more}"
        f"        spark_python_task: {{python_file: ../jobs/a.py, parameters: {json.dumps(words)}}}\n"
    )


def test_for_each_runs_a_task_for_every_element(tiny: TinyBundle) -> None:
    tiny.job("one", tasks(for_each('[1, "two", true]', "{{input}}")))
    tiny.run("one")
    assert tiny.log == ["a 1", "a two", "a true"]
    assert tiny.states == {"loop": "done"}


def test_for_each_passes_the_fields_of_objects(tiny: TinyBundle) -> None:
    tiny.job("one", tasks(for_each('[{"day": "mon", "at": {"hour": 3}}]', "{{input.day}}", "{{input.at.hour}}")))
    tiny.run("one")
    assert tiny.log == ["a mon 3"]


def test_for_each_takes_its_elements_from_a_task_value_or_a_parameter(tiny: TinyBundle) -> None:
    tiny.task_file("b", "set_task_value('days', ['mon', 'tue'])")
    loop = for_each("{{tasks.b.values.days}}", "{{input}}", "{{job.parameters.p}}")
    loop = loop.replace("task_key: loop", "task_key: loop\n    depends_on: [{task_key: b}]")
    tiny.job("one", "parameters: [{name: p, default: q}]\n" + tasks(task("b"), loop))
    tiny.run("one")
    assert tiny.log[1:] == ["a mon q", "a tue q"]


def test_for_each_runs_all_iterations_and_fails_if_one_did(tiny: TinyBundle) -> None:
    tiny.task_file("a", "assert argv[0] != '2'")
    tiny.job("one", tasks(for_each("[1, 2, 3]", "{{input}}")))
    with pytest.raises(TaskFailedError, match=r"one\.loop failed: 1 of 3 iterations failed; 2: AssertionError"):
        tiny.run("one")
    assert tiny.log == ["a 1", "a 2", "a 3"]


def test_for_each_tries_an_iteration_again(tiny: TinyBundle) -> None:
    tiny.task_file("a", FAILS_TWICE)
    tiny.job("one", tasks(for_each("[1]", "{{input}}", more="        max_retries: 3\n")))
    tiny.run("one")
    assert len(tiny.log) == 3


def test_for_each_without_an_array_fails_by_name(tiny: TinyBundle) -> None:
    tiny.job("one", tasks(for_each("words", "{{input}}")))
    with pytest.raises(TaskFailedError, match="inputs: found 'words', expected a JSON array"):
        tiny.run("one")


CLUSTER = """\
job_clusters:
  - job_cluster_key: main
    new_cluster: {num_workers: 1, spark_env_vars: {TINY_ONE: "1", TINY_TWO: two, TINY_SECRET: "{{secrets/s/k}}"}}
"""
LOGS_ENVIRONMENT = "log(' '.join(f'{key}={value}' for key, value in sorted(os.environ.items()) if 'TINY' in key))"


def test_task_has_the_environment_of_its_cluster_unless_the_user_has_set_it(
    tiny: TinyBundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TINY_TWO", "mine")
    tiny.task_file("a", LOGS_ENVIRONMENT)
    tiny.task_file("b", LOGS_ENVIRONMENT)
    tiny.job("one", CLUSTER + tasks(task("a", more="job_cluster_key: main"), task("b", after="a")))
    tiny.run("one")
    assert tiny.log == ["a", "TINY_ONE=1 TINY_TWO=mine", "b", "TINY_TWO=mine"]
    assert "TINY_ONE" not in os.environ


def test_task_on_an_unknown_cluster_is_refused(tiny: TinyBundle) -> None:
    tiny.job("one", CLUSTER + tasks(task("a", more="job_cluster_key: mian")))
    with pytest.raises(BundleError, match=r"one\.a: job_cluster_key: found 'mian', the job has main"):
        tiny.plan("one")


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (
            "notebook_task: {notebook_path: x}",
            r"found notebook_task, which cannot run here, allowed: spark_python_task",
        ),
        ("disabled: true", r"found disabled, which cannot run here"),
        ("max_retires: 3", r"found the unknown field 'max_retires', allowed: max_retries"),
        ("max_retries: many", r"one\.tasks\.0\.max_retries: found 'many'"),
        ("run_if: SOMETIMES", r"one\.tasks\.0\.run_if: found 'SOMETIMES'"),
        (
            "condition_task: {op: EQUAL_TO, left: a, right: b}",
            "found spark_python_task and condition_task, allowed: one",
        ),
    ],
)
def test_what_cannot_be_honoured_is_refused_with_its_line(tiny: TinyBundle, more: str, message: str) -> None:
    tiny.job("one", tasks(task("a", more=more)))
    with pytest.raises(BundleError, match=rf"^one\.job\.yml:\d+: .*{message}"):
        tiny.plan("one")


def test_git_source_is_refused(tiny: TinyBundle) -> None:
    tiny.job("one", "git_source: {git_url: x}\n" + tasks(task("a")))
    with pytest.raises(
        BundleError, match=r"^one\.job\.yml:5: one\.git_source: found git_source, which cannot run here"
    ):
        tiny.plan("one")


def test_outcome_of_a_task_that_is_no_condition_is_refused(tiny: TinyBundle) -> None:
    tiny.job("one", tasks(task("a"), branch("b", "true").replace("task_key: check", "task_key: a")))
    with pytest.raises(BundleError, match=r"one\.b: depends on the outcome of 'a', which is not a condition_task"):
        tiny.plan("one")


def test_only_the_chosen_tasks_run(tiny: TinyBundle) -> None:
    tiny.job("one", tasks(task("a"), task("b", after="a"), task("c", after="b")))
    planned = tiny.plan("one")
    tiny.run_tasks(only_tasks(planned, ["b", "c"]))
    assert tiny.log == ["b", "c"]
    with pytest.raises(UsageError, match="--only: found 'x', allowed: a, b, c"):
        only_tasks(planned, ["x"])


def test_wheel_task_calls_an_entry_point_with_its_arguments(
    tiny: TinyBundle, capsys: pytest.CaptureFixture[str]
) -> None:
    wheel = "{package_name: solosolve, entry_point: solosolve, parameters: [--version]}"
    tiny.job("one", f"tasks: [{{task_key: a, python_wheel_task: {wheel}}}]")
    tiny.run("one")
    assert "version" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("wheel", "message"),
    [
        ("{package_name: nothing_of_the_kind, entry_point: x}", "found 'nothing_of_the_kind', which is not installed"),
        ("{package_name: solosolve, entry_point: x}", "entry_point: found 'x', solosolve has solosolve"),
        ("{package_name: solosolve, entry_point: solosolve, named_parameters: {nope: 1}}", "exit code 2"),
    ],
)
def test_wheel_task_that_cannot_run_fails_by_name(tiny: TinyBundle, wheel: str, message: str) -> None:
    tiny.job("one", f"tasks: [{{task_key: a, python_wheel_task: {wheel}}}]")
    with pytest.raises(TaskFailedError, match=message):
        tiny.run("one")


def test_task_that_exits_with_a_code_fails(tiny: TinyBundle) -> None:
    tiny.task_file("a", "raise SystemExit(3)")
    tiny.job("one", tasks(task("a")))
    with pytest.raises(TaskFailedError, match="it ended with exit code 3"):
        tiny.run("one")


def test_job_with_a_condition_a_loop_and_another_job_runs_as_a_whole(tmp_path: Path) -> None:
    branches = shutil.copytree(Path(__file__).parents[2] / "support" / "bundles" / "branches", tmp_path / "branches")
    planned = load_bundle(branches, "test", environ={}).plan(("imports",), {"day": "monday"})
    shown = io.StringIO()
    report = run_tasks(planned, runs=tmp_path / "runs", resume="", console=Console(file=shown, width=120))
    states = {f"{run.job}.{run.task}": run.state for run in report.tasks}
    assert states == {
        "imports.list_files": "done",
        "imports.has_files": "done",
        "imports.import_files": "done",
        "cleanup.remove": "done",
        "imports.clean_up": "done",
    }
    assert 'import_file: {"path": "monday/b.csv"}' in shown.getvalue()
