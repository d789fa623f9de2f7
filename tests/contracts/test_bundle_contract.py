"""The bundle, the job files, the flows, the settings and the requirements agree."""

from __future__ import annotations

import importlib.util
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from solosolve.local.job_plan import load_bundle
from solosolve.settings import ENV_PREFIX, Settings

ROOT = Path(__file__).parents[2]
RESOURCES = sorted((ROOT / "resources").glob("*.yml"))
YAML_FILES = [ROOT / "databricks.yml", *sorted((ROOT / "bundle").glob("*.yml")), *RESOURCES]


def read(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return content


VARIABLES = read(ROOT / "bundle" / "variables.yml")["variables"]
LOCAL = ROOT / "bundle" / "local.yml"
DEPLOYED = read(ROOT / "bundle" / "targets.yml")["targets"]
TARGETS = {"local": read(LOCAL)} | DEPLOYED
JOBS = {name: job for path in RESOURCES for name, job in read(path)["resources"].get("jobs", {}).items()}


@dataclass(frozen=True)
class PythonTask:
    job: str
    key: str
    file: Path
    words: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.job}.{self.key}"

    @property
    def options(self) -> list[str]:
        return [word.split("=")[0] for word in self.words if word.startswith("--")]


def python_tasks() -> Iterator[PythonTask]:
    for name, job in JOBS.items():
        for task in job["tasks"]:
            if python := task.get("spark_python_task"):
                file = (ROOT / "resources" / python["python_file"]).resolve()
                yield PythonTask(name, task["task_key"], file, tuple(python.get("parameters", ())))


TASKS = list(python_tasks())
EACH_TASK = pytest.mark.parametrize("task", TASKS, ids=str)
EACH_JOB = pytest.mark.parametrize("job", sorted(JOBS))


def command_of(file: Path) -> click.Command:
    spec = importlib.util.spec_from_file_location(f"contract_{file.stem}", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    command: click.Command = module.command
    return command


def options_of(command: click.Command) -> dict[str, set[str]]:
    """Returns each parameter's name with every spelling of its option."""
    return {str(option.name): {*option.opts, *option.secondary_opts} for option in command.params}


@pytest.mark.parametrize("path", RESOURCES, ids=lambda path: path.name)
def test_resource_file_holds_only_the_resource_it_is_named_after(path: Path) -> None:
    stem, kind, _ = path.name.split(".")
    content = read(path)
    assert {group: list(resources) for group, resources in content["resources"].items()} == {f"{kind}s": [stem]}
    assert set(content) == {"resources"}


@EACH_TASK
def test_task_has_a_job_file_and_a_flow_of_its_name(task: PythonTask) -> None:
    assert task.file == ROOT / "jobs" / f"{task.key}.py"
    assert task.file.is_file()
    assert (ROOT / "src" / "solosolve" / "flows" / f"{task.key}.py").is_file()


def test_every_job_file_belongs_to_a_task() -> None:
    assert set((ROOT / "jobs").glob("*.py")) == {task.file for task in TASKS}


@EACH_TASK
def test_command_is_named_after_its_task(task: PythonTask) -> None:
    assert command_of(task.file).name == task.key


@EACH_TASK
def test_task_passes_only_options_that_its_command_has(task: PythonTask) -> None:
    known = set().union(*options_of(command_of(task.file)).values())
    assert [word for word in task.options if word not in known] == []


@EACH_TASK
def test_task_sets_every_option_of_its_command_once(task: PythonTask) -> None:
    times_set = {
        name: sum(word in spellings for word in task.options)
        for name, spellings in options_of(command_of(task.file)).items()
    }
    assert times_set == dict.fromkeys(times_set, 1)


@EACH_TASK
def test_task_passes_the_target_of_the_bundle(task: PythonTask) -> None:
    # Without it, a deployed task would look for tables on local disk.
    assert task.words[task.words.index("--target") + 1] == "${bundle.target}"


@EACH_JOB
def test_job_uses_exactly_the_parameters_it_declares(job: str) -> None:
    declared = {parameter["name"] for parameter in JOBS[job].get("parameters", ())}
    used = set(re.findall(r"\{\{\s*job\.parameters\.(\w+)\s*\}\}", yaml.safe_dump(JOBS[job])))
    assert used == declared


@EACH_JOB
def test_job_parameter_has_the_name_of_its_option(job: str) -> None:
    options_and_parameters = {
        (option, parameter)
        for task in TASKS
        if task.job == job
        for option, value in zip(task.words, task.words[1:], strict=False)
        for parameter in re.findall(r"job\.parameters\.(\w+)", value)
    }
    options = {option for option, _ in options_and_parameters}
    assert options == {"--" + parameter.replace("_", "-") for _, parameter in options_and_parameters}


@EACH_JOB
def test_job_declares_exactly_the_clusters_its_tasks_use(job: str) -> None:
    declared = {cluster["job_cluster_key"] for cluster in JOBS[job].get("job_clusters", ())}
    named = {task["job_cluster_key"] for task in JOBS[job]["tasks"] if "job_cluster_key" in task}
    assert named == declared


@pytest.mark.parametrize("path", YAML_FILES, ids=lambda path: path.name)
def test_referenced_variables_are_declared(path: Path) -> None:
    referenced = set(re.findall(r"\$\{var\.(\w+)\}", path.read_text(encoding="utf-8")))
    assert referenced <= set(VARIABLES)


def test_variables_set_by_targets_are_declared() -> None:
    set_per_target = {name for target in TARGETS.values() for name in (target or {}).get("variables", {})}
    assert set_per_target <= set(VARIABLES)


def test_declared_variables_are_used_and_described() -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in YAML_FILES)
    used = set(re.findall(r"\$\{var\.(\w+)\}", text)) | set(Settings.model_fields)
    assert set(VARIABLES) <= used
    assert [name for name, variable in VARIABLES.items() if not variable.get("description")] == []


def test_variables_have_the_defaults_of_the_settings() -> None:
    own = set(Settings.model_fields) - {"actor"}
    declared = {name: variable["default"] for name, variable in VARIABLES.items() if name in own}
    defaults = {name: Settings.model_fields[name].default for name in declared}
    # Bundle variables cannot be null.
    assert declared == {name: "" if default is None else default for name, default in defaults.items()}


def test_every_setting_is_in_the_bundle_or_the_readme() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    named = {name for name in Settings.model_fields if f"`{ENV_PREFIX}{name.upper()}`" in readme}
    sent = {name.removeprefix(ENV_PREFIX).lower() for name in VARIABLES["cluster"]["default"]["spark_env_vars"]}
    assert set(Settings.model_fields) - named - set(VARIABLES) - sent == {"target"}


def test_app_requires_what_pyproject_does() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    lines = (ROOT / "src" / "requirements.txt").read_text(encoding="utf-8").splitlines()
    required = {line for line in lines if not line.startswith("#")}
    assert required <= {*project["dependencies"], *extras["dashboard"], *extras["app"]}
    assert {*extras["dashboard"], *extras["app"]} - required == {"solosolve[dashboard]"}


def test_settings_accept_what_every_target_sends() -> None:
    for target in ("local", *DEPLOYED):
        for task in load_bundle(ROOT, target).plan(tuple(JOBS), {}):
            if not task.environment:  # A condition.
                continue
            sent = {name: value for name, value in task.environment.items() if "${" not in value}
            assert {
                name for name in sent if name.removeprefix(ENV_PREFIX).lower() not in Settings.model_fields
            } == set()
            assert Settings.load(target, environ=sent).target == target


def test_production_targets_set_their_root_path() -> None:
    production = {name: target for name, target in TARGETS.items() if (target or {}).get("mode") == "production"}
    assert production
    assert [name for name, target in production.items() if not target.get("workspace", {}).get("root_path")] == []


def test_dev_is_the_only_default_target() -> None:
    assert [name for name, target in TARGETS.items() if (target or {}).get("default")] == ["dev"]


@pytest.mark.parametrize("target", list(TARGETS))
def test_laptop_can_plan_every_job(target: str) -> None:
    bundle = load_bundle(ROOT, target)
    planned = {(task.job, task.name) for task in bundle.plan(tuple(bundle.jobs), {})}
    assert planned == {(name, task["task_key"]) for name, job in JOBS.items() for task in job["tasks"]}


def test_databricks_yml_declares_no_resource_and_no_target() -> None:
    assert set(read(ROOT / "databricks.yml")) == {"bundle", "include", "artifacts", "sync"}


def test_local_target_is_no_part_of_what_is_deployed() -> None:
    included = {path for pattern in read(ROOT / "databricks.yml")["include"] for path in ROOT.glob(pattern)}
    assert included == {*YAML_FILES} - {LOCAL, ROOT / "databricks.yml"}
    assert "local" not in DEPLOYED
