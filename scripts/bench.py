"""The workloads of scripts/bench.sh: this server and nginx side by side, against the budgets.

Invariants: all servers run throughout, serve the same bytes and are measured in turn within each
round, each first in another round, so that the machine's noise affects all; nginx is measured in
every configuration first, which warms up caches too, and a row counts against the best of them;
every started process is stopped.
"""

import contextlib
import json
import os
import pathlib
import platform
import re
import shutil
import subprocess
import tempfile
import time
from collections import namedtuple

from bench_budgets import bench_budgets
from bench_load import Load, measure, measure_beside
from bench_servers import KIB, MIB, NGINX_VARIANTS, Nginx, Ours, await_ready
from bench_table import Table, chosen, parse_options

# Bodies that nginx answers from memory by `return`; one word of its configuration has at most so
# many bytes.
WORD_BYTES_MAX = 2000

# A share of CPU time that is not noise.
CLEARLY_LESS = 0.9

# Our path and nginx's, and nginx's for the same answer from memory, if it can give one.
Row = namedtuple(
    "Row",
    "name folder path reference memory connections status headers method",
    defaults=(32, 200, (None, None), "GET"),
)
Contender = namedtuple("Contender", "name server load")


def await_checksums(server):
    """Hashing in the background is over when every package has its digest."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        if all(asset["digest"] for asset in json.loads(fetch(server.url("/latest")))["assets"]):
            return
        time.sleep(0.1)
    raise SystemExit("bench: the checksums do not come")


def fetch(url):
    return subprocess.run(["curl", "-sSf", url], check=True, capture_output=True).stdout


def etag(url):
    head = subprocess.run(["curl", "-sSfI", url], check=True, capture_output=True, text=True).stdout
    return re.search(r"(?im)^etag: (.*?)\s*$", head)[1]


def from_memory(path, text):
    """A location of nginx that answers with this text."""
    parts = [text[at : at + WORD_BYTES_MAX] for at in range(0, len(text), WORD_BYTES_MAX)]
    quoted = [part.replace("\\", "\\\\").replace("'", "\\'") for part in parts]
    sets = "".join(f"set $part{number} '{part}'; " for number, part in enumerate(quoted))
    whole = "".join(f"${{part{number}}}" for number in range(len(parts)))
    if len(parts) == 1:
        sets, whole = "", quoted[0]
    return f"location = {path} {{ {sets}return 200 '{whole}'; }}\n"


class Bench:
    """All servers over the same files: ours with and without a log, and another of ours if asked
    for; nginx in every configuration."""

    def __init__(self, options, work, stack):
        ten, thousand, root = work / "ten", work / "thousand", work / "nginx"
        files = root / "files"
        for folder in (ten, thousand, files):
            folder.mkdir(parents=True)
        for number in range(7):
            (ten / f"small-{number}.zip").write_bytes(os.urandom(100))
        for number in range(1000):
            (thousand / f"spec-kit-template-agent-{number}-sh-v2.17.1.zip").write_bytes(b"x")
        for name, size in {"64k.zip": 64 * KIB, "1m.zip": MIB, "100m.zip": 100 * MIB}.items():
            (ten / name).write_bytes(os.urandom(size))
            os.link(ten / name, files / name)
        (files / "healthz").write_text("OK\n")
        # Of this server's programs: one on each folder, with and without a log.
        self.ours = {}
        for binary in filter(None, (options.binary, options.also)):
            for folder in (ten, thousand):
                for logging, level in ((True, "info"), (False, "warn")):
                    server = Ours(binary, folder, LOG_LEVEL=level)
                    stack.callback(server.stop)
                    await_checksums(server)
                    self.ours[binary, folder.name, logging] = server
        for folder, name in (("ten", "latest-10"), ("thousand", "latest-1000")):
            server = self.ours[options.binary, folder, False]
            (files / name).write_bytes(fetch(server.url("/latest")))
        memory = from_memory("/memory-healthz", "OK\n")
        memory += from_memory("/memory-latest-10", (files / "latest-10").read_text())
        memory += "location = /newest { return 302 /assets/64k.zip; }\n"
        self.nginx = Nginx(root, memory)
        stack.callback(self.nginx.stop)
        for port in self.nginx.ports.values():
            await_ready(port, "/healthz")
        self.options = options
        # The configurations of nginx that each row is measured beside.
        self.chosen = {}

    def nginx_url(self, variant, logging, path):
        return f"http://127.0.0.1:{self.nginx.ports[variant, logging]}{path}"

    def rows(self):
        close = ("Connection: close",) * 2
        part = ("Range: bytes=5000-6023",) * 2
        newest = "/latest/download/64*"
        tiny, latest = ("ten", "/healthz", "/healthz"), ("ten", "/latest", "/latest-10")

        def file(name):
            return "ten", f"/assets/{name}.zip", f"/{name}.zip", None

        return [
            Row("tiny answer", *tiny, "/memory-healthz"),
            Row("a connection a request", *tiny, "/memory-healthz", headers=close),
            Row("304", *latest, None, status=304),
            Row("`/latest`, 10 packages", *latest, "/memory-latest-10"),
            Row("`/latest`, 1,000 packages", "thousand", "/latest", "/latest-1000", None, 16),
            Row("302 of `/latest/download/…`", "ten", newest, None, "/newest", status=302),
            Row("HEAD of a file", *file("64k"), method="HEAD"),
            Row("1 KiB range of 100 MiB", *file("100m"), status=206, headers=part),
            Row("64 KiB", *file("64k")),
            Row("1 MiB", *file("1m"), 16),
            Row("100 MiB, one client", *file("100m"), 1),
            Row("100 MiB, four clients", *file("100m"), 4),
        ]

    def contenders(self, row, logging):
        """Ours, the other of ours, and nginx in every configuration that can answer."""
        rest = (row.connections, row.status)

        def header(url, given):
            # The tag of an answer with URLs in it is another one on each port.
            return f"If-None-Match: {etag(url)}" if row.status == 304 else given

        def own(binary, name):
            server = self.ours[binary, row.folder, logging]
            url = server.url(row.path)
            load = Load(url, *rest, header(url, row.headers[0]), row.method)
            return Contender(name, server, load)

        ours = [own(self.options.binary, "this server")]
        if self.options.also:
            ours.append(own(self.options.also, "the other server"))
        urls = {}
        if row.reference:
            for variant in NGINX_VARIANTS:
                urls[variant] = self.nginx_url(variant, logging, row.reference)
        if row.memory:
            urls["return"] = self.nginx_url("tcp_nopush on", logging, row.memory)
        references = []
        for name, url in urls.items():
            load = Load(url, *rest, header(url, row.headers[1]), row.method)
            references.append(Contender(name, self.nginx, load))
        return ours, references

    def empty_logs(self):
        for server in (self.nginx, *self.ours.values()):
            server.empty_log()

    def rounds(self, contenders, measured):
        """The runs of each contender, by name; the order moves on with each round."""
        runs = {contender.name: [] for contender in contenders}
        for number in range(self.options.rounds):
            at = number % len(contenders)
            for contender in contenders[at:] + contenders[:at]:
                runs[contender.name].append(measured(contender))
                self.empty_logs()
        return runs

    def best(self, row, references):
        """Those with the highest rate and, where it is clearly another, with the least CPU time in
        a first run. The choice holds for the row with and without a log."""
        if row.name not in self.chosen:
            runs = {one: measure(one.server, one.load, 1) for one in references}
            by_rate = max(references, key=lambda one: runs[one].rate)
            by_cpu = min(references, key=lambda one: runs[one].cpu_us)
            is_other = runs[by_cpu].cpu_us < CLEARLY_LESS * runs[by_rate].cpu_us
            self.chosen[row.name] = [by_rate.name, *([by_cpu.name] if is_other else [])]
        return [one for one in references if one.name in self.chosen[row.name]]

    def compare(self, table, row, logging):
        ours, references = self.contenders(row, logging)
        seconds = self.options.seconds
        for one in ours:
            measure(one.server, one.load, 1)
        contenders = [*ours, *self.best(row, references)]
        runs = self.rounds(contenders, lambda one: measure(one.server, one.load, seconds))
        self.show(table, row.name, runs)

    def show(self, table, name, runs):
        own = runs.pop("this server")
        other = runs.pop("the other server", None)
        table.compared(name, own, runs)
        if other:
            table.compared(f"{name}, the other server", other, runs, counts=False)

    def beside_downloads(self, table, logging):
        """Tiny answers while four clients download 100 MiB again and again."""
        name = "tiny beside four downloads"
        small = Row(name, "ten", "/healthz", "/healthz", None, 8)
        large = Row("the downloads beside it", "ten", "/assets/100m.zip", "/100m.zip", None, 4)
        pairs = []
        for mine, theirs in zip(self.contenders(small, logging), self.contenders(large, logging)):
            pairs += zip(mine, theirs)
        downloads = {one.name: other.load for one, other in pairs}
        seconds = self.options.seconds

        def measured(one):
            return measure_beside(one.load, downloads[one.name], seconds)

        kept = ("this server", "the other server", "tcp_nopush on")
        both = self.rounds([one for one, _ in pairs if one.name in kept], measured)
        for row, at in ((small, 0), (large, 1)):
            runs = {key: [pair[at] for pair in pairs] for key, pairs in both.items()}
            self.show(table, row.name, runs)


def bench_rates(table, options, work):
    with contextlib.ExitStack() as stack:
        bench = Bench(options, work, stack)
        for logging in {"on": [True], "off": [False], "both": [False, True]}[options.logging]:
            print(f"\nBoth servers {'log each request' if logging else 'without a log'}:")
            table.compared_head()
            for row in bench.rows():
                if chosen(options.rows, row.name):
                    bench.compare(table, row, logging)
            if chosen(options.rows, "tiny beside four downloads"):
                bench.beside_downloads(table, logging)


def add_options(parser):
    parser.add_argument("--also", help="the program of another version, to be measured beside")
    parser.add_argument("--rows", default="", help="a regular expression: only rows with it")
    parser.add_argument("--logging", choices=("on", "off", "both"), default="both")


def main():
    options = parse_options("bench.sh", "measures this server beside nginx", add_options)
    processor = re.search(r"model name\s*: (.*)", pathlib.Path("/proc/cpuinfo").read_text())
    shown = processor[1] if processor else platform.machine()
    version = subprocess.run(["nginx", "-v"], capture_output=True, text=True).stderr
    print(
        f"{os.cpu_count()} × {shown}, Linux {platform.release().split('-')[0]},"
        f" nginx {version.strip().split('/')[-1]}; {options.rounds} rounds of {options.seconds} s"
    )
    work = pathlib.Path(tempfile.mkdtemp(prefix="bench-"))
    table = Table()
    try:
        bench_rates(table, options, work)
        bench_budgets(table, options, work)
    finally:
        shutil.rmtree(work)
    table.conclude()


if __name__ == "__main__":
    main()
