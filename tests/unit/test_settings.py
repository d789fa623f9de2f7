from __future__ import annotations

import traceback
from pathlib import Path

import pytest
from pydantic import ValidationError

from solosolve.errors import SettingsError
from solosolve.names import PREDICTIONS
from solosolve.settings import Settings


def load(target: str = "local", **environ: str) -> Settings:
    return Settings.load(target, environ=environ)


def test_settings_have_defaults_that_the_environment_overrides() -> None:
    assert (load().catalog, load().maturity_days, load().min_labels) == ("main", 60, 200)
    assert load(SOLOSOLVE_MATURITY_DAYS="7").maturity_days == 7


@pytest.mark.parametrize("target", ["dev", "staging", "prod", "a_target_of_ones_own"])
def test_settings_of_any_target_but_local_are_those_of_the_platform(target: str) -> None:
    settings = load(target, SOLOSOLVE_CATALOG="ours")
    assert (settings.target, settings.is_local, load().is_local) == (target, False, True)
    assert settings.model_name == "ours.gold.complaint_resolution"
    assert settings.experiment_name == f"/Shared/solosolve_{target}"
    assert settings.checkpoint_folder == Path("/Volumes/ours/bronze/checkpoints")
    assert settings.table_name(PREDICTIONS) == "ours.gold.predictions"


def test_settings_take_the_names_that_a_deployment_gave() -> None:
    settings = load(
        "dev",
        SOLOSOLVE_CATALOG="dev",
        SOLOSOLVE_BRONZE_SCHEMA="dev_ann_bronze",
        SOLOSOLVE_GOLD_SCHEMA="dev_ann_gold",
        SOLOSOLVE_REGISTERED_MODEL="dev.dev_ann_gold.dev_ann_complaint_resolution",
        SOLOSOLVE_EXPERIMENT="/Workspace/Users/ann/x",
    )
    assert settings.table_name(PREDICTIONS) == "dev.dev_ann_gold.predictions"
    assert settings.checkpoint_folder == Path("/Volumes/dev/dev_ann_bronze/checkpoints")
    assert settings.model_name == "dev.dev_ann_gold.dev_ann_complaint_resolution"
    assert settings.experiment_name == "/Workspace/Users/ann/x"


def test_settings_of_a_platform_target_need_a_catalog() -> None:
    with pytest.raises(SettingsError, match=r"^SOLOSOLVE_CATALOG: not set, expected the catalog of target 'prod'$"):
        load("prod")


@pytest.mark.parametrize("target", ["", "a b", "x;y"])
def test_settings_refuse_a_target_that_is_no_name(target: str) -> None:
    with pytest.raises(SettingsError, match=f"^target: found '{target}', "):
        load(target, SOLOSOLVE_CATALOG="ours")


def test_settings_ignore_other_environment_variables() -> None:
    assert load(MATURITY_DAYS="7", SOLOSOLVE_NODE_TYPE="x", solosolve_catalog="y") == load()


def test_settings_read_the_environment_of_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOLOSOLVE_MIN_LABELS", "77")
    assert Settings.load().min_labels == 77


def test_settings_keep_the_warehouse_and_the_logs_in_the_home(tmp_path: Path) -> None:
    settings = load(SOLOSOLVE_HOME=str(tmp_path / "home"))
    assert settings.warehouse == tmp_path / "home" / "warehouse"
    assert settings.logs == tmp_path / "home" / "logs"


def test_settings_home_is_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", "/home/somebody")
    assert load().home == tmp_path / ".solosolve"
    assert load(SOLOSOLVE_HOME="~/solo").home == Path("/home/somebody/solo")


@pytest.mark.parametrize(
    ("place", "folder"),
    [("dbfs:/Volumes/main/bronze/x", "/Volumes/main/bronze/x"), ("file:///mnt/x", "/mnt/x"), ("x", "x")],
)
def test_settings_take_checkpoints_by_the_url_of_a_folder(place: str, folder: str) -> None:
    assert load(SOLOSOLVE_CHECKPOINTS=place).checkpoint_folder == Path(folder)


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        load().catalog = "other"


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
def test_settings_name_the_variable_that_has_a_wrong_value(variable: str, value: str, allowed: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load(**{variable: value})
    message = str(caught.value)
    assert message.startswith(f"{variable}: found {value!r}, ")
    assert allowed in message
    assert "\n" not in message


def test_settings_report_all_wrong_values_at_once() -> None:
    with pytest.raises(SettingsError, match=r"SOLOSOLVE_MATURITY_DAYS: .*; SOLOSOLVE_MIN_LABELS: "):
        load(SOLOSOLVE_MATURITY_DAYS="x", SOLOSOLVE_MIN_LABELS="y")


SECRET = "hunter2-hunter2"
LOGIN = {"SOLOSOLVE_KAFKA_USERNAME": "solo", "SOLOSOLVE_KAFKA_PASSWORD": SECRET}


def test_settings_default_to_a_local_broker_without_a_login() -> None:
    settings = load()
    assert (settings.kafka_bootstrap, settings.kafka_security_protocol) == ("127.0.0.1:9092", "PLAINTEXT")
    assert (settings.kafka_username, settings.kafka_password, settings.kafka_ca_file) == (None, None, None)


@pytest.mark.parametrize("protocol", ["SASL_PLAINTEXT", "SASL_SSL"])
@pytest.mark.parametrize(
    "login", [{}, {"SOLOSOLVE_KAFKA_USERNAME": "solo"}, {"SOLOSOLVE_KAFKA_PASSWORD": SECRET},
              LOGIN | {"SOLOSOLVE_KAFKA_USERNAME": ""}, LOGIN | {"SOLOSOLVE_KAFKA_PASSWORD": ""}],
)  # fmt: skip
def test_settings_refuse_a_sasl_protocol_without_a_complete_login(protocol: str, login: dict[str, str]) -> None:
    with pytest.raises(SettingsError) as caught:
        load(SOLOSOLVE_KAFKA_SECURITY_PROTOCOL=protocol, **login)
    message = "kafka_security_protocol: a SASL protocol needs kafka_username and kafka_password"
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize("protocol", ["SASL_PLAINTEXT", "SASL_SSL", "PLAINTEXT", "SSL"])
def test_settings_accept_a_login_and_hide_its_password(protocol: str) -> None:
    settings = load(SOLOSOLVE_KAFKA_SECURITY_PROTOCOL=protocol, **LOGIN)
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
def test_settings_hide_the_password_when_another_setting_is_wrong(wrong: dict[str, str]) -> None:
    with pytest.raises(SettingsError) as caught:
        load(**LOGIN | wrong)
    assert SECRET not in "".join(traceback.format_exception(caught.value))


def test_settings_hide_a_password_of_the_wrong_type() -> None:
    wrong = {**LOGIN, "SOLOSOLVE_KAFKA_PASSWORD": [SECRET]}
    with pytest.raises(SettingsError, match=r"^SOLOSOLVE_KAFKA_PASSWORD: found a value, ") as caught:
        load(**wrong)  # type: ignore[arg-type]
    assert SECRET not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize("values", [{"kafka_password": [SECRET]}, {"kafka_password": SECRET, "kafka_ca_file": 5},
                                    {"kafka_password": SECRET, "kafka_security_protocol": "SASL_SSL"}])  # fmt: skip
def test_settings_built_without_load_hide_the_password(values: dict[str, object]) -> None:
    with pytest.raises(ValidationError) as caught:
        Settings.model_validate(values)
    assert SECRET not in f"{caught.value} {caught.value!r}"


@pytest.mark.parametrize("address", ["127.0.0.1:9092", "a:1,b:2", "broker.example.com:65535"])
def test_settings_accept_broker_addresses(address: str) -> None:
    assert load(SOLOSOLVE_KAFKA_BOOTSTRAP=address).kafka_bootstrap == address


@pytest.mark.parametrize(
    "address", ["", "127.0.0.1", ":9092", "a:", "a:x", "a:123456", "a:1,", ",a:1", "a:1;b:2", "a:1, b:2", "a b:1",
                "http://a:1", "a:1\n", "a:1:2"],
)  # fmt: skip
def test_settings_refuse_a_malformed_broker_address(address: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load(SOLOSOLVE_KAFKA_BOOTSTRAP=address)
    assert str(caught.value).startswith(f"SOLOSOLVE_KAFKA_BOOTSTRAP: found {address!r}, ")
    assert "match pattern" in str(caught.value)


def test_settings_limit_the_size_of_a_request() -> None:
    assert load().max_request_bytes == 262_144
    assert load(SOLOSOLVE_MAX_REQUEST_BYTES="1024").max_request_bytes == 1_024


def test_settings_place_tables_below_the_home_or_a_url() -> None:
    here, there = load(SOLOSOLVE_HOME="/home"), load(SOLOSOLVE_WAREHOUSE_URL="s3a://tables/warehouse/")
    assert (here.table_location(PREDICTIONS), here.has_table_folders) == ("/home/warehouse/gold/predictions", True)
    expected = ("s3a://tables/warehouse/gold/predictions", False)
    assert (there.table_location(PREDICTIONS), there.has_table_folders) == expected
    assert load(SOLOSOLVE_WAREHOUSE_URL="").has_table_folders
    with pytest.raises(SettingsError, match=r"^SOLOSOLVE_WAREHOUSE_URL: found '/warehouse', "):
        load(SOLOSOLVE_WAREHOUSE_URL="/warehouse")


@pytest.mark.parametrize("name", ["SOLOSOLVE_HOME", "SOLOSOLVE_CHECKPOINTS"])
@pytest.mark.parametrize("url", ["s3a://bucket/a", "abfss:/a", "hdfs:///a"])
def test_settings_refuse_a_folder_in_a_store_and_name_what_can_be_in_one(name: str, url: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load(**{name: url})
    assert str(caught.value) == (
        f"{name}: found '{url}', should be a folder that this process and all workers see, such as /mnt/shared or "
        "/Volumes/...; only landing files and tables (warehouse_url) can have the URL of a store"
    )
