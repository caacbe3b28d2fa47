"""The measurement of scripts/scale.sh: one server after another over ever more packages.

Invariants: a figure is the median over the rounds, or the worst where the row states that; readers
ask for heads alone, so that no figure includes the transfer; every started process is stopped.
"""

import argparse
import contextlib
import hashlib
import http.client
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time

from bench_servers import TOKEN, Ours, KIB

READERS = 3
AUTHORIZED = {"Authorization": f"Bearer {TOKEN}"}
CONTENT = b"x" * 100
HAMMER_SECONDS = 5
COUNTED_CALLS = "statx,openat,getdents64,unlink,unlinkat,linkat,fsync"


class Client:
    """One kept-alive connection."""

    def __init__(self, server):
        self.connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=120)

    def ask(self, method, path, expected, body=None, headers=None):
        """Milliseconds until the whole answer was there."""
        started = time.monotonic()
        self.connection.request(method, path, body=body, headers=headers or {})
        response = self.connection.getresponse()
        response.read()
        if response.status not in expected:
            raise SystemExit(f"scale: {method} {path}: {response.status}")
        self.headers = response.headers
        return (time.monotonic() - started) * 1000

    def head(self, path):
        return self.ask("HEAD", path, {200})

    def publish(self, name):
        return self.ask("PUT", f"/assets/{name}", {201}, CONTENT, AUTHORIZED)

    def delete(self, name):
        return self.ask("DELETE", f"/assets/{name}", {204}, None, AUTHORIZED)


def fill(folder, count, with_checksums):
    """Packages as a publisher would name them, each older than the next."""
    folder.mkdir()
    digest = hashlib.sha256(CONTENT).hexdigest()
    for number in range(count):
        path = folder / f"spec-kit-template-agent-{number % 17}-sh-v1.{number}.0.zip"
        path.write_bytes(CONTENT)
        os.utime(path, (1_600_000_000 + number,) * 2)
        if with_checksums:
            path.with_name(f"{path.name}.sha256").write_text(digest)


def measure_start(binary, folder, figures):
    """Leaves the server running: what follows asks it."""
    started = time.monotonic()
    server = Ours(binary, folder)
    figures["start to first 200 of `/readyz`"] = (time.monotonic() - started) * 1000
    client = Client(server)
    figures["first `/latest`"] = client.head("/latest")
    figures["first `/packages?format=json`"] = client.head("/packages?format=json")
    return server, client


def measure_reads(client, rounds, figures):
    figures["`/latest`, nothing changed"] = statistics.median(
        client.head("/latest") for _ in range(rounds)
    )
    length = int(client.headers["Content-Length"])
    figures["`/latest`, its body"] = f"{length / KIB:,.0f} KiB"


def measure_changes(server, client, rounds, figures):
    times = {
        "publish": [],
        "first `/latest` after a publish": [],
        "delete": [],
        "first `/latest` after a delete": [],
    }
    publish, after_publish, delete, after_delete = times.values()
    cpu = server.cpu_seconds()
    for number in range(rounds):
        publish.append(client.publish(f"new-{number}.zip"))
        after_publish.append(client.head("/latest"))
        delete.append(client.delete(f"new-{number}.zip"))
        after_delete.append(client.head("/latest"))
    figures.update((name, statistics.median(column)) for name, column in times.items())
    figures["CPU time of these four"] = (server.cpu_seconds() - cpu) / rounds * 1000


def hammer(server, paths, work):
    """The worst answer to each path, for readers that ask all the time until `work` is done."""
    done, worst = threading.Event(), {path: 0 for path in paths}

    def read(path):
        client = Client(server)
        while not done.is_set():
            worst[path] = max(worst[path], client.head(path))

    readers = [
        threading.Thread(target=read, args=(path,)) for path in paths for _ in range(READERS)
    ]
    for reader in readers:
        reader.start()
    try:
        work()
    finally:
        done.set()
        for reader in readers:
            reader.join()
    return worst


def measure_readers(server, client, figures):
    def change():
        end = time.monotonic() + HAMMER_SECONDS
        times = []
        while time.monotonic() < end:
            times.append(client.publish("hammer.zip"))
            client.delete("hammer.zip")
            time.sleep(0.05)
        figures["publish, readers beside it"] = statistics.median(times)

    worst = hammer(server, ["/latest", "/healthz"], change)
    figures["worst `/latest` beside publishes and deletes"] = worst["/latest"]
    figures["worst `/healthz` beside them"] = worst["/healthz"]


def measure_calls(server, client, figures):
    """The workers' system calls on names and files during one operation; calls off the request path
    are not counted."""
    if not shutil.which("strace"):
        return
    steps = {
        "publish": lambda: client.publish("traced.zip"),
        "read after it": lambda: client.head("/latest"),
        "delete": lambda: client.delete("traced.zip"),
    }
    threads = pathlib.Path(f"/proc/{server.process.pid}/task")
    workers = {
        task.name for task in threads.iterdir() if (task / "comm").read_text().startswith("worker")
    }
    for name, step in steps.items():
        with tempfile.NamedTemporaryFile("r") as trace:
            command = [
                "strace",
                "-f",
                "-qq",
                "-o",
                trace.name,
                "-e",
                f"trace={COUNTED_CALLS}",
                "-e",
                "signal=none",
            ]
            tracer = subprocess.Popen([*command, "-p", str(server.process.pid)])
            time.sleep(0.5)
            step()
            time.sleep(0.2)
            tracer.terminate()
            tracer.wait()
            calls = [line for line in trace if line.split()[0] in workers and "resumed" not in line]
        figures[f"calls on files: {name}"] = f"{len(calls)}"


def measure_sweep(binary, folder, count, rounds, figures):
    server = Ours(binary, folder, MAX_PACKAGES=str(count))
    client = Client(server)
    client.head("/latest")
    cpu = server.cpu_seconds()
    times = [client.publish(f"swept-{number}.zip") for number in range(rounds)]
    figures["publish that sweeps one"] = statistics.median(times)
    figures["CPU time of that"] = (server.cpu_seconds() - cpu) / rounds * 1000
    server.stop()


def measure_healing(server, client, figures):
    """Until every package has its checksum."""
    started = time.monotonic()

    def wait():
        while "null" in whole(client):
            time.sleep(1)

    worst = hammer(server, ["/latest", "/healthz"], wait)
    figures["all checksums recomputed"] = (time.monotonic() - started) * 1000
    figures["worst `/latest` beside that"] = worst["/latest"]
    figures["worst `/healthz` beside that"] = worst["/healthz"]


def whole(client):
    client.connection.request("GET", "/packages?format=json")
    return client.connection.getresponse().read().decode()


def measure(binary, work, rounds, count, with_checksums):
    figures = {}
    folder = work / "packages"
    fill(folder, count, with_checksums)
    with contextlib.ExitStack() as stack:
        server, client = measure_start(binary, folder, figures)
        stack.callback(server.stop)
        if with_checksums:
            measure_reads(client, rounds, figures)
            measure_changes(server, client, rounds, figures)
            measure_readers(server, client, figures)
            measure_calls(server, client, figures)
        else:
            measure_healing(server, client, figures)
        figures["memory, and at its most"] = (
            f"{server.status_kib('VmRSS') / KIB:.0f} / {server.status_kib('VmHWM') / KIB:.0f} MiB"
        )
    if with_checksums:
        measure_sweep(binary, folder, count, rounds, figures)
    shutil.rmtree(folder)
    return figures


def shown(figure):
    return figure if isinstance(figure, str) else f"{figure:,.1f} ms"


def main():
    parser = argparse.ArgumentParser(
        prog="scale.sh", description="measures this server over large directories"
    )
    parser.add_argument("binary", help=argparse.SUPPRESS)
    parser.add_argument(
        "--counts", default="100,10000,100000", help="packages (default 100,10000,100000)"
    )
    parser.add_argument("--rounds", type=int, default=21, help="rounds of each figure (default 21)")
    options = parser.parse_args()
    counts = [int(count) for count in options.counts.split(",")]
    work = pathlib.Path(tempfile.mkdtemp(prefix="scale-"))
    try:
        columns = {}
        for name, *runs in [
            *((f"{count:,}", count, True) for count in counts),
            (f"{counts[-1]:,}, no checksums", counts[-1], False),
        ]:
            columns[name] = measure(options.binary, work, options.rounds, *runs)
            print(f"scale: {name}: done", file=sys.stderr)
    finally:
        shutil.rmtree(work)
    print(f"| Packages | {' | '.join(columns)} |\n|{'---|' * (len(columns) + 1)}")
    for row in dict.fromkeys(row for figures in columns.values() for row in figures):
        print(
            f"| {row} | {' | '.join(shown(figures.get(row, '')) for figures in columns.values())} |"
        )


if __name__ == "__main__":
    main()
