"""A workspace with one user, one folder and what variables look up: enough for `databricks bundle validate`."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

USER = "someone@example.com"
ANSWERS: dict[str, dict[str, Any]] = {
    "/api/2.0/preview/scim/v2/Me": {"id": "1", "userName": USER, "displayName": "Someone", "active": True},
    "/.well-known/databricks-config": {},
    "/api/2.0/policies/clusters/list": {"policies": [{"policy_id": "policy", "name": "Job Compute"}]},
    "/api/2.0/sql/warehouses": {"warehouses": [{"id": "warehouse", "name": "Serverless Starter Warehouse"}]},
    "/api/2.0/preview/scim/v2/ServicePrincipals": {
        "Resources": [{"id": "2", "applicationId": "solosolve", "displayName": "solosolve"}]
    },
    "/api/2.0/workspace/get-status": {"object_id": 3, "object_type": "DIRECTORY", "path": "/Workspace"},
    "/api/2.0/permissions/directories/3": {"object_id": "/directories/3", "access_control_list": []},
}


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        answer = ANSWERS.get(self.path.partition("?")[0])
        if answer is None:
            self._send(404, {"error_code": "RESOURCE_DOES_NOT_EXIST", "message": f"{self.path} does not exist"})
        else:
            self._send(200, answer)

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self._send(200, {})

    def _send(self, status: int, answer: dict[str, Any]) -> None:
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:
        """Keeps the test output quiet."""


@contextmanager
def stand_in_workspace() -> Iterator[str]:
    """Serves the workspace on this machine, and yields its address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


def validated(root: Path, target: str, host: str) -> dict[str, Any]:
    """The JSON of a target as the Databricks CLI resolves it, without a warning."""
    environ = {key: value for key, value in os.environ.items() if not key.startswith(("DATABRICKS_", "BUNDLE_VAR_"))}
    done = subprocess.run(
        ["databricks", "bundle", "validate", "--strict", "--output", "json", "--target", target],
        cwd=root,
        env=environ | {"DATABRICKS_HOST": host, "DATABRICKS_TOKEN": "x"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found
