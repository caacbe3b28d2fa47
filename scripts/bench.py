"""The workloads of scripts/bench.sh: this server and nginx side by side, against the budgets.

Invariants: both servers run throughout, serve the same bytes and are measured in turn within each
round, each first in every other round, so that the machine's noise affects both; a figure is the
median over the rounds; every started process is stopped.
"""

import argparse
import contextlib
import json
import os
import pathlib
import platform
import re
import shutil
import socket
import statistics
import subprocess
import tempfile
import time

TOKEN = "bench-token"
KIB, MIB = 1024, 1024 * 1024
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")

NGINX = """
{user} worker_processes auto; daemon off; pid {root}/nginx.pid; error_log {root}/error.log;
events {{ worker_connections 8192; }}
http {{
  access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000000;
  default_type application/json;
  client_body_temp_path {root}/body; proxy_temp_path {root}/proxy; fastcgi_temp_path {root}/fastcgi;
  uwsgi_temp_path {root}/uwsgi; scgi_temp_path {root}/scgi;
  server {{ listen 127.0.0.1:{port}; root {root}/files; }}
}}
"""


class Process:
    """A server under test, with all the processes it consists of."""

    def __init__(self, command, **options):
        self.process = subprocess.Popen(command, **options)

    def pids(self):
        children = pathlib.Path(
            f"/proc/{self.process.pid}/task/{self.process.pid}/children"
        ).read_text()
        return [self.process.pid, *map(int, children.split())]

    def cpu_seconds(self):
        stats = (
            pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
            for pid in self.pids()
        )
        return sum(int(stat[11]) + int(stat[12]) for stat in stats) / TICKS_PER_SECOND

    def status_kib(self, key):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(rf"^{key}:\s+(\d+)", status, re.MULTILINE)[1])

    def stop(self):
        self.process.terminate()
        self.process.wait(30)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def request(port, path):
    """The status of one GET, or None where nobody listens."""
    try:
        with socket.create_connection(("127.0.0.1", port), 5) as connection:
            connection.sendall(f"GET {path} HTTP/1.0\r\n\r\n".encode())
            return int(connection.recv(64).split()[1])
    except ConnectionError:
        return None


def await_ready(port, path):
    end = time.monotonic() + 30
    while request(port, path) != 200:
        if time.monotonic() > end:
            raise SystemExit(f"bench: nothing answers on port {port}")


class Ours(Process):
    """This server over a directory of its own."""

    def __init__(self, binary, root, **settings):
        self.port = free_port()
        environment = {
            "AUTH_TOKEN": TOKEN,
            "STORAGE_PATH": str(root),
            "PORT": str(self.port),
            "HOST": "127.0.0.1",
            "CONFIG_PATH": "/dev/null",
            "MAX_PACKAGES": "0",
            "MAX_UPLOAD_SIZE": "0",
            **settings,
        }
        self.log = open(root.parent / f"{root.name}.log", "wb")
        super().__init__([binary], env=environment, stdout=self.log)
        await_ready(int(settings.get("HTTP_PORT", self.port)), "/readyz")

    def url(self, path):
        return f"http://127.0.0.1:{self.port}{path}"

    def put(self, path, name):
        command = [
            "curl",
            "-sSf",
            "-o",
            "/dev/null",
            "-H",
            f"Authorization: Bearer {TOKEN}",
            "-T",
            str(path),
        ]
        return subprocess.Popen([*command, self.url(f"/assets/{name}?overwrite=true")])


UNITS = {"": 1, "K": KIB, "M": MIB, "G": 1024 * MIB}
# A run ends in the middle of as many answers as it has connections; at this size they are too many
# to ignore.
LARGE_BYTES = 10 * MIB


def wrk(url, connections, seconds, header=None):
    """Requests that one run answered, with the parts of large answers that it got."""
    command = [
        "wrk",
        "-t1",
        f"-c{connections}",
        f"-d{seconds}s",
        *(["-H", header] if header else []),
        url,
    ]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    if failed := re.search(r"(Non-2xx.*|Socket errors.*)", output):
        # Some workloads expect a 304; any other status would invalidate the measurement.
        if header is None or "Socket" in failed[1]:
            raise SystemExit(f"bench: {url}: {failed[1]}")
    count = int(re.search(r"(\d+) requests in", output)[1])
    number, unit = re.search(r"([\d.]+)([KMG]?)B read", output).groups()
    bytes_read = float(number) * UNITS[unit]
    if bytes_read < LARGE_BYTES * max(count, 1):
        return count
    command = ["curl", "-sSfkI", url]
    head = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return bytes_read / int(re.search(r"(?im)^content-length: (\d+)", head)[1])


def measure(server, url, connections, seconds, header=None):
    """Requests a second, and CPU microseconds a request."""
    cpu, started = server.cpu_seconds(), time.monotonic()
    count = wrk(url, connections, seconds, header)
    elapsed = time.monotonic() - started
    return count / elapsed, (server.cpu_seconds() - cpu) / count * 1e6


class Table:
    """The rows, printed as Markdown as they come."""

    def __init__(self):
        self.missed = []
        print(
            "| Workload | This server | nginx or reference | Figure | Budget |"
            " |\n|---|---|---|---|---|---|"
        )

    def row(self, name, ours, reference, figure, budget, kept):
        print(
            f"| {name} | {ours} | {reference} | {figure} | {budget} |"
            f" {'met' if kept else '**missed**'} |",
            flush=True,
        )
        if not kept:
            self.missed.append(name)


def compare(table, name, runs, rate_min=1.0, cpu_max=1.0):
    """Two rows from rounds of ((rate, cpu), (rate, cpu)): the rate and the CPU time a request."""
    median = statistics.median
    ratio = median(ours[0] / nginx[0] for ours, nginx in runs)
    cpu = median(ours[1] / nginx[1] for ours, nginx in runs)
    rates = [f"{median(run[side][0] for run in runs):,.0f}/s" for side in (0, 1)]
    times = [f"{median(run[side][1] for run in runs):.1f} µs" for side in (0, 1)]
    table.row(name, *rates, f"{ratio:.2f} ×", f"≥ {rate_min:.2f} ×", ratio >= rate_min)
    label = f"{name}, CPU a request"
    table.row(label, *times, f"{cpu:.2f} ×", f"≤ {cpu_max:.2f} ×", cpu <= cpu_max)


def workloads(binary, work, stack):
    """Both servers over the same files; name, URLs, connections and headers of each workload."""
    ten, thousand, files = work / "ten", work / "thousand", work / "nginx" / "files"
    for folder in (ten, thousand, files):
        folder.mkdir(parents=True)
    sizes = {"64k.zip": 64 * KIB, "1m.zip": MIB, "100m.zip": 100 * MIB}
    for number in range(7):
        (ten / f"small-{number}.zip").write_bytes(os.urandom(100))
    for number in range(1000):
        (thousand / f"spec-kit-template-agent-{number}-sh-v2.17.1.zip").write_bytes(b"x")
    for name, size in sizes.items():
        (ten / name).write_bytes(os.urandom(size))
        os.link(ten / name, files / name)
    (files / "healthz").write_text("OK\n")
    first, second = Ours(binary, ten), Ours(binary, thousand)
    stack.callback(first.stop)
    stack.callback(second.stop)
    for server, name in ((first, "latest-10"), (second, "latest-1000")):
        await_checksums(server)
        subprocess.run(["curl", "-sSf", "-o", files / name, server.url("/latest")], check=True)
    port = free_port()
    configuration = work / "nginx" / "nginx.conf"
    # Started by root, nginx would read the files as a user without permission.
    user = "user root;" if os.geteuid() == 0 else ""
    configuration.write_text(NGINX.format(user=user, root=work / "nginx", port=port))
    nginx = Process(["nginx", "-c", str(configuration)], stderr=subprocess.DEVNULL)
    stack.callback(nginx.stop)
    await_ready(port, "/healthz")
    base = f"http://127.0.0.1:{port}"
    tags = [etag(first.url("/latest")), etag(f"{base}/latest-10")]
    downloads = [
        (name, first, f"/assets/{name}", f"/{name}", count)
        for name, count in (("64k.zip", 32), ("1m.zip", 16), ("100m.zip", 4))
    ]
    plain = [
        ("tiny answer", first, "/healthz", "/healthz", 32),
        ("`/latest`, 10 packages", first, "/latest", "/latest-10", 32),
        ("`/latest`, 1,000 packages", second, "/latest", "/latest-1000", 16),
        *[(f"download of {name.removesuffix('.zip')}", *rest) for name, *rest in downloads],
    ]
    rows = [
        (name, server, server.url(ours), base + theirs, count, (None, None))
        for name, server, ours, theirs, count in plain
    ]
    conditional = tuple(f"If-None-Match: {tag}" for tag in tags)
    rows.insert(3, ("304", first, first.url("/latest"), f"{base}/latest-10", 32, conditional))
    return first, nginx, rows


def await_checksums(server):
    """Hashing in the background is over when every package has its digest."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        output = subprocess.run(
            ["curl", "-sSf", server.url("/latest")], check=True, capture_output=True
        ).stdout
        if all(asset["digest"] for asset in json.loads(output)["assets"]):
            return
        time.sleep(0.1)
    raise SystemExit("bench: the checksums do not come")


def etag(url):
    head = subprocess.run(["curl", "-sSfI", url], check=True, capture_output=True, text=True).stdout
    return re.search(r"(?im)^etag: (.*?)\s*$", head)[1]


def bench_rates(table, binary, work, rounds, seconds):
    with contextlib.ExitStack() as stack:
        server, nginx, rows = workloads(binary, work, stack)
        for name, measured, ours, theirs, connections, headers in rows:
            sides = [(measured, ours, headers[0]), (nginx, theirs, headers[1])]
            runs = []
            for number in range(rounds):
                # The first server of one round is the second of the next.
                order = -1 if number % 2 else 1
                run = [
                    measure(side, url, connections, seconds, header)
                    for side, url, header in sides[::order]
                ]
                runs.append(run[::order])
            compare(table, name, runs)
        cpu = statistics.median(
            measure(server, server.url("/metrics"), 32, seconds)[1] for _ in range(rounds)
        )
        # Asked every second: a fiftieth of a percent of a core.
        table.row("`/metrics`, CPU a request", f"{cpu:.1f} µs", "", "", "≤ 200 µs", cpu <= 200)


def bench_upload(table, binary, work, rounds):
    storage, source = work / "uploads", work / "source"
    storage.mkdir()
    source.write_bytes(os.urandom(100 * MIB))
    server = Ours(binary, storage)
    pairs = []
    for _ in range(rounds):
        started = time.monotonic()
        assert server.put(source, "a.zip").wait() == 0
        ours = time.monotonic() - started
        started = time.monotonic()
        subprocess.run(["sha256sum", source], check=True, stdout=subprocess.DEVNULL)
        subprocess.run(["cp", source, work / "copy"], check=True)
        subprocess.run(["sync", work / "copy"], check=True)
        pairs.append((ours, time.monotonic() - started))
        (work / "copy").unlink()
    ratio = statistics.median(ours / reference for ours, reference in pairs)
    medians = [f"{statistics.median(column) * 1000:.0f} ms" for column in zip(*pairs)]
    name = "upload of 100 MiB beside `sha256sum`, `cp`, fsync"
    table.row(name, *medians, f"{ratio:.2f} ×", "≤ 1.30 ×", ratio <= 1.3)
    uploads = [server.put(source, f"{number}.zip") for number in range(8)]
    assert all(upload.wait() == 0 for upload in uploads)
    peak = server.status_kib("VmHWM") / KIB
    table.row(
        "memory, 8 uploads of 100 MiB at once", f"{peak:.1f} MiB", "", "", "≤ 12 MiB", peak <= 12
    )
    server.stop()


def bench_memory(table, binary, work):
    storage = work / "idle"
    storage.mkdir()
    server = Ours(binary, storage)
    idle = server.status_kib("VmRSS")
    table.row("memory, idle", f"{idle / KIB:.2f} MiB", "", "", "≤ 3 MiB", idle <= 3 * KIB)
    with contextlib.ExitStack() as stack:
        for _ in range(5000):
            stack.enter_context(socket.create_connection(("127.0.0.1", server.port)))
        await_ready(server.port, "/healthz")
        each = (server.status_kib("VmRSS") - idle) / 5000
    table.row(
        "memory, each of 5,000 idle connections", f"{each:.2f} KiB", "", "", "≤ 2 KiB", each <= 2
    )
    server.stop()


def bench_start(table, binary, work):
    times = []
    storage = work / "start"
    storage.mkdir()
    for _ in range(21):
        started = time.monotonic()
        server = Ours(binary, storage)
        times.append((time.monotonic() - started) * 1000)
        server.stop()
    median = statistics.median(times)
    start = f"{median:.1f} ms"
    table.row("start to first 200 of `/readyz`", start, "", "", "≤ 5 ms", median <= 5)
    size = os.stat(binary).st_size
    table.row("static binary", f"{size / MIB:.2f} MiB", "", "", "≤ 4 MiB", size <= 4 * MIB)


def parse_options(script, description):
    """What a script that measures takes: the server's program, and how much to measure."""
    parser = argparse.ArgumentParser(prog=script, description=description)
    parser.add_argument("binary", help=argparse.SUPPRESS)
    parser.add_argument(
        "--rounds", type=int, default=5, help="rounds of what is measured (default 5)"
    )
    parser.add_argument(
        "--seconds", type=int, default=2, help="length of each measured run (default 2)"
    )
    return parser.parse_args()


def main():
    options = parse_options("bench.sh", "measures this server beside nginx")
    processor = re.search(r"model name\s*: (.*)", pathlib.Path("/proc/cpuinfo").read_text())
    shown = processor[1] if processor else platform.machine()
    print(
        f"{os.cpu_count()} × {shown}, Linux {platform.release().split('-')[0]}, {options.rounds}"
        " rounds\n"
    )
    work = pathlib.Path(tempfile.mkdtemp(prefix="bench-"))
    try:
        table = Table()
        bench_rates(table, options.binary, work, options.rounds, options.seconds)
        bench_upload(table, options.binary, work, options.rounds)
        bench_memory(table, options.binary, work)
        bench_start(table, options.binary, work)
    finally:
        shutil.rmtree(work)
    print(
        f"\n{len(table.missed)} missed: {', '.join(table.missed)}"
        if table.missed
        else "\nEvery budget is met."
    )


if __name__ == "__main__":
    main()
