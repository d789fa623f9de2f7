"""A dashboard in a thread of the test: it starts faster than a process of its own."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import waitress

from solosolve.dashboard.web.access import Access
from support.dashboards import OPEN, dashboard


@contextmanager
def serving_here(home: Path, password: str = "") -> Iterator[str]:
    """Serves a home's dashboard; yields its address. With a password, the name of the login is the user."""
    access = Access(password, None, True, "tester") if password else OPEN
    server = waitress.create_server(dashboard(home, access).server, host="127.0.0.1", port=0, threads=4)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.effective_port}"
    finally:
        server.close()
        thread.join(20)
