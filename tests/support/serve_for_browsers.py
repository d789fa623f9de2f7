"""Serves a dashboard and prints its address: python -m support.serve_for_browsers HOME POLL_SECONDS [PASSWORD]."""

from __future__ import annotations

import sys
from pathlib import Path

import waitress

from solosolve.dashboard.views import layout
from solosolve.dashboard.web.access import Access
from support.dashboards import OPEN, dashboard, demo_dashboard


def main() -> None:
    home, poll_seconds, *passwords = sys.argv[1:]
    layout.POLL_SECONDS = int(poll_seconds)
    password = passwords[0] if passwords else None
    access = Access(password, None, True, "tester") if password else OPEN
    build = demo_dashboard if (Path(home) / "mlflow").is_dir() else dashboard
    server = waitress.create_server(build(Path(home), access).server, host="127.0.0.1", port=0, threads=4)
    sys.stdout.write(f"http://127.0.0.1:{server.effective_port}\n")
    sys.stdout.flush()
    server.run()


if __name__ == "__main__":
    main()
