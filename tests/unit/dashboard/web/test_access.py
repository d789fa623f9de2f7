from __future__ import annotations

import pytest

from solosolve.dashboard.web.access import Access, LoginThrottle
from solosolve.errors import SettingsError
from solosolve.settings import Settings
from support.clocks import ManualClock


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.7", "::", "dashboard.example.org", "127.0.0.1.example.org"])
def test_host_that_others_can_reach_needs_a_password_or_an_identity_header(host: str) -> None:
    with pytest.raises(SettingsError, match=r"^--host: found '.*set SOLOSOLVE_DASHBOARD_PASSWORD"):
        Access.from_settings(Settings(), host)
    assert Access.from_settings(Settings(dashboard_password="long enough"), host).password == "long enough"
    assert Access.from_settings(Settings(dashboard_identity_header="X-User"), host).identity_header == "X-User"


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "127.0.0.9"])
def test_loopback_host_needs_no_password(host: str) -> None:
    assert Access.from_settings(Settings(), host) == Access(None, None, True, "solosolve")


def test_throttle_locks_out_only_the_address_that_failed() -> None:
    throttle = LoginThrottle(max_failures=2, clock=ManualClock())
    throttle.record_failure("10.0.0.1")
    assert not throttle.is_locked_out("10.0.0.1")
    throttle.record_failure("10.0.0.1")
    assert throttle.is_locked_out("10.0.0.1")
    assert not throttle.is_locked_out("10.0.0.2")


def test_throttle_counts_the_failures_of_any_window() -> None:
    clock = ManualClock()
    throttle = LoginThrottle(max_failures=3, window_seconds=60, clock=clock)
    for wait in (0, 50, 5):
        clock.seconds += wait
        throttle.record_failure("10.0.0.1")
    assert throttle.is_locked_out("10.0.0.1")
    # The first failure is a minute old: one more guess, then the other two count again.
    clock.seconds += 5
    assert not throttle.is_locked_out("10.0.0.1")
    throttle.record_failure("10.0.0.1")
    assert throttle.is_locked_out("10.0.0.1")


def test_throttle_never_locks_out_an_address_that_fails_slowly() -> None:
    clock = ManualClock()
    throttle = LoginThrottle(max_failures=2, window_seconds=60, clock=clock)
    for _ in range(10):
        throttle.record_failure("10.0.0.1")
        assert not throttle.is_locked_out("10.0.0.1")
        clock.seconds += 60


def test_throttle_forgets_the_address_that_was_seen_least_recently() -> None:
    throttle = LoginThrottle(max_failures=1, max_addresses=2, clock=ManualClock())
    for address in ("10.0.0.1", "10.0.0.2"):
        throttle.record_failure(address)
    assert throttle.is_locked_out("10.0.0.1")
    throttle.record_failure("10.0.0.3")
    assert [throttle.is_locked_out(f"10.0.0.{number}") for number in (1, 2, 3)] == [True, False, True]
