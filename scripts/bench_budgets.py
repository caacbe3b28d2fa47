"""The workloads of scripts/bench.sh that nginx has no counterpart for: uploads, reads beside
publishers, memory, start and size, each against its budget.

Invariants: as in bench.py.
"""

import contextlib
import http.client
import os
import socket
import subprocess
import threading
import time

from bench_load import Load, measure
from bench_servers import KIB, MIB, TOKEN, Ours, await_ready
from bench_table import chosen

IDLE_CONNECTIONS = 5000
PUBLISHERS = 64
STARTS = 21
# What the reference of an upload does: the file is read, hashed and copied at once, and synced.
PIPELINE = "tee copy <source | sha256sum >/dev/null && sync copy"


def bench_upload(table, options, work):
    storage, source = work / "uploads", work / "source"
    storage.mkdir()
    source.write_bytes(os.urandom(100 * MIB))
    server = Ours(options.binary, storage)
    ours, reference = [], []
    for _ in range(options.rounds):
        started = time.monotonic()
        assert server.put(source, "a.zip").wait() == 0
        ours.append((time.monotonic() - started) * 1000)
        started = time.monotonic()
        subprocess.run(["sh", "-c", PIPELINE], cwd=work, check=True)
        reference.append((time.monotonic() - started) * 1000)
        (work / "copy").unlink()
    name = "upload of 100 MiB beside `tee | sha256sum`, sync"
    table.budget(name, "{:.0f} ms", ours, reference, limit=1.3)
    uploads = [server.put(source, f"{number}.zip") for number in range(8)]
    assert all(upload.wait() == 0 for upload in uploads)
    peak = server.status_kib("VmHWM") / KIB
    table.budget("memory, 8 uploads of 100 MiB at once", "{:.1f} MiB", [peak], limit=12)
    server.stop()


@contextlib.contextmanager
def publishing(server):
    """Clients that replace a package of 1 KiB each, again and again; collects failures."""
    ended, failures = threading.Event(), []

    def publish(number):
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        headers = {"Authorization": f"Bearer {TOKEN}"}
        while not ended.is_set():
            path = f"/assets/package-{number}.zip?overwrite=true"
            connection.request("PUT", path, os.urandom(KIB), headers)
            answer = connection.getresponse()
            answer.read()
            if answer.status not in (200, 201):
                failures.append(answer.status)
                return

    threads = [threading.Thread(target=publish, args=(number,)) for number in range(PUBLISHERS)]
    for thread in threads:
        thread.start()
    try:
        yield failures
    finally:
        ended.set()
        for thread in threads:
            thread.join()


def bench_beside_publishers(table, options, work):
    storage = work / "publishers"
    storage.mkdir()
    server = Ours(options.binary, storage)
    # Published, so that its checksum is in each answer: a file that is put there gets one later.
    read = work / "read.zip"
    read.write_bytes(os.urandom(64 * KIB))
    assert server.put(read, "read.zip").wait() == 0
    file = Load(server.url("/assets/read.zip"), 8)
    with publishing(server) as failures:
        p99s = [measure(server, file, options.seconds).p99_ms for _ in range(options.rounds)]
    if failures:
        raise SystemExit(f"bench: a publisher got {failures[0]}")
    table.budget(f"64 KiB beside {PUBLISHERS} publishers, p99", "{:.1f} ms", p99s, limit=50)
    server.stop()


def ask_once(connection):
    """One request, so that the connection has all that an idle one keeps."""
    connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
    received = b""
    while not received.endswith(b"OK\n"):
        received += connection.recv(4096)


def bench_idle(table, server, name):
    """The budget counts the server's own pages: those of its file are the kernel's, which
    shares them and drops them when memory is short. All together are reported."""
    own, all_pages = server.status_kib("RssAnon"), server.status_kib("VmRSS")
    table.budget(f"{name}, own pages", "{:.2f} MiB", [own / KIB], limit=1)
    table.budget(f"{name}, with those of the program's file", "{:.2f} MiB", [all_pages / KIB])


def bench_memory(table, options, work):
    storage = work / "idle"
    storage.mkdir()
    server = Ours(options.binary, storage)
    idle = server.status_kib("VmRSS")
    bench_idle(table, server, "memory, idle")
    with contextlib.ExitStack() as stack:
        for _ in range(IDLE_CONNECTIONS):
            connection = stack.enter_context(socket.create_connection(("127.0.0.1", server.port)))
            ask_once(connection)
        await_ready(server.port, "/healthz")
        each = (server.status_kib("VmRSS") - idle) / IDLE_CONNECTIONS
    name = f"memory, each of {IDLE_CONNECTIONS:,} idle connections"
    table.budget(name, "{:.2f} KiB", [each], limit=2)
    server.stop()


def bench_metrics(table, options, work):
    storage = work / "metrics"
    storage.mkdir()
    server = Ours(options.binary, storage)
    # Asked every second: a fiftieth of a percent of a core.
    command = ["wrk", "-t1", "-c8", "-d1s", server.url("/metrics")]
    cpu = server.cpu_seconds()
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert "Non-2xx" not in output
    count = int(output.split(" requests in ")[0].split()[-1])
    each = (server.cpu_seconds() - cpu) / count * 1e6
    table.budget("`/metrics`, CPU a request", "{:.0f} µs", [each], limit=200)
    server.stop()


def bench_start(table, options, work):
    times = []
    storage = work / "start"
    storage.mkdir()
    for _ in range(STARTS):
        started = time.monotonic()
        server = Ours(options.binary, storage)
        times.append((time.monotonic() - started) * 1000)
        server.stop()
    table.budget("start to first 200 of `/readyz`", "{:.1f} ms", times, limit=5)
    size = os.stat(options.binary).st_size / MIB
    table.budget("static binary, all features", "{:.2f} MiB", [size], limit=4)


BUDGETS = {
    "upload of 100 MiB": bench_upload,
    "beside publishers": bench_beside_publishers,
    "memory": bench_memory,
    "metrics": bench_metrics,
    "start and size": bench_start,
}


def bench_budgets(table, options, work):
    rows = [bench for name, bench in BUDGETS.items() if chosen(options.rows, name)]
    if rows:
        table.budget_head()
    for bench in rows:
        bench(table, options, work)
