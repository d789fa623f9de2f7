"""The Kafka login in a secret scope, read from a fake platform on loopback."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from solosolve.errors import BrokerError
from solosolve.kafka.login import client_options, credentials, spark_options
from solosolve.settings import Settings

SECRETS = {("readers", "kafka_username"): "reader", ("readers", "kafka_password"): 'hush"hush'}


class Platform(BaseHTTPRequestHandler):
    """Answers one token as the platform's secrets service does."""

    def do_GET(self) -> None:
        asked = urlsplit(self.path)
        words = {name: values[0] for name, values in parse_qs(asked.query).items()}
        found = SECRETS.get((words.get("scope", ""), words.get("key", "")))
        if self.headers["Authorization"] != "Bearer of-the-job" or asked.path != "/api/2.0/secrets/get":
            self._answer(403, {"error_code": "PERMISSION_DENIED", "message": "not yours"})
        elif found is None:
            self._answer(404, {"error_code": "RESOURCE_DOES_NOT_EXIST", "message": f"no scope {words['scope']}"})
        else:
            self._answer(200, {"key": words["key"], "value": base64.b64encode(found.encode()).decode()})

    def _answer(self, status: int, body: dict[str, str]) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Logs nothing."""


@pytest.fixture
def _platform(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Platform)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("DATABRICKS_HOST", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("DATABRICKS_TOKEN", "of-the-job")
    monkeypatch.setenv("DATABRICKS_CONFIG_FILE", str(tmp_path / "none"))
    yield
    server.shutdown()
    server.server_close()


def settings_of(scope: str) -> Settings:
    environ = {"SOLOSOLVE_KAFKA_SECRET_SCOPE": scope, "SOLOSOLVE_KAFKA_SECURITY_PROTOCOL": "SASL_SSL"}
    return Settings.load(environ=environ)


@pytest.mark.usefixtures("_platform")
def test_login_is_read_from_the_scope_and_not_shown() -> None:
    settings = settings_of("readers")
    assert credentials(settings) == ("reader", 'hush"hush')
    options, client = spark_options(settings), client_options(settings)
    assert options["kafka.sasl.jaas.config"].endswith('username="reader" password="hush\\"hush";')
    assert (client["sasl_plain_username"], client["sasl_plain_password"]) == ("reader", 'hush"hush')
    assert "hush" not in repr(options) + repr(client["sasl_plain_password"]) + repr(settings)


@pytest.mark.usefixtures("_platform")
def test_missing_scope_is_reported_by_name() -> None:
    with pytest.raises(BrokerError, match=r"Cannot read the Kafka login .* in secret scope other: .*no scope other"):
        credentials(settings_of("other"))


@pytest.mark.usefixtures("_platform")
def test_scope_without_permission_is_reported_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABRICKS_TOKEN", "of-another")
    with pytest.raises(BrokerError, match=r"Cannot read the Kafka login .* in secret scope others: .*not yours"):
        credentials(settings_of("others"))
