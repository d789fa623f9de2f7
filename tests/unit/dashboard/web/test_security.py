from __future__ import annotations

import base64
import csv
import io
import json
from collections import Counter
from pathlib import Path

import httpx
import pytest
from flask.testing import FlaskClient

from solosolve.dashboard.web.access import Access, LoginThrottle
from solosolve.dashboard.web.security import MAX_BODY_BYTES
from solosolve.settings import Settings
from support.clocks import ManualClock
from support.dashboard_process import serving
from support.dashboards import dashboard
from support.hostile import hostile_posts
from support.warehouses import PREDICTIONS, append, prediction, write_everything

ASSET = "/assets/style.css"
CALLBACK = "/_dash-update-component"
PATHS = ["/", "/complaints", ASSET, "/_dash-component-suites/plotly/package_data/plotly.min.js",
         "/_dash-layout", "/_dash-dependencies", "/export.csv", "/_dash-component-suites/dash/deps/nope.js",
         "/no/such/page"]  # fmt: skip


def basic(name: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()}


LOCKED = Access("correct horse", None, False, "tester")
WRONG = [
    {}, basic("ann", "wrong"), basic("", ""), basic("correct horse", ""), {"Authorization": "Basic ###"},
    {"Authorization": "Bearer correct horse"}, {"Authorization": 'Digest username="ann", password="correct horse"'},
    {"Authorization": "Basic"}, {"Authorization": "Basic é"}, {"Authorization": "Basic /w=="},
]  # fmt: skip


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("home")
    write_everything(home / "warehouse", predictions=40)
    return home


@pytest.fixture(scope="module")
def client(home: Path) -> FlaskClient:
    return dashboard(home).server.test_client()


@pytest.fixture(scope="module")
def locked(home: Path) -> FlaskClient:
    # The tests together send more wrong passwords than the default limit allows.
    return dashboard(home, LOCKED, LoginThrottle(max_failures=10_000)).server.test_client()


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("headers", WRONG)
def test_wrong_or_missing_password_is_refused_on_every_path(
    locked: FlaskClient, path: str, headers: dict[str, str]
) -> None:
    answer = locked.get(path, headers=headers)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Basic ")
    assert b"Solosolve" not in answer.data


def test_missing_password_is_refused_before_a_callback(locked: FlaskClient) -> None:
    assert locked.post(CALLBACK, json={"output": "x"}).status_code == 401


def test_address_that_guesses_passwords_is_locked_out_for_a_minute(
    home: Path, caplog: pytest.LogCaptureFixture
) -> None:
    clock = ManualClock()
    client = dashboard(home, LOCKED, LoginThrottle(clock=clock)).server.test_client()
    codes = [client.get("/", headers=basic("ann", f"guess {number}")).status_code for number in range(12)]
    assert codes == [401] * 10 + [429] * 2
    assert client.get("/", headers=basic("ann", "correct horse")).status_code == 429
    clock.seconds += 60
    assert client.get("/", headers=basic("ann", "correct horse")).status_code == 200
    assert "wrong password from 127.0.0.1" in caplog.text
    assert "guess 1" not in caplog.text


def test_right_password_is_accepted_at_any_host_name(home: Path) -> None:
    client = dashboard(home, Access("correct horse", None, True, "tester")).server.test_client()
    headers = {"Host": "dashboard.example.org", **basic("ann", "correct horse")}
    assert client.get("/", headers=headers).status_code == 200


def test_right_password_is_accepted_with_any_user_name(locked: FlaskClient) -> None:
    for path in ("/", ASSET, "/_dash-layout", "/export.csv"):
        assert locked.get(path, headers=basic("ann", "correct horse")).status_code == 200


def test_request_without_a_user_in_the_identity_header_is_refused(home: Path) -> None:
    client = dashboard(home, Access(None, "X-Forwarded-Email", False, "tester")).server.test_client()
    assert client.get("/").status_code == 401
    assert client.get("/", headers={"X-Forwarded-Email": " "}).status_code == 401
    assert client.get("/", headers={"X-Forwarded-Email": "ann@example.org"}).status_code == 200


@pytest.mark.parametrize("host", ["evil.example.org", "127.0.0.1.evil.org:8050", "192.168.1.7:8050", "[::2]"])
def test_host_name_of_another_machine_is_refused(client: FlaskClient, host: str) -> None:
    assert client.get("/", headers={"Host": host}).status_code == 403


def test_callbacks_from_other_sites_are_refused(client: FlaskClient) -> None:
    body = {"output": "x"}
    for headers in ({"Origin": "https://evil.example.org"}, {"Sec-Fetch-Site": "cross-site"}, {"Origin": "null"}):
        assert client.post(CALLBACK, json=body, headers=headers).status_code == 403
    assert client.post(CALLBACK, data="{}", content_type="text/plain").status_code == 415
    # A proxy can change the host, so Sec-Fetch-Site decides when the browser sends it.
    proxied = {"Origin": "https://app.example.org", "Sec-Fetch-Site": "same-origin"}
    assert client.post(CALLBACK, json=body, headers=proxied).status_code == 400


@pytest.mark.parametrize("path", PATHS)
def test_every_answer_restricts_the_browser(client: FlaskClient, path: str) -> None:
    headers = client.get(path).headers
    policy = dict(part.split(" ", 1) for part in headers["Content-Security-Policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert policy["connect-src"] == "'self'"
    assert policy["frame-ancestors"] == "'none'"
    assert "unsafe" not in policy["script-src"]
    assert "http" not in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "no-referrer"


def test_body_over_the_limit_is_refused(client: FlaskClient) -> None:
    body = json.dumps({"output": "x" * MAX_BODY_BYTES})
    assert client.post(CALLBACK, data=body, content_type="application/json").status_code == 413


@pytest.mark.parametrize(
    "path",
    ["/assets/../app.py", "/assets/..%2f..%2fsettings.py", "/assets/%2e%2e/%2e%2e/names.py", "/assets//etc/passwd",
     "/_dash-component-suites/dash/../../../../etc/passwd", "/_dash-component-suites/solosolve/settings.py",
     "/assets/..\\..\\app.py", "/export.csv/../../x"],
)  # fmt: skip
def test_file_outside_the_assets_is_not_served(client: FlaskClient, path: str) -> None:
    answer = client.get(path)
    # Dash answers an unknown path with the page, whose router then shows the overview.
    assert answer.status_code in (400, 404) or b"_dash-config" in answer.data
    assert b"import" not in answer.data
    assert b"root:" not in answer.data


def test_thousand_hostile_callbacks_cause_no_traceback_and_leave_the_server_running(home: Path, tmp_path: Path) -> None:
    with (
        (tmp_path / "stderr.txt").open("w", encoding="utf-8") as stderr,
        serving(home, stderr=stderr) as (address, process),
        httpx.Client(timeout=30) as browser,
    ):
        listed = browser.get(f"{address}/_dash-dependencies").json()
        known = [each for each in listed if each["clientside_function"] is None]
        codes: Counter[int] = Counter()
        for body in hostile_posts(known, 1_000):
            answer = browser.post(address + CALLBACK, content=body, headers={"Content-Type": "application/json"})
            codes[answer.status_code] += 1
            assert "Traceback" not in answer.text
            assert "/site-packages/" not in answer.text
        assert set(codes) <= {200, 204, 400, 404}, codes
        assert codes[200] > 300
        assert codes[400] > 100
        assert browser.get(address + "/").status_code == 200
        assert process.is_running()
        listening = [each.laddr.ip for each in process.net_connections("inet") if each.status == "LISTEN"]
        assert listening == ["127.0.0.1"]
    assert "Traceback" not in (tmp_path / "stderr.txt").read_text(encoding="utf-8")
    assert not (home / "warehouse" / "silver" / "feedback").exists()


def test_export_holds_no_formulas(tmp_path: Path) -> None:
    names = ["=HYPERLINK(1)", "+1", "-1", "@x", "\tx", "\rx", "Plain, Inc."]
    append(tmp_path / "warehouse", PREDICTIONS, [prediction(n, company=name) for n, name in enumerate(names, 1)])
    answer = dashboard(tmp_path).server.test_client().get("/export.csv")
    found = [row["company"] for row in csv.DictReader(io.StringIO(answer.text, newline=""))]
    assert found == [f"'{name}" for name in names[:-1]] + ["Plain, Inc."]
    assert answer.headers["Content-Disposition"] == 'attachment; filename="predictions.csv"'


@pytest.mark.parametrize("search", ["model=x", "id=abc", "probability-from=2", "sort=password", "words=" + "a" * 300])
def test_export_of_an_invalid_search_is_refused(client: FlaskClient, search: str) -> None:
    assert client.get("/export.csv", query_string=search).status_code == 400


def test_password_is_never_shown(locked: FlaskClient) -> None:
    for path in ("/", "/_dash-layout", "/_dash-dependencies"):
        assert b"correct horse" not in locked.get(path, headers=basic("ann", "correct horse")).data
    assert "correct horse" not in repr(Settings(dashboard_password="correct horse"))
