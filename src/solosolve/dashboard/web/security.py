"""Checks every request before it reaches a page, asset or callback, and adds security headers to every response."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from urllib.parse import urlsplit

from dash import Dash
from dash.exceptions import DashException
from flask import Flask, Response, g, request
from pydantic import BaseModel, ValidationError
from werkzeug.exceptions import HTTPException

from solosolve.dashboard.web.access import Access, LoginThrottle
from solosolve.dashboard.web.scripts import STATIC_PATHS
from solosolve.errors import one_line

logger = logging.getLogger("solosolve.dashboard")

MAX_BODY_BYTES = 1 << 20
"""A request with a larger body is refused."""

_OWN_FETCH_SITES = {"none", "same-origin"}
_SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}


_NO_CALLBACK = "This is not a callback of the dashboard"


class _Property(BaseModel):
    """A property of a component; Dash sends a list of them for components that match one pattern."""

    id: str | dict[str, str | int | float | bool | list[str]]
    property: str


class _CallbackBody(BaseModel):
    """The body of a callback as Dash's own pages send it; each callback checks the values itself."""

    output: str
    outputs: _Property | list[_Property | list[_Property]]
    inputs: list[_Property | list[_Property]]
    state: list[_Property | list[_Property]] = []
    changedPropIds: list[str]  # noqa: N815 - Dash's name


def secure(app: Dash, access: Access, throttle: LoginThrottle | None = None) -> None:
    """Adds the checks and the security headers to an app.

    Args:
        app: The app, with all its callbacks.
        access: Who may use it.
        throttle: Limits wrong passwords; None for one with the default limits.
    """
    server: Flask = app.server
    server.config["MAX_CONTENT_LENGTH"] = MAX_BODY_BYTES
    failures = throttle or LoginThrottle()

    @server.before_request
    def check() -> Response | None:
        refusal = _check_user(access, failures)
        if refusal is None and request.method not in ("GET", "HEAD", "OPTIONS"):
            refusal = _check_callback(app)
        return refusal

    @server.after_request
    def restrict(response: Response) -> Response:
        response.headers["Content-Security-Policy"] = _content_security_policy(app.csp_hashes())
        response.headers.update(_SECURITY_HEADERS)
        if not request.path.startswith(STATIC_PATHS):
            response.headers["Cache-Control"] = "no-store"
        return response

    server.register_error_handler(Exception, _answer_error)


def current_user() -> str:
    """Returns the user of the current request."""
    return str(g.user)


def refuse(code: int, message: str) -> Response:
    """Returns a plain-text answer with an HTTP error code."""
    return Response(f"{message}\n", status=code, mimetype="text/plain")


def _check_user(access: Access, throttle: LoginThrottle) -> Response | None:
    """Refuses a request that may not use the dashboard, and remembers the user of one that may."""
    if not access.answers_to(request.host):
        return refuse(403, "This dashboard answers only at this machine's own names, such as 127.0.0.1 or localhost")
    address = request.remote_addr or ""
    if access.password and throttle.is_locked_out(address):
        return refuse(429, "Too many wrong passwords; try again in a minute")
    user = access.identify(request)
    if user is not None:
        g.user = user
        return None
    if "Authorization" in request.headers:
        logger.warning("wrong password from %s", address)
        throttle.record_failure(address)
    if not access.password:
        return refuse(401, "The proxy's header does not name a user")
    response = refuse(401, "Wrong or missing password")
    response.headers["WWW-Authenticate"] = 'Basic realm="solosolve", charset="UTF-8"'
    return response


def _check_callback(app: Dash) -> Response | None:
    """Refuses a request that the dashboard's own pages would not send."""
    # Browsers state the origin of a request in Sec-Fetch-Site, except on plain HTTP. There the Origin header must name
    # the host of the request. A proxy may change the host, so Sec-Fetch-Site decides when it is present.
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    is_own_origin = origin is None or urlsplit(origin).netloc == request.host
    if not (site in _OWN_FETCH_SITES if site else is_own_origin):
        return refuse(403, "Only the dashboard's own pages can call this")
    if request.mimetype != "application/json":
        return refuse(415, "Callbacks take JSON (Content-Type: application/json)")
    try:
        body = _CallbackBody.model_validate_json(request.get_data())
    except ValidationError:
        return refuse(400, _NO_CALLBACK)
    known = app.callback_map.get(body.output)
    # Dash fails on a callback that runs in the browser, and on one with another number of values than it has.
    if (
        known is None
        or "callback" not in known
        or (len(body.inputs), len(body.state)) != (len(known["inputs"]), len(known["state"]))
    ):
        return refuse(400, _NO_CALLBACK)
    return None


def _answer_error(error: Exception) -> Response:
    if isinstance(error, HTTPException):
        return refuse(error.code or 500, error.name)
    if isinstance(error, DashException):
        return refuse(404, "Not found")
    # The message may quote personal data from the request; the type of the error does not.
    logger.warning("a request failed: %s", type(error).__name__)
    logger.debug("the request failed with: %s", one_line(error))
    return refuse(500, "The request failed; the dashboard's log names the error")


def _content_security_policy(script_hashes: Iterable[str]) -> str:
    """Allows scripts from the dashboard and Dash's inline ones, and inline styles, which the table and figures need."""
    scripts = " ".join(["'self'", *sorted(script_hashes)])
    return (
        f"default-src 'none'; script-src {scripts}; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
        "font-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    )
