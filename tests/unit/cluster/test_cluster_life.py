"""Starting, stopping, and what is left: nothing. Many targets, many clients, and the command line."""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import subprocess
import sys
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.request import urlopen

import pytest

from tests.cluster import Cluster, Fault, generated_bytes
from tests.cluster.__main__ import main

from .raw_client import RawClient, ask

ROOT = Path(__file__).parents[3]


def open_files() -> int:
    """How many file descriptors this process has open."""
    return len(os.listdir("/proc/self/fd"))


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="counts open files the way of Linux")
def test_nothing_is_left_of_a_stopped_cluster() -> None:
    gc.collect()
    threads, files = set(threading.enumerate()), open_files()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with Cluster(targets=64) as cluster:
            clients = [RawClient(target) for target in cluster.targets]
            cluster.targets[0].fail_with(Fault.HANG)
            for client in clients:
                client.send_request("GET", b"/s3/b/k")
            cluster.targets[1].kill()
        for client in clients:
            client.socket.close()
        del cluster
        gc.collect()
    assert set(threading.enumerate()) == threads
    assert open_files() == files


def test_stopping_ends_connections_that_are_idle_or_in_the_middle_of_a_request() -> None:
    with Cluster(targets=1) as cluster, RawClient(cluster.proxy) as busy, RawClient(cluster.proxy) as idle:
        busy.send(b"GET /s3/ HT")
        idle.ask("GET", b"/s3/")
        cluster.stop()
        assert idle.read_to_end() == b""
        # A reset, if the cluster had no time to read what came.
        with contextlib.suppress(ConnectionResetError):
            assert busy.read_to_end() == b""


def test_a_client_that_stops_reading_does_not_stop_the_cluster_from_stopping() -> None:
    with Cluster(targets=1, direct_access=True) as cluster, RawClient(cluster.targets[0]) as client:
        cluster.store.create_bucket("b")
        cluster.store.put_generated("b", "k", 1 << 40)
        client.send_request("GET", b"/s3/b/k")
        assert client.socket.recv(15) == b"HTTP/1.1 200 OK"
        cluster.stop()


def test_64_clients_at_64_targets_lose_and_mix_nothing() -> None:
    with Cluster(targets=64) as cluster:
        cluster.store.create_bucket("b")
        ports = {target.port: target for target in cluster.targets}

        def put_and_get(client: int) -> bool:
            for number in range(5):
                path = f"/s3/b/{client}-{number}".encode()
                data = b"".join(generated_bytes(client * 10 + number, 1000 + client * 10))
                for method, body in (("PUT", data), ("GET", b"")):
                    sent = ask(cluster.proxy, method, path)
                    target = ports[int(sent.location.split(b"/")[2].rpartition(b":")[2])]
                    reply = ask(target, method, sent.request_target, body=body)
                    if reply.status != 200 or (method == "GET" and reply.body != data):
                        return False
            return True

        with ThreadPoolExecutor(64) as pool:
            assert all(pool.map(put_and_get, range(64)))
        assert len(cluster.store.keys("b")) == 64 * 5
        assert len(cluster.proxy.requests) == 64 * 5 * 2
        assert sum(len(target.requests) for target in cluster.targets) == 64 * 5 * 2


def test_a_cluster_without_targets_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one target"):
        Cluster(targets=0)


def test_a_cluster_that_cannot_listen_leaves_nothing_behind() -> None:
    threads = set(threading.enumerate())
    with Cluster(targets=1) as cluster, pytest.raises(OSError, match="in use"):
        Cluster(targets=3, port=cluster.proxy.port)
    assert set(threading.enumerate()) == threads


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
def test_the_command_line_serves_until_it_is_told_to_end(end: signal.Signals) -> None:
    command = [sys.executable, "-m", "tests.cluster", "--targets", "2", "--bucket", "mine", "--show"]
    command += ["--honours", "s3", "--signed", "--s3-api-via-root"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, encoding="utf-8") as process:
        assert process.stdout is not None
        word, endpoint = process.stdout.readline().split()
        assert word == "endpoint"
        with urlopen(f"{endpoint}/mine") as reply:
            assert b"<Name>mine</Name>" in reply.read()
        process.send_signal(end)
        rest = process.stdout.read()
    assert process.returncode == 0
    assert f'endpoint_url="{endpoint}"' in rest
    assert "proxy     GET    /s3/mine → 200" in rest


def test_a_taken_port_is_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    with Cluster(targets=1) as cluster:
        assert main(["--port", str(cluster.proxy.port)]) == 1
    assert "cannot listen" in capsys.readouterr().err
    assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) == blocked


@pytest.mark.parametrize("arguments", [["--targets", "0"], ["--port", "70000"], ["--hops", "none"]])
def test_a_wrong_option_is_a_sentence(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert "is not a number from" in capsys.readouterr().err
