"""The load of scripts/bench.sh: wrk and ab, with every answer checked.

Invariants: a run counts only if no answer failed and the bytes of all answers are those of as many
answers as the one that was looked at before, status included, so that an answer with another status
or another length ends the measurement; CPU time is that of the server alone.
"""

import csv
import pathlib
import socket
import ssl
import subprocess
import tempfile
import time
from collections import namedtuple
from urllib.parse import urlsplit

from bench_servers import MIB

# Milliseconds are None where a run has too few answers for them.
Run = namedtuple("Run", "rate cpu_us p99_ms worst_ms")
Load = namedtuple("Load", "url connections status header method", defaults=(200, None, "GET"))

# With fewer answers a run has no 99th percentile worth the name.
PERCENTILE_ANSWERS = 500
# A run ends in the middle of as many answers as it has connections; at this size they are too many
# to ignore, and answers are counted by their bytes.
LARGE_BYTES = 10 * MIB

# Made once: it reads all certificates of the system.
TLS = ssl.create_default_context()
TLS.check_hostname, TLS.verify_mode = False, ssl.CERT_NONE

REPORT = """
done = function(summary, latency)
  local errors = summary.errors
  io.write(string.format("\\nbench %d %d %d %d %d %d\\n", summary.requests, summary.bytes,
    summary.duration, latency:percentile(99), latency.max,
    errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
"""


def connect(parts):
    connection = socket.create_connection((parts.hostname, parts.port), 10)
    if parts.scheme == "http":
        return connection
    return TLS.wrap_socket(connection)


def answer_bytes(load):
    """The length of one answer, head included, whose status is as expected."""
    parts = urlsplit(load.url)
    path = parts.path + (f"?{parts.query}" if parts.query else "")
    lines = [f"{load.method} {path} HTTP/1.1", f"Host: {parts.netloc}"]
    lines += [load.header] if load.header else []
    with connect(parts) as connection:
        connection.sendall("\r\n".join([*lines, "", ""]).encode())
        received = b""
        while b"\r\n\r\n" not in received:
            if not (part := connection.recv(65536)):
                raise SystemExit(f"bench: {load.url}: no answer")
            received += part
    head, _ = received.split(b"\r\n\r\n", 1)
    status, *fields = head.decode().split("\r\n")
    if int(status.split()[1]) != load.status:
        raise SystemExit(f"bench: {load.url}: {status}, expected {load.status}")
    named = dict(field.lower().split(": ", 1) for field in fields)
    bodiless = load.method == "HEAD" or load.status == 304
    return len(head) + 4 + (0 if bodiless else int(named["content-length"]))


def start_wrk(url, connections, seconds, header=None):
    with tempfile.NamedTemporaryFile("w", suffix=".lua", delete=False) as report:
        report.write(REPORT)
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "20s"]
    command += ["-s", report.name, *(["-H", header] if header else []), url]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    process.report = pathlib.Path(report.name)
    return process


def end_wrk(process, url):
    """Answers, bytes, seconds, and the 99th percentile and the worst in milliseconds."""
    output, _ = process.communicate()
    process.report.unlink()
    line = next((line for line in output.splitlines() if line.startswith("bench ")), None)
    if process.returncode or not line:
        raise SystemExit(f"bench: wrk failed on {url}: {output}")
    count, received, duration, p99, worst, errors = map(int, line.split()[1:])
    if errors:
        raise SystemExit(f"bench: {url}: {errors} failed answers")
    return count, received, duration / 1e6, p99 / 1e3, worst / 1e3


def wrk(load, seconds, size):
    """As `end_wrk`, the answers with the parts of large ones; `size`: bytes of one answer, which
    all are compared with."""
    process = start_wrk(load.url, load.connections, seconds, load.header)
    count, received, *times = end_wrk(process, load.url)
    if size >= LARGE_BYTES:
        return received / size, *times
    if abs(received - count * size) > load.connections * size:
        raise SystemExit(f"bench: {load.url}: answers that differ from the first: {received} bytes")
    return count, *times


def ab(load, seconds):
    """As `wrk`, for HEAD, which wrk cannot send."""
    with tempfile.NamedTemporaryFile("r", suffix=".csv") as percentiles:
        command = ["ab", "-q", "-k", "-i", "-c", str(load.connections), "-t", str(seconds)]
        command += ["-n", "100000000", "-e", percentiles.name, load.url]
        run = subprocess.run(command, check=True, capture_output=True, text=True)
        rows = [(int(share), float(value)) for share, value in list(csv.reader(percentiles))[1:]]
    named = dict(line.split(":", 1) for line in run.stdout.splitlines() if ":" in line)
    if int(named["Failed requests"]) or "Non-2xx responses" in named:
        raise SystemExit(f"bench: {load.url}: failed answers to HEAD")
    count, elapsed = named["Complete requests"], named["Time taken for tests"].split()[0]
    return int(count), float(elapsed), dict(rows)[99], rows[-1][1]


def measure(server, load, seconds):
    """A run of this load."""
    size = answer_bytes(load)
    cpu = server.cpu_seconds()
    generate = ab(load, seconds) if load.method == "HEAD" else wrk(load, seconds, size)
    count, elapsed, p99_ms, worst_ms = generate
    cpu_us = (server.cpu_seconds() - cpu) / count * 1e6
    times = (p99_ms, worst_ms) if count >= PERCENTILE_ANSWERS else (None, None)
    return Run(count / elapsed, cpu_us, *times)


def measure_beside(load, other, seconds):
    """Runs of two loads on one server at the same time; CPU time belongs to neither."""
    sizes = [answer_bytes(load), answer_bytes(other)]
    process = start_wrk(other.url, other.connections, seconds + 1, other.header)
    time.sleep(0.3)
    count, elapsed, p99_ms, worst_ms = wrk(load, seconds, sizes[0])
    _, received, other_elapsed, *_ = end_wrk(process, other.url)
    beside = Run(received / sizes[1] / other_elapsed, None, None, None)
    return Run(count / elapsed, None, p99_ms, worst_ms), beside
