"""Who may use the dashboard: its password, the proxy's identity header, and the throttle on wrong passwords."""

from __future__ import annotations

import hmac
import ipaddress
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from cachetools import TTLCache
from flask import Request

from solosolve.errors import SettingsError
from solosolve.settings import Settings

MAX_FAILURES = 10
"""Wrong passwords that an address may send within the window."""

WINDOW_SECONDS = 60.0
"""How long a wrong password counts."""

MAX_ADDRESSES = 10_000
"""Addresses to remember; one more displaces the address that was seen least recently."""

_MAX_NAME_LENGTH = 200


@dataclass(frozen=True)
class Access:
    """How requests are admitted and users identified.

    Attributes:
        password: The password of HTTP's Basic scheme (RFC 7617), with any user name; None if none is needed.
        identity_header: The header in which the platform's proxy names the user; None if there is no such proxy.
        is_loopback_only: Whether the dashboard answers only to this machine's own names.
        default_user: The user of a request that names none.
    """

    password: str | None
    identity_header: str | None
    is_loopback_only: bool
    default_user: str

    @classmethod
    def from_settings(cls, settings: Settings, host: str) -> Access:
        """Returns the access rules of a dashboard that listens on a host.

        Raises:
            SettingsError: Other machines can reach the host, and neither a password nor a proxy protects it.
        """
        password = settings.dashboard_password.get_secret_value() if settings.dashboard_password else None
        header = settings.dashboard_identity_header
        is_local = is_loopback(host)
        if not is_local and not password and not header:
            raise SettingsError(
                f"--host: found '{host}', which other machines can reach; set SOLOSOLVE_DASHBOARD_PASSWORD, or "
                "SOLOSOLVE_DASHBOARD_IDENTITY_HEADER if the platform's proxy is the only way in, or use 127.0.0.1"
            )
        return cls(password, header, is_local, settings.actor)

    def answers_to(self, host: str) -> bool:
        """Whether a request may name this host.

        A page of another site can point a name of its own at 127.0.0.1 (DNS rebinding). A password keeps such a page
        out whatever name it uses.

        Args:
            host: The request's Host header, with or without a port.
        """
        if not self.is_loopback_only or self.password is not None:
            return True
        return is_loopback(urlsplit(f"//{host}").hostname or "")

    def identify(self, request: Request) -> str | None:
        """Returns the user of a request; None if the required password or identity is missing."""
        user = self.default_user
        if self.identity_header:
            user = request.headers.get(self.identity_header, "").strip()
            if not user:
                return None
        if self.password:
            login = _basic_login(request)
            if login is None or not hmac.compare_digest(login[1].encode(), self.password.encode()):
                return None
            user = user if self.identity_header else login[0] or self.default_user
        return user[:_MAX_NAME_LENGTH]


class LoginThrottle:
    """Locks out an address that keeps sending wrong passwords."""

    def __init__(
        self,
        max_failures: int = MAX_FAILURES,
        window_seconds: float = WINDOW_SECONDS,
        max_addresses: int = MAX_ADDRESSES,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Starts with no failures.

        Args:
            max_failures: Wrong passwords that an address may send within the window.
            window_seconds: How long a wrong password counts.
            max_addresses: Addresses to remember.
            clock: Seconds that never go back.
        """
        self._max_failures = max_failures
        self._window_seconds = window_seconds
        self._clock = clock
        # One entry per failure, each with its own expiry: the count is exact for any window, wherever it starts.
        self._failures: TTLCache[str, TTLCache[object, None]] = TTLCache(max_addresses, window_seconds, clock)
        self._lock = threading.Lock()

    def is_locked_out(self, address: str) -> bool:
        """Whether the address has used up its wrong passwords; then even the right one must not be checked."""
        with self._lock:
            failures = self._failures.get(address)
            return failures is not None and len(failures) >= self._max_failures

    def record_failure(self, address: str) -> None:
        """Counts one wrong password."""
        with self._lock:
            failures = self._failures.get(address)
            if failures is None:
                failures = TTLCache(self._max_failures, self._window_seconds, self._clock)
            failures[object()] = None
            # Storing the address again makes it expire with its newest failure.
            self._failures[address] = failures


def is_loopback(host: str) -> bool:
    """Whether a host is this machine's loopback address, which no other machine can reach."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _basic_login(request: Request) -> tuple[str, str] | None:
    """Returns the user name and password of HTTP's Basic scheme; None if the header is missing or malformed."""
    try:
        login = request.authorization
    except ValueError:
        # Werkzeug does not catch what base64 raises for characters outside ASCII.
        return None
    # Other schemes can carry a password too, such as Digest with its parameters.
    if login is None or login.type != "basic":
        return None
    return login.username or "", login.password or ""
