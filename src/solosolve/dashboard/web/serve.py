"""Serves the dashboard: local tables or a SQL warehouse, the registry's models, and a production WSGI server."""

from __future__ import annotations

import logging
import time

import waitress

from solosolve.dashboard.web.app import Sources, create_app
from solosolve.dashboard.web.security import MOST_BODY_BYTES, Access
from solosolve.errors import MissingDependencyError
from solosolve.settings import Settings
from solosolve.storage.model_explainer import ModelExplainer

logger = logging.getLogger("solosolve.dashboard")

_THREADS = 8
_IDLE_SECONDS = 60


def serve_dashboard(settings: Settings, host: str, port: int) -> None:
    """Reads the tables and serves the dashboard until it is interrupted.

    Args:
        settings: Whose tables and models.
        host: The address to listen at; any but this machine's own asks for a password or the platform's header.
        port: The port.

    Raises:
        SettingsError: Others could reach the address, and nothing would keep them out.
        MissingDependencyError: Another process listens there.
    """
    access = Access.of(settings, host)
    # What waitress says of slow clients is nothing that a person can act on.
    logging.getLogger("waitress").setLevel(logging.ERROR)
    started = time.perf_counter()
    app = create_app(sources_of(settings), access)
    logger.info("tables read in %.1f s", time.perf_counter() - started)
    try:
        server = waitress.create_server(
            app.server, host=host, port=port, threads=_THREADS, ident=None, channel_timeout=_IDLE_SECONDS,
            max_request_body_size=MOST_BODY_BYTES, clear_untrusted_proxy_headers=False,
        )  # fmt: skip
    except OSError as error:
        raise MissingDependencyError(f"{host}:{port} cannot be listened at: {error.strerror}; try --port") from error
    logger.info("dashboard: http://%s:%d (stop it with Ctrl-C)", host, port)
    try:
        server.run()
    finally:
        server.close()


def sources_of(settings: Settings) -> Sources:
    """What a dashboard over the settings' tables and models stands on."""
    if settings.is_local:
        from solosolve.storage.delta_feedback import DeltaFeedback
        from solosolve.storage.delta_reader import DeltaReader

        return Sources(DeltaReader(settings.warehouse), ModelExplainer(settings), DeltaFeedback(settings))
    from solosolve.storage.warehouse import Warehouse, WarehouseFeedback, WarehouseReader

    warehouse = Warehouse.of(settings)
    return Sources(WarehouseReader(warehouse), ModelExplainer(settings), WarehouseFeedback(warehouse))
