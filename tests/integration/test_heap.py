from __future__ import annotations

import gc
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from py4j.java_gateway import JavaGateway
from pyspark import SparkConf
from pyspark.java_gateway import launch_gateway

from solosolve.bundle import find_bundle
from solosolve.storage.spark import read_properties

OBJECTS = 20_000_000
"""Small objects that stay alive, 380 MB: twice as many outgrow the old generation that a JVM begins with."""


@contextmanager
def jvm_of_a_session() -> Iterator[JavaGateway]:
    """A JVM with the memory settings of every local session, without Spark."""
    bundle = find_bundle()
    assert bundle is not None
    properties = read_properties(bundle / "bundle" / "spark-defaults.conf")
    names = ("spark.driver.memory", "spark.driver.extraJavaOptions")
    conf = SparkConf(loadDefaults=False).setAll([(name, properties[name]) for name in names])
    gateway = launch_gateway(conf, {"stderr": subprocess.DEVNULL})
    try:
        yield gateway
    finally:
        gateway.proc.kill()
        gateway.proc.wait()


def objects(jvm: Any) -> Any:
    return jvm.java.util.stream.IntStream.range(0, OBJECTS).boxed().toList()


def test_heap_grows_with_small_objects_and_shrinks_without_them() -> None:
    with jvm_of_a_session() as gateway, ThreadPoolExecutor(1) as pool:
        jvm: Any = gateway.jvm
        memory = jvm.java.lang.management.ManagementFactory.getMemoryMXBean()
        try:
            kept = [pool.submit(objects, jvm).result(timeout=60) for _ in range(2)]
        except TimeoutError:
            # The pool would wait for a JVM that collects garbage without end.
            gateway.proc.kill()
            raise
        grown = memory.getHeapMemoryUsage()
        # py4j lets go of an object in the JVM when Python does.
        kept.clear()
        gc.collect()
        for _ in range(8):
            jvm.java.lang.System.gc()
        shrunk = memory.getHeapMemoryUsage()
        assert grown.getMax() > 3.5 * 2**30
        assert grown.getCommitted() > grown.getUsed() > 700e6
        assert shrunk.getCommitted() < grown.getCommitted() / 2
