from __future__ import annotations

import base64
import json
import logging
import random
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from dashboards import OPEN, dashboard
from solosolve.dashboard.security import MOST_BODY_BYTES, Access
from solosolve.errors import SettingsError
from solosolve.settings import Settings
from warehouses import write_everything

ASSET = "/assets/style.css"
CALLBACK = "/_dash-update-component"
PATHS = ["/", "/complaints", ASSET, "/assets/topojson/usa_110m.json", "/_dash-layout", "/_dash-dependencies",
         "/export.csv", "/_dash-component-suites/dash/deps/nope.js", "/no/such/page"]  # fmt: skip


def basic(name: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()}


WRONG = [
    {}, basic("ann", "wrong"), basic("", ""), basic("correct horse", ""), {"Authorization": "Basic ###"},
    {"Authorization": "Bearer correct horse"},
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
    return dashboard(home, Access("correct horse", None, False, "tester")).server.test_client()


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("headers", WRONG)
def test_password_is_asked_for_on_every_path(locked: FlaskClient, path: str, headers: dict[str, str]) -> None:
    answer = locked.get(path, headers=headers)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Basic ")
    assert b"Solosolve" not in answer.data


def test_password_is_asked_for_before_a_callback(locked: FlaskClient) -> None:
    assert locked.post(CALLBACK, json={"output": "x"}).status_code == 401


def test_right_password_opens_with_any_name(locked: FlaskClient) -> None:
    for path in ("/", ASSET, "/_dash-layout", "/export.csv"):
        assert locked.get(path, headers=basic("ann", "correct horse")).status_code == 200


def test_identity_header_must_name_a_user(home: Path) -> None:
    client = dashboard(home, Access(None, "X-Forwarded-Email", False, "tester")).server.test_client()
    assert client.get("/").status_code == 401
    assert client.get("/", headers={"X-Forwarded-Email": " "}).status_code == 401
    assert client.get("/", headers={"X-Forwarded-Email": "ann@example.org"}).status_code == 200


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.7", "::", "dashboard.example.org", "127.0.0.1.example.org"])
def test_address_that_others_reach_asks_for_a_password(host: str) -> None:
    with pytest.raises(SettingsError, match=r"^--host: found '.*set SOLOSOLVE_DASHBOARD_PASSWORD"):
        Access.of(Settings(), host)
    assert Access.of(Settings(dashboard_password="long enough"), host).password == "long enough"
    assert Access.of(Settings(dashboard_identity_header="X-User"), host).identity_header == "X-User"


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "127.0.0.9"])
def test_loopback_asks_for_nothing(host: str) -> None:
    assert Access.of(Settings(), host) == Access(None, None, True, "solosolve")


@pytest.mark.parametrize("host", ["evil.example.org", "127.0.0.1.evil.org:8050", "192.168.1.7:8050", "[::2]"])
def test_name_of_another_machine_is_not_answered_to(client: FlaskClient, host: str) -> None:
    assert client.get("/", headers={"Host": host}).status_code == 403


def test_pages_of_other_sites_cannot_ask(client: FlaskClient) -> None:
    body = {"output": "x"}
    for headers in ({"Origin": "https://evil.example.org"}, {"Sec-Fetch-Site": "cross-site"}, {"Origin": "null"}):
        assert client.post(CALLBACK, json=body, headers=headers).status_code == 403
    assert client.post(CALLBACK, data="{}", content_type="text/plain").status_code == 415


@pytest.mark.parametrize("path", PATHS)
def test_every_answer_says_what_a_browser_may_do(client: FlaskClient, path: str) -> None:
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


def test_body_that_is_too_large_is_refused(client: FlaskClient) -> None:
    body = json.dumps({"output": "x" * MOST_BODY_BYTES})
    assert client.post(CALLBACK, data=body, content_type="application/json").status_code == 413


@pytest.mark.parametrize(
    "path",
    ["/assets/../app.py", "/assets/..%2f..%2fsettings.py", "/assets/%2e%2e/%2e%2e/names.py", "/assets//etc/passwd",
     "/_dash-component-suites/dash/../../../../etc/passwd", "/_dash-component-suites/solosolve/settings.py",
     "/assets/topojson/..\\..\\app.py", "/export.csv/../../x"],
)  # fmt: skip
def test_path_outside_is_not_read(client: FlaskClient, path: str) -> None:
    answer = client.get(path)
    # Of an unknown path Dash sends the page, which finds its way by itself.
    assert answer.status_code in (400, 404) or b"_dash-config" in answer.data
    assert b"import" not in answer.data
    assert b"root:" not in answer.data


def callbacks(client: FlaskClient) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client.get("/_dash-dependencies").get_json()
    return found


HOSTILE: list[Any] = [
    None, True, -1, 2**70, 1e308, "", "../../etc/passwd", "'; drop table x; --", "<script>alert(1)</script>", "\x00",
    "𝕏" * 99,     "a" * 10_000, [], {}, [[[[]]]], {"complaint_id": -1}, {"complaint_id": 2**80, "submission": "../.."},
    {"startRow": -5, "endRow": 10**12}, {"startRow": 0, "endRow": 50, "sortModel": [{"colId": "1;drop", "sort": "x"}]},
    ["a"] * 1_000, {"search": "[[["}, {"type": "rows", "search": "{"}, "?company=" + "%00" * 50, float("nan"),
]  # fmt: skip


def outputs_of(output: str) -> Any:
    """What a page sends beside the name of a callback's outputs."""
    if not output.startswith(".."):
        name, _, part = output.rpartition(".")
        return {"id": json.loads(name) if name.startswith("{") else name, "property": part}
    return [outputs_of(each.split("@")[0]) for each in output.strip(".").split("...")]


def sent(part: dict[str, Any], generator: random.Random) -> Any:
    """A property with a hostile value, of a component, or of those that match a pattern."""
    value, name = generator.choice(HOSTILE), part["id"]
    if not name.startswith("{"):
        return {"id": name, "property": part["property"], "value": value}
    pattern = {key: "7" if isinstance(found, list) else found for key, found in json.loads(name).items()}
    matching = {"id": pattern, "property": part["property"], "value": value}
    return matching if "MATCH" in name else [matching]


def check(answer: TestResponse) -> None:
    assert b"Traceback" not in answer.data
    assert b"/site-packages/" not in answer.data


def test_a_thousand_hostile_callbacks_leave_no_traceback_and_a_live_server(
    client: FlaskClient, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    generator = random.Random(11)
    known = callbacks(client)
    caplog.set_level(logging.INFO)
    codes: Counter[int] = Counter()
    for _ in range(1_000):
        chosen = generator.choice(known)
        body: dict[str, Any] = {
            "output": chosen["output"],
            "outputs": outputs_of(chosen["output"]),
            "changedPropIds": [f"{each['id']}.{each['property']}" for each in chosen["inputs"][:1]],
            "inputs": [sent(each, generator) for each in chosen["inputs"]],
            "state": [sent(each, generator) for each in chosen["state"]],
        }
        is_whole = generator.random() < 0.7
        if is_whole:
            answer = client.post(CALLBACK, data=json.dumps(body), content_type="application/json")
            codes[answer.status_code] += 1
            check(answer)
            continue
        for name in generator.sample(sorted(body), generator.choice([1, 2])):
            body[name] = generator.choice(HOSTILE)
        text = json.dumps(body)
        if generator.random() < 0.3:
            text = text[: generator.randrange(len(text))]
        answer = client.post(CALLBACK, data=text, content_type="application/json")
        codes[answer.status_code] += 1
        check(answer)
    printed = capfd.readouterr()
    assert "Traceback" not in caplog.text + printed.out + printed.err
    assert set(codes) <= {200, 204, 400, 404}, codes
    assert codes[200] > 300
    assert codes[400] > 100
    assert client.get("/").status_code == 200


def test_scripts_in_data_are_text_in_what_is_sent(tmp_path: Path) -> None:
    from warehouses import PREDICTIONS, append, prediction

    hostile = "<script>alert(1)</script>"
    append(tmp_path / "warehouse", PREDICTIONS, [prediction(1, company=hostile)])
    client = dashboard(tmp_path).server.test_client()
    page = client.get("/")
    assert hostile.encode() not in page.data


def test_export_cannot_be_a_formula(tmp_path: Path) -> None:
    from warehouses import PREDICTIONS, append, prediction

    names = ["=HYPERLINK(1)", "+1", "-1", "@x", "\tx", "\rx", "Plain, Inc."]
    append(tmp_path / "warehouse", PREDICTIONS, [prediction(n, company=name) for n, name in enumerate(names, 1)])
    answer = dashboard(tmp_path).server.test_client().get("/export.csv")
    import csv
    import io

    found = [row["company"] for row in csv.DictReader(io.StringIO(answer.text, newline=""))]
    assert found == [f"'{name}" for name in names[:-1]] + ["Plain, Inc."]
    assert answer.headers["Content-Disposition"] == 'attachment; filename="predictions.csv"'


@pytest.mark.parametrize("search", ["[", "7", '["?model=x", "", 0, 1]', '["", "abc", 0, 1]', '["", "", 2, 1]'])
def test_export_of_nonsense_is_refused(client: FlaskClient, search: str) -> None:
    assert client.get("/export.csv", query_string={"search": search}).status_code == 400


def test_password_is_nowhere_in_what_is_shown(locked: FlaskClient) -> None:
    for path in ("/", "/_dash-layout", "/_dash-dependencies"):
        assert b"correct horse" not in locked.get(path, headers=basic("ann", "correct horse")).data
    assert "correct horse" not in repr(Settings(dashboard_password="correct horse"))


def test_access_without_a_password_names_the_actor(client: FlaskClient) -> None:
    assert OPEN.actor == "tester"
    assert client.get("/").status_code == 200
