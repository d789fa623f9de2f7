"""Serves the dashboard with a production WSGI server, over local tables or a SQL warehouse."""

from __future__ import annotations

import logging
import time

import waitress

from solosolve.dashboard.web.access import Access
from solosolve.dashboard.web.app import Backend, create_app
from solosolve.dashboard.web.security import MAX_BODY_BYTES
from solosolve.errors import MissingDependencyError
from solosolve.settings import Settings
from solosolve.storage.feedback import FeedbackLog
from solosolve.storage.model_explainer import ModelExplainer

logger = logging.getLogger("solosolve.dashboard")

_THREADS = 8
_IDLE_SECONDS = 60


def serve_dashboard(settings: Settings, host: str, port: int) -> None:
    """Reads the tables and serves the dashboard until it is interrupted.

    Args:
        settings: The settings of the tables and models.
        host: The address to listen on; one that other machines can reach needs a password or an identity header.
        port: The port.

    Raises:
        SettingsError: Other machines can reach the address, and neither a password nor a proxy protects it.
        MissingDependencyError: The address or port cannot be used, for example because another process listens there.
    """
    access = Access.from_settings(settings, host)
    # Waitress warns about slow clients, and there is nothing a person can do about them.
    logging.getLogger("waitress").setLevel(logging.ERROR)
    started = time.perf_counter()
    app = create_app(backend_of(settings), access)
    logger.info("read the tables in %.1f s", time.perf_counter() - started)
    try:
        server = waitress.create_server(
            app.server, host=host, port=port, threads=_THREADS, ident=None, channel_timeout=_IDLE_SECONDS,
            max_request_body_size=MAX_BODY_BYTES, clear_untrusted_proxy_headers=False,
        )  # fmt: skip
    except OSError as error:
        raise MissingDependencyError(
            f"cannot listen on {host}:{port}: {error.strerror}; choose another --host or --port"
        ) from error
    logger.info("dashboard: http://%s:%d (press Ctrl-C to stop)", host, port)
    try:
        server.run()
    finally:
        server.close()


def backend_of(settings: Settings) -> Backend:
    """Returns the backend for the settings: local Delta tables, or a SQL warehouse on the platform."""
    if settings.is_local:
        from solosolve.storage.delta_feedback import DeltaFeedback
        from solosolve.storage.store_reader import reader_of

        log: FeedbackLog = DeltaFeedback(settings)
        return Backend(reader_of(settings), ModelExplainer(settings), log, settings)
    from solosolve.storage.warehouse import Warehouse, WarehouseReader
    from solosolve.storage.warehouse_feedback import WarehouseFeedback

    warehouse = Warehouse.of(settings)
    log = WarehouseFeedback(warehouse)
    return Backend(WarehouseReader(warehouse), ModelExplainer(settings), log, settings)
