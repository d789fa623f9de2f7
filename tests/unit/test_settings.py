from __future__ import annotations

import traceback
from pathlib import Path

import pytest
from pydantic import ValidationError

from solosolve.bundle import bundle_variables, find_bundle
from solosolve.errors import SettingsError
from solosolve.settings import Settings

VARIABLES = """
variables:
  catalog: {default: main}
  maturity_days: {description: Days left out., default: 60}
  node_type: {default: large}
  undecided: {description: Without a default.}
"""
TARGETS = """
targets:
  local:
    variables: {maturity_days: 30}
  dev:
  prod:
    variables: {catalog: prod}
"""


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    (root / "bundle").mkdir(parents=True)
    (root / "databricks.yml").write_text("bundle: {name: solosolve}\n")
    (root / "bundle" / "variables.yml").write_text(VARIABLES)
    (root / "bundle" / "targets.yml").write_text(TARGETS)
    return root


def load(bundle: Path, target: str = "local", **environ: str) -> Settings:
    return Settings.load(target, bundle=bundle, environ=environ)


def test_settings_take_the_bundles_defaults(bundle: Path) -> None:
    settings = load(bundle, "dev")
    assert (settings.catalog, settings.maturity_days, settings.min_labels) == ("main", 60, 200)


def test_settings_take_the_targets_variables_over_the_defaults(bundle: Path) -> None:
    assert load(bundle, "local").maturity_days == 30
    assert load(bundle, "prod").catalog == "prod"


def test_settings_take_the_environment_over_the_bundle(bundle: Path) -> None:
    assert load(bundle, SOLOSOLVE_MATURITY_DAYS="7").maturity_days == 7


def test_settings_ignore_other_environment_variables(bundle: Path) -> None:
    assert load(bundle, MATURITY_DAYS="7", SOLOSOLVE_NODE_TYPE="x", solosolve_catalog="y") == load(bundle)


def test_settings_read_the_environment_of_the_process(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOLOSOLVE_MIN_LABELS", "77")
    assert Settings.load(bundle=bundle).min_labels == 77


def test_settings_keep_the_warehouse_and_the_logs_in_the_home(bundle: Path, tmp_path: Path) -> None:
    settings = load(bundle, SOLOSOLVE_HOME=str(tmp_path / "home"))
    assert settings.warehouse == tmp_path / "home" / "warehouse"
    assert settings.logs == tmp_path / "home" / "logs"


@pytest.mark.parametrize(("target", "is_local"), [("local", True), ("prod", False)])
def test_settings_know_whether_they_are_local(bundle: Path, target: str, is_local: bool) -> None:
    settings = load(bundle, target)
    assert (settings.target, settings.is_local) == (target, is_local)


def test_settings_home_is_absolute(bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", "/home/somebody")
    assert load(bundle).home == tmp_path / ".solosolve"
    assert load(bundle, SOLOSOLVE_HOME="~/solo").home == Path("/home/somebody/solo")


def test_settings_cannot_be_changed(bundle: Path) -> None:
    with pytest.raises(ValidationError, match="frozen"):
        load(bundle).catalog = "other"


def test_settings_refuse_unknown_names() -> None:
    with pytest.raises(ValidationError, match="min_label"):
        Settings.model_validate({"min_label": 3})


@pytest.mark.parametrize(
    ("variable", "value", "allowed"),
    [
        ("SOLOSOLVE_MATURITY_DAYS", "-1", "greater than or equal to 0"),
        ("SOLOSOLVE_MATURITY_DAYS", "soon", "valid integer"),
        ("SOLOSOLVE_MIN_LABELS", "1", "greater than or equal to 2"),
        ("SOLOSOLVE_BOOTSTRAP_ROUNDS", "10001", "less than or equal to 10000"),
        ("SOLOSOLVE_CATALOG", "a-b; drop", "match pattern"),
        ("SOLOSOLVE_DRIVER_MEMORY", "4 GB", "match pattern"),
        ("SOLOSOLVE_ACTOR", "", "at least 1 character"),
        ("SOLOSOLVE_HOME", "", "should be a folder"),
        ("SOLOSOLVE_HOME", " ", "should be a folder"),
        ("SOLOSOLVE_KAFKA_SECURITY_PROTOCOL", "ssl", "should be 'PLAINTEXT', 'SSL', 'SASL_PLAINTEXT' or 'SASL_SSL'"),
        ("SOLOSOLVE_KAFKA_SASL_MECHANISM", "GSSAPI", "should be 'PLAIN', 'SCRAM-SHA-256' or 'SCRAM-SHA-512'"),
        ("SOLOSOLVE_MAX_REQUEST_BYTES", "1023", "greater than or equal to 1024"),
        ("SOLOSOLVE_MAX_REQUEST_BYTES", "1e4", "valid integer"),
        ("SOLOSOLVE_MAX_REQUEST_BYTES", "", "valid integer"),
    ],
)
def test_settings_name_the_variable_that_has_a_wrong_value(
    bundle: Path, variable: str, value: str, allowed: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        load(bundle, **{variable: value})
    message = str(caught.value)
    assert message.startswith(f"{variable}: found {value!r}, ")
    assert allowed in message
    assert "\n" not in message


def test_settings_report_all_wrong_values_at_once(bundle: Path) -> None:
    with pytest.raises(SettingsError, match=r"SOLOSOLVE_MATURITY_DAYS: .*; SOLOSOLVE_MIN_LABELS: "):
        load(bundle, SOLOSOLVE_MATURITY_DAYS="x", SOLOSOLVE_MIN_LABELS="y")


def test_settings_name_the_bundle_variable_that_has_a_wrong_value(bundle: Path) -> None:
    (bundle / "bundle" / "targets.yml").write_text("targets: {local: {variables: {maturity_days: soon}}}")
    with pytest.raises(SettingsError, match=r"^maturity_days: found 'soon', "):
        load(bundle)


def test_settings_refuse_an_unknown_target_and_list_the_known_ones(bundle: Path) -> None:
    with pytest.raises(SettingsError, match=r"^target: found 'production', allowed: local, dev, prod$"):
        load(bundle, "production")


def test_settings_refuse_an_unknown_target_without_a_bundle(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("solosolve.settings.find_bundle", lambda: None)
    with pytest.raises(
        SettingsError, match=r"^target: found 'production', should be 'local', 'dev', 'staging' or 'prod'$"
    ):
        Settings.load("production", environ={})


def test_settings_without_a_bundle_take_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("solosolve.settings.find_bundle", lambda: None)
    settings = Settings.load("prod", environ={"SOLOSOLVE_CATALOG": "mine"})
    assert (settings.target, settings.catalog) == ("prod", "mine")


def test_bundle_variables_leave_out_those_without_a_default(bundle: Path) -> None:
    assert bundle_variables(bundle, "prod") == {"catalog": "prod", "maturity_days": 60, "node_type": "large"}


@pytest.mark.parametrize("file", ["variables.yml", "targets.yml"])
@pytest.mark.parametrize("text", ["variables: [", "- a list", "just words", "variables: 5\ntargets: 5"])
def test_bundle_file_with_unusable_content_is_refused_by_its_name(bundle: Path, file: str, text: str) -> None:
    (bundle / "bundle" / file).write_text(text)
    with pytest.raises(SettingsError, match=file):
        load(bundle)


@pytest.mark.parametrize("file", ["variables.yml", "targets.yml"])
def test_bundle_with_a_missing_file_is_refused_by_its_name(bundle: Path, file: str) -> None:
    (bundle / "bundle" / file).unlink()
    with pytest.raises(SettingsError, match=file):
        load(bundle)


@pytest.mark.parametrize("text", ["", "variables:", "variables:\n  catalog:"])
def test_bundle_may_declare_no_defaults(bundle: Path, text: str) -> None:
    (bundle / "bundle" / "variables.yml").write_text(text)
    assert load(bundle).maturity_days == 30


def test_find_bundle_looks_in_the_folder_and_its_parents(bundle: Path) -> None:
    below = bundle / "some" / "where"
    below.mkdir(parents=True)
    assert find_bundle(bundle) == bundle
    assert find_bundle(below) == bundle


def test_find_bundle_starts_from_the_working_folder(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(bundle / "bundle")
    assert find_bundle() == bundle


@pytest.mark.parametrize("target", ["local", "dev", "staging", "prod"])
def test_settings_load_every_target_of_the_projects_own_bundle(target: str) -> None:
    own = Path(__file__).parents[2]
    assert Settings.load(target, bundle=own, environ={}).target == target


def test_settings_of_a_platform_target_without_a_bundle_need_the_catalog(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("solosolve.settings.find_bundle", lambda: None)
    with pytest.raises(SettingsError, match=r"catalog: not set for target 'prod'.* set SOLOSOLVE_CATALOG"):
        Settings.load("prod", environ={})
    assert Settings.load("prod", environ={"SOLOSOLVE_CATALOG": "ours"}).catalog == "ours"


SECRET = "hunter2-hunter2"
LOGIN = {"SOLOSOLVE_KAFKA_USERNAME": "solo", "SOLOSOLVE_KAFKA_PASSWORD": SECRET}


def test_settings_default_to_a_local_broker_without_a_login(bundle: Path) -> None:
    settings = load(bundle)
    assert (settings.kafka_bootstrap, settings.kafka_security_protocol) == ("127.0.0.1:9092", "PLAINTEXT")
    assert (settings.kafka_username, settings.kafka_password, settings.kafka_ca_file) == (None, None, None)


@pytest.mark.parametrize("protocol", ["SASL_PLAINTEXT", "SASL_SSL"])
@pytest.mark.parametrize(
    "login", [{}, {"SOLOSOLVE_KAFKA_USERNAME": "solo"}, {"SOLOSOLVE_KAFKA_PASSWORD": SECRET},
              LOGIN | {"SOLOSOLVE_KAFKA_USERNAME": ""}, LOGIN | {"SOLOSOLVE_KAFKA_PASSWORD": ""}],
)  # fmt: skip
def test_settings_refuse_a_sasl_protocol_without_a_complete_login(
    bundle: Path, protocol: str, login: dict[str, str]
) -> None:
    with pytest.raises(SettingsError) as caught:
        load(bundle, SOLOSOLVE_KAFKA_SECURITY_PROTOCOL=protocol, **login)
    message = "kafka_security_protocol: a SASL protocol needs kafka_username and kafka_password"
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize("protocol", ["SASL_PLAINTEXT", "SASL_SSL", "PLAINTEXT", "SSL"])
def test_settings_accept_a_login_and_hide_its_password(bundle: Path, protocol: str) -> None:
    settings = load(bundle, SOLOSOLVE_KAFKA_SECURITY_PROTOCOL=protocol, **LOGIN)
    assert settings.kafka_password is not None
    assert (settings.kafka_username, settings.kafka_password.get_secret_value()) == ("solo", SECRET)
    shown = f"{settings!r} {settings} {settings.model_dump()} {settings.model_dump_json()} {settings.kafka_password}"
    assert SECRET not in shown
    assert "solo" in shown


@pytest.mark.parametrize(
    "wrong",
    [
        {"SOLOSOLVE_KAFKA_BOOTSTRAP": "nowhere"},
        {"SOLOSOLVE_KAFKA_SECURITY_PROTOCOL": "SASL"},
        {"SOLOSOLVE_KAFKA_SECURITY_PROTOCOL": "SASL_SSL", "SOLOSOLVE_KAFKA_USERNAME": ""},
    ],
)
def test_settings_hide_the_password_when_another_setting_is_wrong(bundle: Path, wrong: dict[str, str]) -> None:
    with pytest.raises(SettingsError) as caught:
        load(bundle, **LOGIN | wrong)
    assert SECRET not in "".join(traceback.format_exception(caught.value))


def test_settings_hide_a_password_of_the_wrong_type(bundle: Path) -> None:
    wrong = {**LOGIN, "SOLOSOLVE_KAFKA_PASSWORD": [SECRET]}
    with pytest.raises(SettingsError, match=r"^SOLOSOLVE_KAFKA_PASSWORD: found a value, ") as caught:
        load(bundle, **wrong)  # type: ignore[arg-type]
    assert SECRET not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize("values", [{"kafka_password": [SECRET]}, {"kafka_password": SECRET, "kafka_ca_file": 5},
                                    {"kafka_password": SECRET, "kafka_security_protocol": "SASL_SSL"}])  # fmt: skip
def test_settings_built_without_load_hide_the_password(values: dict[str, object]) -> None:
    with pytest.raises(ValidationError) as caught:
        Settings.model_validate(values)
    assert SECRET not in f"{caught.value} {caught.value!r}"


@pytest.mark.parametrize("address", ["127.0.0.1:9092", "a:1,b:2", "broker.example.com:65535"])
def test_settings_accept_broker_addresses(bundle: Path, address: str) -> None:
    assert load(bundle, SOLOSOLVE_KAFKA_BOOTSTRAP=address).kafka_bootstrap == address


@pytest.mark.parametrize(
    "address", ["", "127.0.0.1", ":9092", "a:", "a:x", "a:123456", "a:1,", ",a:1", "a:1;b:2", "a:1, b:2", "a b:1",
                "http://a:1", "a:1\n", "a:1:2"],
)  # fmt: skip
def test_settings_refuse_a_malformed_broker_address(bundle: Path, address: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load(bundle, SOLOSOLVE_KAFKA_BOOTSTRAP=address)
    assert str(caught.value).startswith(f"SOLOSOLVE_KAFKA_BOOTSTRAP: found {address!r}, ")
    assert "match pattern" in str(caught.value)


def test_settings_limit_the_size_of_a_request(bundle: Path) -> None:
    assert load(bundle).max_request_bytes == 262_144
    assert load(bundle, SOLOSOLVE_MAX_REQUEST_BYTES="1024").max_request_bytes == 1_024
