"""Who may ask, for what, and what a browser may do with the answer; checked before every page, asset and callback."""

from __future__ import annotations

import base64
import binascii
import hmac
import ipaddress
import logging
import time
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from dash import Dash
from dash.exceptions import DashException
from flask import Flask, Response, g, request
from pydantic import BaseModel, ValidationError
from werkzeug.exceptions import HTTPException

from solosolve.errors import SettingsError, one_line
from solosolve.settings import Settings

logger = logging.getLogger("solosolve.dashboard")

MOST_BODY_BYTES = 1 << 20
"""A larger request is refused."""

_LONGEST_NAME = 200
_MOST_GUESSES, _GUESS_SECONDS, _MOST_ADDRESSES = 10, 60.0, 10_000
_FETCH_SITES = {"none", "same-origin"}


@dataclass(frozen=True)
class Access:
    """How one who asks is known.

    Attributes:
        password: What HTTP's basic scheme must bring (RFC 7617), with any name; None where none is asked for.
        identity_header: A header in which the platform's proxy names the user; None where none is trusted.
        only_here: Whether only this machine's own names are answered to, which a page from elsewhere cannot borrow; a
            password keeps it out as well.
        actor: Who asks where nothing says so.
    """

    password: str | None
    identity_header: str | None
    only_here: bool
    actor: str

    @classmethod
    def of(cls, settings: Settings, host: str) -> Access:
        """What a dashboard that listens at a host asks for.

        Raises:
            SettingsError: Others could reach it, and nothing would keep them out.
        """
        password = settings.dashboard_password.get_secret_value() if settings.dashboard_password else None
        header = settings.dashboard_identity_header
        is_here = is_loopback(host)
        if not is_here and not password and not header:
            raise SettingsError(
                f"--host: found '{host}', where others reach it: set SOLOSOLVE_DASHBOARD_PASSWORD, or behind the "
                "platform's proxy SOLOSOLVE_DASHBOARD_IDENTITY_HEADER, or stay on 127.0.0.1"
            )
        return cls(password, header, is_here, settings.actor)

    def identify(self) -> str | None:
        """Who asks; None where the request does not say what is asked for."""
        name = self.actor
        if self.identity_header:
            name = request.headers.get(self.identity_header, "").strip()
            if not name:
                return None
        if self.password:
            given = _basic(request.headers.get("Authorization", ""))
            if given is None or not hmac.compare_digest(given[1].encode(), self.password.encode()):
                return None
            name = name if self.identity_header else given[0] or self.actor
        return name[:_LONGEST_NAME]


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches a host's address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class _Guesses:
    """Counts the wrong passwords of an address in a minute."""

    def __init__(self) -> None:
        self._at: dict[str, deque[float]] = {}

    def are_too_many(self, address: str) -> bool:
        """Whether the address has used up those of this minute; the right one is not listened to either."""
        at = self._at.get(address)
        return at is not None and len(at) == at.maxlen and time.monotonic() - at[0] < _GUESS_SECONDS

    def note(self, address: str) -> None:
        """Counts one more."""
        if len(self._at) > _MOST_ADDRESSES:
            self._at.clear()
        self._at.setdefault(address, deque(maxlen=_MOST_GUESSES)).append(time.monotonic())


class _Part(BaseModel):
    """A property of a component; the values of several that match one pattern come as a list of such parts."""

    id: str | dict[str, str | int | float | bool | list[str]]
    property: str


class _Asked(BaseModel):
    """The body of a callback, as Dash's own pages send it; what values are worth is each callback's to say."""

    output: str
    outputs: _Part | list[_Part | list[_Part]]
    inputs: list[_Part | list[_Part]]
    state: list[_Part | list[_Part]] = []
    changedPropIds: list[str]  # noqa: N815 - Dash's name


def secure(app: Dash, access: Access) -> None:
    """Has every request checked, and every answer say what a browser may do with it."""
    server: Flask = app.server
    server.config["MAX_CONTENT_LENGTH"] = MOST_BODY_BYTES
    guesses = _Guesses()

    @server.before_request
    def check() -> Response | None:
        if (
            access.only_here
            and access.password is None
            and not is_loopback(urlsplit(f"//{request.host}").hostname or "")
        ):
            return refusal(403, "this name is not the dashboard's")
        address = request.remote_addr or ""
        if access.password and guesses.are_too_many(address):
            return refusal(429, "too many wrong passwords; wait a minute")
        who = access.identify()
        if who is None:
            if "Authorization" in request.headers:
                logger.warning("a wrong password came from %s", address)
                guesses.note(address)
            answer = refusal(401, "a password is asked for" if access.password else "the platform names no user")
            if access.password:
                answer.headers["WWW-Authenticate"] = 'Basic realm="solosolve", charset="UTF-8"'
            return answer
        g.who = who
        if request.method not in ("GET", "HEAD", "OPTIONS"):
            return _check_post(app)
        return None

    @server.after_request
    def label(answer: Response) -> Response:
        answer.headers["Content-Security-Policy"] = _policy(app.csp_hashes())
        answer.headers["X-Content-Type-Options"] = "nosniff"
        answer.headers["X-Frame-Options"] = "DENY"
        answer.headers["Referrer-Policy"] = "no-referrer"
        answer.headers["Cross-Origin-Opener-Policy"] = "same-origin"
        answer.headers["Cross-Origin-Resource-Policy"] = "same-origin"
        answer.headers["Permissions-Policy"] = "camera=(), microphone=(), geolocation=()"
        if not request.path.startswith(("/assets/", "/_dash-component-suites/")):
            answer.headers["Cache-Control"] = "no-store"
        return answer

    @server.errorhandler(Exception)
    def fail(error: Exception) -> Response:
        if isinstance(error, HTTPException):
            return refusal(error.code or 500, error.name)
        if isinstance(error, DashException):
            return refusal(404, "the dashboard has no such thing")
        # What was asked may be personal; what went wrong is not.
        logger.warning("a request failed: %s", type(error).__name__)
        logger.debug("failed: %s", one_line(error))
        return refusal(500, "it could not be answered")


def who_asks() -> str:
    """The user of the present request."""
    return str(g.who)


def _check_post(app: Dash) -> Response | None:
    # A browser says so itself where it can; where not, on plain HTTP, the page's origin must be the host that is asked.
    # Behind a proxy the host may be another name.
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    is_foreign = site not in _FETCH_SITES if site else origin is not None and urlsplit(origin).netloc != request.host
    if is_foreign:
        return refusal(403, "only the dashboard's own pages may ask")
    if request.mimetype != "application/json":
        return refusal(415, "callbacks are JSON")
    try:
        is_known = _Asked.model_validate_json(request.get_data()).output in app.callback_map
    except ValidationError:
        is_known = False
    return None if is_known else refusal(400, "not what a page of the dashboard asks")


def _basic(header: str) -> tuple[str, str] | None:
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        name, _, password = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return name, password


def _policy(script_hashes: Iterable[str]) -> str:
    """Scripts from here alone, none in the page but Dash's own; styles may stand in the page, as the table's do."""
    scripts = " ".join(["'self'", *sorted(script_hashes)])
    return (
        f"default-src 'none'; script-src {scripts}; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
        "font-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    )


def refusal(code: int, words: str) -> Response:
    """An answer that says no, in a line."""
    return Response(f"{words}\n", status=code, mimetype="text/plain")
