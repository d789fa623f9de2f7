from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from solosolve.bundle import ResolvedBundle, resolve_bundle
from solosolve.bundle.presets import short_name
from solosolve.errors import BundleError, SettingsError, UsageError
from support.tiny_bundles import TinyBundle

MAIN = """
bundle: {name: tiny}
include: [resources/*.yml]
variables:
  catalog: {default: main}
  schema: {default: "${var.catalog}_bronze"}
  path: {default: "/Volumes/${var.catalog}/${var.schema}"}
  workers: {default: 2}
  is_fast: {default: true}
  cluster: {type: complex, default: {num_workers: "${var.workers}", spark_env_vars: {CATALOG: "${var.catalog}"}}}
  warehouse: {lookup: {warehouse: Shared}}
workspace: {host: https://example.com}
targets:
  dev: {default: true, mode: development, variables: {catalog: dev}}
  staging:
    variables:
      catalog: {default: long, description: In the long form.}
      cluster: {num_workers: 9}
      warehouse: abc
  prod: {mode: production, workspace: {root_path: "~/here/${bundle.target}"}, variables: {catalog: prod}}
"""
JOB = """
resources:
  jobs:
    one:
      name: VALUE
      tasks:
        - task_key: a
          spark_python_task: {python_file: ../jobs/a.py}
"""


@pytest.fixture
def tiny(tmp_path: Path) -> TinyBundle:
    return TinyBundle(tmp_path, MAIN)


def resolved(tiny: TinyBundle, target: str | None = "prod", **options: Any) -> ResolvedBundle:
    return resolve_bundle(tiny.root, target, **({"environ": {}} | options))


def value(
    tiny: TinyBundle, text: str, target: str = "prod", environ: Mapping[str, str] | None = None, **variables: str
) -> Any:
    """What a value in a job becomes."""
    tiny.write("resources/one.job.yml", JOB.replace("VALUE", text))
    bundle = resolved(tiny, target, environ=environ or {}, variables=variables)
    node = bundle.tree.at("resources", "jobs", "one", "name")
    return None if node is None else node.plain()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("${var.catalog}", "prod"),
        ("x-${var.catalog}-${bundle.target}", "x-prod-prod"),
        ("${var.path}/in", "/Volumes/prod/prod_bronze/in"),
        ("${var.workers}", 2),
        ("n=${var.workers} ${var.is_fast}", "n=2 true"),
        ("${var.cluster}", {"num_workers": 2, "spark_env_vars": {"CATALOG": "prod"}}),
        ("${var.cluster.spark_env_vars.CATALOG}", "prod"),
        ("${var.warehouse}", "<ID of the warehouse 'Shared'>"),
        ("${bundle.name} ${bundle.environment}", "tiny prod"),
        ("${bundle.mode}", "production"),
        ("${workspace.current_user.userName}", "someone@example.com"),
        ("${workspace.current_user.short_name}", "someone"),
        ("${workspace.root_path}", "/Workspace/Users/someone@example.com/here/prod"),
        ("${workspace.file_path}", "/Workspace/Users/someone@example.com/here/prod/files"),
        ("${workspace.host}", "https://example.com"),
        ("${resources.jobs.one.tasks[0].task_key}", "a"),
        ("${resources.jobs.one.id}", "${resources.jobs.one.id}"),
        ('"{{job.parameters.x}}"', "{{job.parameters.x}}"),
    ],
)
def test_reference_becomes_what_it_names(tiny: TinyBundle, text: str, expected: object) -> None:
    assert value(tiny, text) == expected


def test_variable_takes_the_targets_value_in_the_short_and_the_long_form(tiny: TinyBundle) -> None:
    assert value(tiny, "${var.catalog}", "dev") == "[dev someone] dev"
    assert value(tiny, "${var.catalog}", "staging") == "long"
    assert value(tiny, "${var.cluster}", "staging") == {"num_workers": 9}
    assert value(tiny, "${var.warehouse}", "staging") == "abc"


def test_variable_takes_the_first_value_in_the_order_of_precedence(tiny: TinyBundle) -> None:
    assert value(tiny, "${var.catalog}") == "prod"
    tiny.write(".databricks/bundle/prod/variable-overrides.json", '{"catalog": "file"}')
    assert value(tiny, "${var.catalog}") == "file"
    environ = {"BUNDLE_VAR_catalog": "environment"}
    assert value(tiny, "${var.catalog}", environ=environ) == "environment"
    assert value(tiny, "${var.catalog}", environ=environ, catalog="command") == "command"


def test_lookup_takes_its_id_from_the_environment(tiny: TinyBundle) -> None:
    assert value(tiny, "${var.warehouse}", environ={"BUNDLE_VAR_warehouse": "abc"}) == "abc"


def test_complex_variable_takes_json(tiny: TinyBundle) -> None:
    assert value(tiny, "${var.cluster}", cluster='{"num_workers": 5}') == {"num_workers": 5}
    with pytest.raises(UsageError, match="cluster: found 'five', a complex variable takes JSON"):
        value(tiny, "${var.cluster}", cluster="five")


def test_unknown_variable_on_the_command_line_is_refused(tiny: TinyBundle) -> None:
    with pytest.raises(UsageError, match="--var: found 'katalog', the bundle has catalog, "):
        resolved(tiny, variables={"katalog": "x"})


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("${var.katalog}", r"\$\{var\.katalog\}, which does not exist, allowed: catalog \(did you mean that\?\)"),
        ("${bundel.name}", r"\$\{bundel\.name\}, which does not exist, allowed: bundle"),
        ("${resources.jobs.on.id}", r"\$\{resources\.jobs\.on\.id\}, which does not exist, allowed: one"),
        ("${resources.jobs.one.nam}", r"which does not exist, allowed: name"),
        ("x ${var.cluster}", r"\$\{var\.cluster\} inside a text, but it is no single value"),
    ],
)
def test_reference_to_nothing_is_refused_with_its_line(tiny: TinyBundle, text: str, found: str) -> None:
    with pytest.raises(BundleError, match=rf"^resources/one\.job\.yml:5: found .*{found}"):
        value(tiny, text)


def test_variables_that_lead_back_to_themselves_are_refused(tiny: TinyBundle) -> None:
    tiny.write("resources/two.yml", 'variables: {a: {default: "${var.b}"}, b: {default: "x${var.a}"}}')
    with pytest.raises(BundleError, match=r"found \$\{var\.b\} -> \$\{var\.a\} -> \$\{var\.b\}, allowed: a reference"):
        resolved(tiny)


def test_variable_without_a_value_is_refused(tiny: TinyBundle) -> None:
    tiny.write("resources/two.yml", "variables:\n  undecided: {description: No default.}\n")
    with pytest.raises(
        BundleError, match=r"two\.yml:2: found variables\.undecided without a value, allowed: a default"
    ):
        resolved(tiny)
    assert resolved(tiny, environ={"BUNDLE_VAR_undecided": "x"}).target == "prod"


def test_value_for_an_undeclared_variable_in_a_target_is_refused(tiny: TinyBundle) -> None:
    tiny.write("databricks.yml", MAIN.replace("{catalog: prod}", "{katalog: prod}"))
    with pytest.raises(BundleError, match=r"databricks\.yml:20: found variables\.katalog, which is not declared"):
        resolved(tiny)


def test_default_target_is_taken_when_none_is_named(tiny: TinyBundle) -> None:
    assert resolved(tiny, None).target == "dev"


def test_unknown_target_is_refused(tiny: TinyBundle) -> None:
    with pytest.raises(SettingsError, match="target: found 'moon', allowed: dev, staging, prod"):
        resolved(tiny, "moon")


OVERRIDE = """
targets:
  prod:
    resources:
      jobs:
        one:
          max_concurrent_runs: 3
          parameters: [{name: p, default: changed}]
          tasks:
            - task_key: a
              max_retries: 2
            - task_key: b
              spark_python_task: {python_file: ../jobs/b.py}
          job_clusters:
            - job_cluster_key: main
              new_cluster: {num_workers: 8}
"""
BASE = """
resources:
  jobs:
    one:
      name: one
      parameters: [{name: q, default: q}, {name: p, default: p}]
      tasks:
        - task_key: a
          spark_python_task: {python_file: ../jobs/a.py, parameters: [x]}
          job_cluster_key: main
      job_clusters:
        - job_cluster_key: main
          new_cluster: {num_workers: 1, spark_version: v}
"""


def test_target_changes_resources_by_the_keys_of_their_elements(tiny: TinyBundle) -> None:
    tiny.write("resources/one.job.yml", BASE)
    tiny.write("resources/targets.yml", OVERRIDE)
    node = resolved(tiny).resources("jobs")["one"]
    assert node.plain() == {
        "name": "one",
        "max_concurrent_runs": 3,
        "parameters": [{"name": "q", "default": "q"}, {"name": "p", "default": "changed"}],
        "tasks": [
            {
                "task_key": "a",
                "max_retries": 2,
                "job_cluster_key": "main",
                "spark_python_task": {"python_file": "../jobs/a.py", "parameters": ["x"]},
            },
            {"task_key": "b", "spark_python_task": {"python_file": "../jobs/b.py"}},
        ],
        "job_clusters": [{"job_cluster_key": "main", "new_cluster": {"num_workers": 8, "spark_version": "v"}}],
    }
    change = node.at("tasks", 0, "max_retries")
    assert change is not None
    assert (change.place.file.name, change.place.line) == ("targets.yml", 11)


def test_local_file_is_a_target_that_is_not_deployed(tiny: TinyBundle) -> None:
    tiny.write("resources/one.job.yml", BASE)
    tiny.write("bundle/local.yml", "variables: {catalog: here}\nresources: {jobs: {one: {name: '${var.catalog}'}}}\n")
    assert resolved(tiny, "local").resources("jobs")["one"].text("name") == "here"
    assert resolved(tiny, "prod").resources("jobs")["one"].text("name") == "one"


RESOURCES = """
resources:
  jobs:
    one: {name: j, schedule: {quartz_cron_expression: x}}
    two: {name: k, max_concurrent_runs: 1, continuous: {pause_status: UNPAUSED}, tags: {dev: mine}}
  schemas:
    s: {name: s, catalog_name: c}
  registered_models:
    m: {name: m, catalog_name: c, schema_name: "${resources.schemas.s.name}"}
  volumes:
    v: {name: v, catalog_name: c, schema_name: "${resources.schemas.s.name}", volume_type: MANAGED}
  experiments:
    e: {name: /Shared/e}
  dashboards:
    d: {display_name: d}
"""


def test_development_mode_prefixes_names_and_pauses_what_does_not_say_otherwise(tiny: TinyBundle) -> None:
    tiny.write("resources/all.yml", RESOURCES)
    bundle = resolved(tiny, "dev", user="jane.doe@example.com")
    one, two = (bundle.resources("jobs")[key].plain() for key in ("one", "two"))
    assert one == {
        "name": "[dev jane_doe] j",
        "schedule": {"quartz_cron_expression": "x", "pause_status": "PAUSED"},
        "max_concurrent_runs": 4,
        "tags": {"dev": "jane_doe"},
    }
    assert (two["max_concurrent_runs"], two["continuous"], two["tags"]) == (
        1,
        {"pause_status": "UNPAUSED"},
        {"dev": "mine"},
    )
    names = {
        kind: next(iter(bundle.resources(kind).values())).plain() for kind in ("schemas", "volumes", "experiments")
    }
    assert names["schemas"]["name"] == "dev_jane_doe_s"
    assert (names["volumes"]["name"], names["volumes"]["schema_name"]) == ("v", "dev_jane_doe_s")
    assert names["experiments"]["name"] == "/Shared/[dev jane_doe] e"
    assert bundle.resources("registered_models")["m"].text("name") == "dev_jane_doe_m"
    assert bundle.resources("dashboards")["d"].text("display_name") == "[dev jane_doe] d"


def test_presets_change_resources_in_any_mode(tiny: TinyBundle) -> None:
    tiny.write("resources/all.yml", RESOURCES)
    presets = "{name_prefix: 'test_', trigger_pause_status: PAUSED, jobs_max_concurrent_runs: 7, tags: {team: x}}"
    tiny.write("resources/presets.yml", f"targets: {{staging: {{presets: {presets}, run_as: {{user_name: me}}}}}}")
    one = resolved(tiny, "staging").resources("jobs")["one"].plain()
    assert one == {
        "name": "test_j",
        "schedule": {"quartz_cron_expression": "x", "pause_status": "PAUSED"},
        "max_concurrent_runs": 7,
        "tags": {"team": "x"},
        "run_as": {"user_name": "me"},
    }


@pytest.mark.parametrize(
    ("user", "short"), [("jane.doe@example.com", "jane_doe"), ("a-b+c@x", "a_b_c"), ("Jo@x", "jo"), ("sp", "sp")]
)
def test_short_name_is_the_part_before_the_at_in_words(user: str, short: str) -> None:
    assert short_name(user) == short


@pytest.mark.parametrize(
    ("text", "expected"),
    [("on", "on"), ("yes", "yes"), ("1:30", "1:30"), ("2024-01-02", "2024-01-02"), ("1e3", 1000.0)],
)
def test_yaml_is_read_by_the_rules_of_its_version_1_2(tiny: TinyBundle, text: str, expected: object) -> None:
    assert value(tiny, text) == expected


def test_anchors_and_merge_keys_are_followed(tiny: TinyBundle) -> None:
    text = "resources:\n  jobs:\n    one: &base {name: x, description: y}\n    two:\n      <<: *base\n      name: z\n"
    tiny.write("resources/one.job.yml", text)
    assert resolved(tiny).resources("jobs")["two"].plain() == {"name": "z", "description": "y"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: &x [*x]", "cannot be read as YAML"),
        ("a: 1\n---\nb: 2\n", "cannot be read as YAML"),
        ("a: *nothing", r"x\.yml:1: cannot be read as YAML"),
        ("resources: {jobs: {one: {name: a, name: b}}}", r"found the key 'name' again \(first on line 1\)"),
        ("include: [x]", "include in a file that is itself included"),
    ],
)
def test_file_that_cannot_be_used_is_refused_by_its_name(tiny: TinyBundle, text: str, message: str) -> None:
    tiny.write("resources/x.yml", text)
    with pytest.raises(BundleError, match=message):
        resolved(tiny)


@pytest.mark.parametrize("pattern", ["missing.yml", "../x.yml", "/etc/x.yml"])
def test_include_that_is_missing_or_outside_is_refused(tiny: TinyBundle, pattern: str) -> None:
    tiny.write("databricks.yml", MAIN.replace("resources/*.yml", pattern))
    with pytest.raises(BundleError, match=r"databricks\.yml:3: found include: "):
        resolved(tiny)
