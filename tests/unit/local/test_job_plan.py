from __future__ import annotations

from pathlib import Path
from textwrap import dedent, indent

import pytest

from solosolve.errors import BundleError, SettingsError, UsageError
from solosolve.local.job_plan import Bundle, load_bundle

VARIABLES = """
variables:
  landing: {default: /Volumes/landing}
  engine: {default: xgboost}
  days: {default: 60}
"""
TARGETS = """
targets:
  local:
    variables: {landing: here}
  prod:
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for folder in ("bundle", "resources", "jobs"):
        (tmp_path / folder).mkdir()
    (tmp_path / "databricks.yml").write_text("bundle: {name: tiny}\ninclude: [bundle/*.yml, resources/*.yml]\n")
    (tmp_path / "bundle" / "variables.yml").write_text(VARIABLES)
    (tmp_path / "bundle" / "targets.yml").write_text(TARGETS)
    return tmp_path


def task(key: str, *after: str, parameters: str = "[]") -> str:
    """A task's YAML; its file is `jobs/<key>.py`."""
    depends_on = "".join(f"{{task_key: {name}}}, " for name in after)
    return dedent(
        f"""\
        - task_key: {key}
          depends_on: [{depends_on}]
          spark_python_task:
            python_file: ../jobs/{key}.py
            parameters: {parameters}
        """
    )


def write_job(root: Path, name: str, *tasks: str, parameters: str = "[]", has_files: bool = True) -> None:
    text = f"resources:\n  jobs:\n    {name}:\n      name: tiny_{name}\n      parameters: {parameters}\n      tasks:\n"
    (root / "resources" / f"{name}.job.yml").write_text(text + indent("".join(tasks), " " * 8))
    for line in "".join(tasks).splitlines() if has_files else ():
        if line.startswith("- task_key: "):
            (root / "jobs" / f"{line.removeprefix('- task_key: ')}.py").touch()


def planned(bundle: Bundle, *jobs: str, **parameters: str) -> list[tuple[str, tuple[str, ...]]]:
    return [(found.name, found.arguments) for found in bundle.plan(jobs, parameters)]


def test_load_bundle_reads_every_file_that_databricks_yml_includes(root: Path) -> None:
    write_job(root, "one", task("a"))
    write_job(root, "two", task("b"))
    (root / "elsewhere").mkdir()
    (root / "elsewhere" / "three.job.yml").write_text("resources: {jobs: {three: {}}}")
    bundle = load_bundle(root, "local")
    assert (bundle.target, sorted(bundle.jobs)) == ("local", ["one", "two"])


def test_load_bundle_without_resources_has_no_jobs(root: Path) -> None:
    assert load_bundle(root, "local").jobs == {}


def test_load_bundle_ignores_other_resources_and_platform_settings(root: Path) -> None:
    write_job(root, "one", task("a"))
    with (root / "resources" / "one.job.yml").open("a") as file:
        file.write("      max_concurrent_runs: 1\n      schedule: {quartz_cron_expression: '0 0 6 * * ?'}\n")
    (root / "resources" / "board.app.yml").write_text("resources: {apps: {board: {name: board}}}")
    assert sorted(load_bundle(root, "local").jobs) == ["one"]


@pytest.mark.parametrize(("target", "landing"), [("local", "here"), ("prod", "/Volumes/landing")])
def test_load_bundle_resolves_the_targets_variables(root: Path, target: str, landing: str) -> None:
    words = '["${var.landing}", "--target=${bundle.target}", "${bundle.name}/${var.days}"]'
    write_job(root, "one", task("a", parameters=words))
    assert planned(load_bundle(root, target), "one") == [("a", (landing, f"--target={target}", "tiny/60"))]


def test_load_bundle_refuses_an_unknown_reference(root: Path) -> None:
    write_job(root, "one", task("a", parameters='["${var.nothing}"]'))
    with pytest.raises(
        BundleError,
        match=r"^resources/one\.job\.yml:\d+: found \$\{var\.nothing\}, which does not exist, allowed: days, engine, l",
    ):
        load_bundle(root, "local")


def test_load_bundle_refuses_an_unknown_target(root: Path) -> None:
    with pytest.raises(SettingsError, match="target: found 'moon', allowed: local, prod"):
        load_bundle(root, "moon")


def test_load_bundle_refuses_a_job_declared_twice(root: Path) -> None:
    write_job(root, "one", task("a"))
    (root / "resources" / "two.job.yml").write_text((root / "resources" / "one.job.yml").read_text())
    with pytest.raises(
        BundleError, match=r"two\.job\.yml:3: found resources\.jobs\.one again \(first in one\.job\.yml:3\)"
    ):
        load_bundle(root, "local")


@pytest.mark.parametrize(
    ("resource", "message"),
    [
        ("{name: x}", r"\.tasks: found .*required"),
        ("{name: x, tasks: []}", r"\.tasks: found"),
        ("{name: x, tasks: [{task_key: a}]}", r"\.a: found no kind of task, allowed: one of spark_python_task, "),
        ("{tasks: [{task_key: a, spark_python_task: {python_file: a.py}}]}", r"\.name: found"),
        ("{name: x, parameters: [{name: p}], tasks: []}", r"\.parameters\.0\.default: found"),
        ("[]", r": found \[\]"),
        ("", ": found None"),
    ],
)
def test_plan_refuses_a_job_that_cannot_be_run(root: Path, resource: str, message: str) -> None:
    (root / "resources" / "one.job.yml").write_text(f"resources:\n  jobs:\n    one: {resource}\n")
    with pytest.raises(BundleError, match=f"^one\\.job\\.yml:3: one{message}") as error:
        load_bundle(root, "local").plan(("one",), {})
    assert len(str(error.value).splitlines()) == 1


@pytest.mark.parametrize(
    "content", ["a: [", "a: b: c", "- a\n- b", "just words", "resources: [1]", "resources: {jobs: 1}"]
)
def test_load_bundle_refuses_yaml_that_is_not_a_resource(root: Path, content: str) -> None:
    (root / "resources" / "one.job.yml").write_text(content)
    with pytest.raises(BundleError, match=r"one\.job\.yml:\d+: ") as error:
        load_bundle(root, "local")
    assert len(str(error.value).splitlines()) == 1


@pytest.mark.parametrize("content", ["", "# nothing yet\n", "resources:\n", "resources:\n  jobs:\n"])
def test_load_bundle_finds_no_jobs_in_an_empty_resource_file(root: Path, content: str) -> None:
    (root / "resources" / "one.job.yml").write_text(content)
    assert load_bundle(root, "local").jobs == {}


def test_load_bundle_refuses_a_folder_without_databricks_yml(root: Path) -> None:
    (root / "databricks.yml").unlink()
    with pytest.raises(BundleError, match=r"databricks\.yml: cannot be read"):
        load_bundle(root, "local")


def test_plan_holds_the_job_task_file_and_arguments(root: Path) -> None:
    write_job(root, "one", task("a", parameters="[--x, 'two words', '']"))
    (found,) = load_bundle(root, "local").plan(("one",), {})
    assert (found.job, found.name, found.arguments) == ("one", "a", ("--x", "two words", ""))
    assert found.file == (root / "jobs" / "a.py").resolve()


def test_plan_puts_each_task_after_its_dependencies(root: Path) -> None:
    write_job(root, "one", task("d", "b", "c"), task("c", "a"), task("b", "a"), task("a"))
    names = [name for name, _ in planned(load_bundle(root, "local"), "one")]
    assert sorted(names) == ["a", "b", "c", "d"]
    assert names[0] == "a"
    assert names[-1] == "d"


def test_plan_keeps_independent_tasks_in_the_order_of_the_file(root: Path) -> None:
    write_job(root, "one", task("c"), task("a"), task("b"))
    assert [name for name, _ in planned(load_bundle(root, "local"), "one")] == ["c", "a", "b"]


def test_plan_keeps_jobs_in_the_requested_order(root: Path) -> None:
    write_job(root, "one", task("a"))
    write_job(root, "two", task("b"))
    assert [name for name, _ in planned(load_bundle(root, "local"), "two", "one")] == ["b", "a"]


def test_plan_fills_in_given_values_and_defaults_for_parameters(root: Path) -> None:
    words = "['{{job.parameters.source}}', 'x={{ job.parameters.engine }}']"
    declared = "[{name: source, default: '${var.landing}'}, {name: engine, default: '${var.engine}'}]"
    write_job(root, "one", task("a", parameters=words), parameters=declared)
    bundle = load_bundle(root, "local")
    assert planned(bundle, "one") == [("a", ("here", "x=xgboost"))]
    assert planned(bundle, "one", source="my files/*.csv") == [("a", ("my files/*.csv", "x=xgboost"))]
    assert planned(bundle, "one", source="", engine="gbt") == [("a", ("", "x=gbt"))]


def test_plan_resolves_no_references_in_a_given_value(root: Path) -> None:
    declared = "[{name: source, default: x}, {name: other, default: y}]"
    write_job(root, "one", task("a", parameters="['{{job.parameters.source}}']"), parameters=declared)
    value = r"\1 ${var.landing} {{job.parameters.other}}"
    assert planned(load_bundle(root, "local"), "one", source=value) == [("a", (value,))]


def test_plan_passes_a_parameter_to_the_jobs_that_declare_it(root: Path) -> None:
    words = "['{{job.parameters.source}}']"
    write_job(root, "one", task("a", parameters=words), parameters="[{name: source, default: x}]")
    write_job(root, "two", task("b"))
    assert planned(load_bundle(root, "local"), "one", "two", source="s") == [("a", ("s",)), ("b", ())]


@pytest.fixture
def two_jobs(root: Path) -> Bundle:
    """Two jobs with the same parameter; the name of one job is a prefix of the other's."""
    for name, key in (("one", "a"), ("one_more", "b")):
        words = task(key, parameters="['{{job.parameters.source}}']")
        write_job(root, name, words, parameters="[{name: source, default: x}]")
    return load_bundle(root, "local")


@pytest.mark.parametrize(
    ("parameters", "of_one", "of_one_more"),
    [
        ({}, "x", "x"),
        ({"source": "s"}, "s", "s"),
        ({"one.source": "q"}, "q", "x"),
        ({"one_more.source": "q"}, "x", "q"),
        ({"one.source": "q", "one_more.source": "r"}, "q", "r"),
        ({"source": "s", "one.source": "q"}, "q", "s"),
        ({"one.source": "q", "source": "s"}, "q", "s"),
        ({"source": "s", "one_more.source": ""}, "s", ""),
    ],
)
def test_plan_passes_a_qualified_parameter_only_to_its_job(
    two_jobs: Bundle, parameters: dict[str, str], of_one: str, of_one_more: str
) -> None:
    assert planned(two_jobs, "one", "one_more", **parameters) == [("a", (of_one,)), ("b", (of_one_more,))]


@pytest.mark.parametrize("name", ["one.sauce", "two.source", "one.", ".source", "one.one.source", "one_more.source"])
def test_plan_refuses_an_unknown_qualified_parameter(two_jobs: Bundle, name: str) -> None:
    with pytest.raises(UsageError, match=f"parameter: found '{name}', one take source"):
        two_jobs.plan(("one",), {name: "s", "source": "t"})


def test_plan_refuses_an_unknown_job(root: Path) -> None:
    write_job(root, "one", task("a"))
    with pytest.raises(UsageError, match="job: found 'three', the bundle has one"):
        load_bundle(root, "local").plan(("one", "three"), {})


def test_plan_refuses_an_unknown_parameter(root: Path) -> None:
    write_job(root, "one", task("a"), parameters="[{name: source, default: x}, {name: engine, default: y}]")
    with pytest.raises(UsageError, match="parameter: found 'sauce', one take engine, source"):
        load_bundle(root, "local").plan(("one",), {"source": "s", "sauce": "t"})


def test_plan_refuses_any_parameter_if_none_is_declared(root: Path) -> None:
    write_job(root, "one", task("a"))
    with pytest.raises(UsageError, match="parameter: found 'x', one take none"):
        load_bundle(root, "local").plan(("one",), {"x": "1"})


def test_plan_refuses_a_parameter_that_the_job_does_not_declare(root: Path) -> None:
    declared = "[{name: engine, default: x}]"
    write_job(root, "one", task("a", parameters="['{{job.parameters.source}}']"), parameters=declared)
    with pytest.raises(BundleError, match=r"one\.a: found job\.parameters\.source, the job declares engine"):
        load_bundle(root, "local").plan(("one",), {})


def test_plan_refuses_a_dependency_on_an_unknown_task(root: Path) -> None:
    write_job(root, "one", task("a"), task("b", "z"))
    with pytest.raises(BundleError, match=r"one\.b: depends on 'z', the job has a, b"):
        load_bundle(root, "local").plan(("one",), {})


@pytest.mark.parametrize("tasks", [(task("a", "a"),), (task("a", "b"), task("b", "c"), task("c", "a"))])
def test_plan_refuses_a_cycle_of_tasks(root: Path, tasks: tuple[str, ...]) -> None:
    write_job(root, "one", *tasks)
    with pytest.raises(BundleError, match=r"one: tasks depend on each other in a cycle: .*a -> "):
        load_bundle(root, "local").plan(("one",), {})


def test_plan_refuses_a_repeated_task_key(root: Path) -> None:
    write_job(root, "one", task("a"), task("a"))
    with pytest.raises(BundleError, match="one: two tasks share a task_key; found a, a"):
        load_bundle(root, "local").plan(("one",), {})


def test_plan_refuses_a_file_that_does_not_exist(root: Path) -> None:
    write_job(root, "one", task("a"), has_files=False)
    with pytest.raises(BundleError, match=r"one\.a: python_file \.\./jobs/a\.py does not exist"):
        load_bundle(root, "local").plan(("one",), {})
