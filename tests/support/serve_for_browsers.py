"""Serves a dashboard and prints its address: python -m support.serve_for_browsers HOME [PASSWORD]."""

from __future__ import annotations

import sys
from pathlib import Path

import waitress

from solosolve.dashboard.web.access import Access
from support.dashboards import OPEN, dashboard, demo_dashboard


def main() -> None:
    home, password = Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else None
    access = Access(password, None, True, "tester") if password else OPEN
    build = demo_dashboard if (home / "mlflow").is_dir() else dashboard
    server = waitress.create_server(build(home, access).server, host="127.0.0.1", port=0, threads=4)
    sys.stdout.write(f"http://127.0.0.1:{server.effective_port}\n")
    sys.stdout.flush()
    server.run()


if __name__ == "__main__":
    main()
