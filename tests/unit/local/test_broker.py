from __future__ import annotations

import json
import os
import socket
from pathlib import Path
from typing import Any

import psutil
import pytest

from solosolve.errors import MissingDependencyError, UsageError
from solosolve.local.broker import Broker
from solosolve.settings import Settings


def recorded_broker(home: Path, **overrides: Any) -> Broker:
    """A broker whose record names this test's own process, apart from the overrides."""
    record = {
        "pid": os.getpid(),
        "create_time": psutil.Process().create_time(),
        "address": "127.0.0.1:9092",
        "controller_port": 1,
    }
    data = home / "kafka" / "data"
    data.mkdir(parents=True)
    (data / "meta.properties").write_text("version=1\ncluster.id=abc-_1\n")
    (home / "kafka" / "state.json").write_text(json.dumps(record | overrides))
    return Broker(Settings(home=home))


@pytest.mark.parametrize(
    "address",
    ["broker.example:9092", "10.0.0.1:9092", "127.0.0.1:9092,127.0.0.1:9093", "127.0.0.1:0", "127.0.0.1:70000"],
)
def test_broker_starts_only_at_a_single_address_of_this_machine(tmp_path: Path, address: str) -> None:
    with pytest.raises(
        UsageError, match=rf"kafka_bootstrap: found '{address}', but .* needs one address, 127\.0\.0\.1"
    ):
        Broker(Settings(home=tmp_path, kafka_bootstrap=address)).start()


def test_broker_with_a_security_protocol_is_not_started(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, kafka_security_protocol="SSL")
    with pytest.raises(UsageError, match=r"kafka_security_protocol: found 'SSL', but .* accepts PLAINTEXT only"):
        Broker(settings).start()


def test_broker_whose_port_is_in_use_is_not_started(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        address = f"127.0.0.1:{other.getsockname()[1]}"
        with pytest.raises(MissingDependencyError) as caught:
            Broker(Settings(home=tmp_path, kafka_bootstrap=address)).start()
    assert str(caught.value).startswith(f"{address} is not available (Address already in use); stop what listens there")


def test_broker_of_an_empty_home_is_not_running_and_need_not_be_stopped(tmp_path: Path) -> None:
    broker = Broker(Settings(home=tmp_path / "home"))
    assert broker.status() is None
    assert not broker.stop()
    assert not (tmp_path / "home").exists()


def test_status_describes_the_recorded_process(tmp_path: Path) -> None:
    status = recorded_broker(tmp_path).status()
    assert status is not None
    assert (status.address, status.pid, status.cluster_id) == ("127.0.0.1:9092", os.getpid(), "abc-_1")


def test_process_that_reuses_the_brokers_pid_is_not_the_broker(tmp_path: Path) -> None:
    broker = recorded_broker(tmp_path, create_time=psutil.Process().create_time() - 60)
    assert broker.status() is None
    assert not broker.stop()  # otherwise it would end this process


def test_process_that_has_ended_is_not_the_broker(tmp_path: Path) -> None:
    assert recorded_broker(tmp_path, pid=2**22 + 1).status() is None


def test_broker_running_at_another_address_than_the_settings_is_refused(tmp_path: Path) -> None:
    broker = recorded_broker(tmp_path, address="127.0.0.1:9999")
    with pytest.raises(
        UsageError, match=r"found '127\.0\.0\.1:9092', but the broker of this home listens at 127\.0\.0\.1:9999"
    ):
        broker.start()
