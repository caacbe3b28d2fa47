"""The attacks of scripts/crowds.sh, each on a server of its own in a memory cgroup.

Invariants: the attackers run outside the cgroup, so what it counts is the server's; every started
process is stopped and every cgroup removed. Memory has three figures: the server's own pages, these
with the kernel's memory for it, and these with socket buffers. None has the cache of files, which
the kernel can reclaim.
"""

import argparse
import collections
import contextlib
import hashlib
import http.client
import os
import pathlib
import socket
import sys
import tempfile
import threading
import time

from bench_servers import MIB, Ours

GROWTH_BYTES_MAX = 16 * MIB
PACKAGES = 100
LARGE_BYTES = 64 * MIB
USUAL_PATHS = [
    "/latest",
    "/packages",
    "/packages?format=json",
    "/assets/SHA256SUMS",
    "/repos/o/r/releases",
    "/healthz",
]
ANSWER_SECONDS_MAX = 10
PAUSE_SECONDS = 0.01
# Between the steps of a complete crowd, whose oldest members leave for new ones.
RENEWAL_SECONDS = 0.05


class Cgroup:
    """A memory cgroup of either version. Version 1 counts socket buffers apart, and only where
    they have a limit of their own; the server is told of the limit as version 2 does it."""

    def __init__(self, limit_bytes):
        root = pathlib.Path("/sys/fs/cgroup")
        self.is_first = (root / "memory").is_dir()
        self.path = root / ("memory" if self.is_first else "") / f"release-server-{os.getpid()}"
        self.path.mkdir()
        if self.is_first:
            (self.path / "memory.limit_in_bytes").write_text(str(limit_bytes))
            (self.path / "memory.kmem.tcp.limit_in_bytes").write_text(str(limit_bytes))
        else:
            (self.path / "memory.max").write_text(str(limit_bytes))
        self.limit_bytes = limit_bytes

    def joining(self, binary):
        """A script that runs a program in this cgroup."""
        lines = ["#!/bin/sh", f'echo $$ >"{self.path}/cgroup.procs"']
        if self.is_first:
            own = "mount -t tmpfs none /sys/fs/cgroup"
            limit = f"echo {self.limit_bytes} >/sys/fs/cgroup/memory.max"
            lines += [f"exec unshare -m sh -c '{own} && {limit} && exec \"{binary}\"'"]
        else:
            lines += [f'exec "{binary}"']
        return "\n".join(lines)

    def number(self, name):
        return int((self.path / name).read_text())

    def table(self, name):
        lines = (line.split() for line in (self.path / name).read_text().splitlines())
        return {key: int(value) for key, value in lines}

    def used_bytes(self):
        """The server's own pages, these with the kernel's memory for it, and these with socket
        buffers."""
        table = self.table("memory.stat")
        if self.is_first:
            own, sockets = table["rss"], self.number("memory.kmem.tcp.usage_in_bytes")
            kernel = self.number("memory.kmem.usage_in_bytes")
        else:
            own, kernel, sockets = table["anon"], table["kernel"], table["sock"]
        return own, own + kernel, own + kernel + sockets

    def kills(self):
        name = "memory.oom_control" if self.is_first else "memory.events"
        return self.table(name)["oom_kill"]

    def remove(self):
        """The kernel may need a moment to notice that the last process has ended."""
        end = time.monotonic() + 10
        while True:
            try:
                return self.path.rmdir()
            except OSError:
                if time.monotonic() > end:
                    raise
                time.sleep(0.1)


class Peak:
    """The most memory that the cgroup had."""

    def __init__(self, cgroup):
        self.cgroup, self.bytes = cgroup, (0, 0, 0)

    def sample(self):
        self.bytes = tuple(map(max, self.bytes, self.cgroup.used_bytes()))


class Honest:
    """A client that reads its answers: the usual lists and one large download after the other."""

    def __init__(self, port, digest):
        self.port, self.digest = port, digest
        self.answers, self.faults, self.slowest = 0, [], 0.0
        self.done = threading.Event()
        self.threads = [
            threading.Thread(target=self.repeat, args=(ask,))
            for ask in (self.ask_usual, self.download)
        ]
        for thread in self.threads:
            thread.start()

    def repeat(self, ask):
        while not self.done.is_set():
            try:
                ask()
            except (OSError, http.client.HTTPException, ValueError) as error:
                self.faults.append(f"{type(error).__name__}: {error}")
                time.sleep(0.1)

    def get(self, path, digest=None):
        """Sends the head in two packets, and pauses between the pieces of a long answer."""
        head = f"GET {path} HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n".encode()
        address = ("127.0.0.1", self.port)
        with socket.create_connection(address, ANSWER_SECONDS_MAX) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.sendall(head[:20])
            time.sleep(PAUSE_SECONDS)
            connection.sendall(head[20:])
            answer = http.client.HTTPResponse(connection)
            answer.begin()
            hasher = hashlib.sha256()
            while piece := answer.read(MIB):
                hasher.update(piece)
                time.sleep(PAUSE_SECONDS)
            if answer.status != 200 or digest not in (None, hasher.hexdigest()):
                raise ValueError(f"{path}: {answer.status}, or not all of it")
        self.answers += 1

    def ask_usual(self):
        for path in USUAL_PATHS:
            started = time.monotonic()
            try:
                self.get(path)
            finally:
                self.slowest = max(self.slowest, time.monotonic() - started)

    def download(self):
        self.get("/assets/large.zip", self.digest)

    def stop(self):
        self.done.set()
        for thread in self.threads:
            thread.join()


class Crowd:
    """Connections that send and do not read."""

    def __init__(self, port):
        self.port, self.connections = port, collections.deque()

    def open(self, content):
        connection = socket.socket()
        # As small as the kernel allows, so that answers wait in the server.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
        connection.settimeout(ANSWER_SECONDS_MAX)
        # The server may close a connection midway.
        with contextlib.suppress(OSError):
            connection.connect(("127.0.0.1", self.port))
            connection.settimeout(0)
            connection.send(content)
        self.connections.append(connection)

    def leave(self, connections_max):
        """Closes the oldest connections over the limit; whether there were any."""
        has_more = len(self.connections) > connections_max
        while len(self.connections) > connections_max:
            self.connections.popleft().close()
        return has_more

    def close(self):
        self.leave(0)


def invented(number, path, method="GET"):
    owner, host = f"{number:x>100}", f"{number:h>255}"
    return f"{method} /repos/{owner}/{owner}{path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()


def long_owners(crowd, number):
    """Owners of 16,000 bytes and hosts of 400, as GET and as HEAD, and then of the bounds."""
    page = f"/releases?per_page={PACKAGES - number % 8}"
    owner = f"{number:x>16000}"[: 16000 - len(page)]
    for method in ("GET", "HEAD"):
        crowd.open(f"{method} /repos/{owner}/r{page} HTTP/1.1\r\nHost: t\r\n\r\n".encode())
        crowd.open(invented(number, page, method))
    crowd.open(f"GET /latest HTTP/1.1\r\nHost: {number:h>400}\r\n\r\n".encode() * 10)


def slow_readers(crowd, number):
    """Long lists of invented repositories, pipelined, in many sizes; and `/latest` likewise."""
    crowd.open(invented(number, f"/releases?per_page={100 - number % 50}") * 30)
    crowd.open(f"GET /latest HTTP/1.1\r\nHost: {number:h>255}\r\n\r\n".encode() * 30)


def small_pieces(crowd, number):
    """Parts of heads, long and short, and small answers made for one client each."""
    head = b"GET /latest HTTP/1.1\r\nHost: t\r\nX: " + b"x" * 15_000
    for length in [len(head)] * 6 + [1000, 100, 40]:
        crowd.open(head[:length])
    crowd.open(invented(number, f"/releases/assets/{number}") * 60)
    crowd.open(invented(number, "/releases/tags/v1.1.0") * 30)


ATTACKS = {
    "long owners and hosts": long_owners,
    "readers of invented repositories": slow_readers,
    "parts of heads, small answers": small_pieces,
}


def fill(folder):
    folder.mkdir()
    for number in range(PACKAGES - 1):
        publish(folder / f"package-v1.{number}.0.zip", b"x")
    return publish(folder / "large.zip", os.urandom(LARGE_BYTES))


def publish(path, content):
    digest = hashlib.sha256(content).hexdigest()
    path.write_bytes(content)
    path.with_name(f"{path.name}.sha256").write_text(digest)
    return digest


def start(binary, work, cgroup):
    """The server, which joins the cgroup before it begins."""
    joining = work / "joining"
    joining.write_text(cgroup.joining(binary))
    joining.chmod(0o700)
    return Ours(str(joining), work / "packages")


def attack(binary, work, digest, options, crowd_of):
    """Idle and peak memory, kills, and the honest client's answers."""
    cgroup = Cgroup(options.limit * MIB)
    with contextlib.ExitStack() as stack:
        stack.callback(cgroup.remove)
        server = start(binary, work, cgroup)
        stack.callback(server.stop)
        warm = Honest(server.port, digest)
        time.sleep(2)
        warm.stop()
        idle, peak = cgroup.used_bytes(), Peak(cgroup)
        honest, crowd = Honest(server.port, digest), Crowd(server.port)
        stack.callback(crowd.close)
        end, number = time.monotonic() + options.seconds, 0
        while time.monotonic() < end and server.process.poll() is None:
            crowd_of(crowd, number)
            number += 1
            if crowd.leave(options.connections):
                time.sleep(RENEWAL_SECONDS)
            peak.sample()
        honest.stop()
        return idle, peak.bytes, cgroup.kills(), honest


def shown(figures):
    return " / ".join(f"{figure / MIB:.1f}" for figure in figures) + " MiB"


def main():
    parser = argparse.ArgumentParser(prog="crowds.sh", description="attacks a server of 32 MiB")
    parser.add_argument("--binary", required=True, help="the server (default: the static build)")
    parser.add_argument("--limit", type=int, default=32, help="MiB of the cgroup (default 32)")
    parser.add_argument("--seconds", type=int, default=20, help="of each attack (default 20)")
    parser.add_argument(
        "--connections", type=int, default=600, help="connections of a crowd (default 600)"
    )
    options = parser.parse_args()
    limit_bytes, code = options.limit * MIB, 0
    print(
        "| Attack | Idle: own / with kernel / with sockets | Peak | Killed "
        "| Honest answers | Faults | Slowest list |"
    )
    print("|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory(prefix="crowds-") as name:
        work = pathlib.Path(name)
        digest = fill(work / "packages")
        for title, crowd_of in ATTACKS.items():
            idle, peak, kills, honest = attack(
                options.binary, work, digest, options, crowd_of
            )
            print(
                f"| {title} | {shown(idle)} | {shown(peak)} | {kills} |"
                f" {honest.answers} | {len(honest.faults)} | {honest.slowest:.2f} s |",
                flush=True,
            )
            for fault in honest.faults[:3]:
                print(f"crowds.sh: {title}: {fault}", file=sys.stderr)
            bytes_max = min(idle[-1] + GROWTH_BYTES_MAX, limit_bytes)
            if kills or honest.faults or peak[-1] > bytes_max:
                code = 1
    sys.exit(code)


if __name__ == "__main__":
    main()
