"""The workloads of scripts/bench.sh --tls: HTTPS by this server beside nginx's, same certificate.

Invariants: as in bench.py. Both servers choose TLS 1.3 with AES-256-GCM for wrk, since both let
OpenSSL's client choose. Handshakes are those of `openssl s_time`: four clients, one after another
each; resumed ones are TLS 1.2, as s_time reads no ticket of TLS 1.3. nginx's uploads are those of
its WebDAV module, which computes no checksum and syncs nothing: that is done after each.
"""

import concurrent.futures
import contextlib
import hashlib
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import time
from urllib.parse import urlsplit

import bench_budgets
import bench_load
from bench_load import Load, Run, measure
from bench_servers import KIB, MIB, TOKEN, Nginx, Ours, free_port
from bench_table import CPU, RATE, Table, parse_options

CLIENTS = 4
IDLE_CONNECTIONS = 5000
VARIANT = "tcp_nopush on"
BOUNDS = (RATE._replace(limit=0.9), CPU._replace(limit=1.1))

NGINX_TLS = """
  ssl_certificate {pair}/tls.crt; ssl_certificate_key {pair}/tls.key;
  ssl_protocols TLSv1.2 TLSv1.3; ssl_session_cache off; ssl_session_tickets on;
"""
PUT_LOCATION = "location /put.zip { dav_methods PUT; client_max_body_size 0; }"


def make_pair(folder):
    folder.mkdir()
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2"
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    files = ["-keyout", folder / "tls.key", "-out", folder / "tls.crt"]
    subprocess.run([*command.split(), *names, *files], check=True, stderr=subprocess.DEVNULL)


def await_tls(port):
    end = time.monotonic() + 30
    while time.monotonic() < end:
        with contextlib.suppress(OSError):
            connect(port).close()
            return
        time.sleep(0.02)
    raise SystemExit(f"bench: nothing speaks TLS on port {port}")


def connect(port):
    return bench_load.connect(urlsplit(f"https://127.0.0.1:{port}"))


class OursOverTls(Ours):
    """This server with the pair; readiness is asked over HTTP in clear."""

    def __init__(self, binary, root, pair):
        files = {"TLS_CERTIFICATE": str(pair / "tls.crt"), "TLS_KEY": str(pair / "tls.key")}
        super().__init__(binary, root, HTTP_PORT=str(free_port()), **files)

    def url(self, path):
        return f"https://127.0.0.1:{self.port}{path}"


def handshakes(server, port, seconds, kind):
    """A run of handshakes."""
    version = "-tls1_2" if kind == "-reuse" else "-tls1_3"
    command = ["openssl", "s_time", "-connect", f"127.0.0.1:{port}", kind, version]
    cpu, started = server.cpu_seconds(), time.monotonic()

    def count(_):
        run = subprocess.run(
            [*command, "-time", str(seconds)], check=True, capture_output=True, text=True
        )
        return int(re.search(r"(\d+) connections in \d+ real seconds", run.stdout)[1])

    with concurrent.futures.ThreadPoolExecutor(CLIENTS) as pool:
        total = sum(pool.map(count, range(CLIENTS)))
    elapsed = time.monotonic() - started
    return Run(total / elapsed, (server.cpu_seconds() - cpu) / total * 1e6, None, None)


def upload(server, url, source):
    """A run of one upload."""
    cpu, started = server.cpu_seconds(), time.monotonic()
    command = ["curl", "-sSfk", "-o", "/dev/null", "-H", f"Authorization: Bearer {TOKEN}"]
    subprocess.run([*command, "-T", str(source), url], check=True)
    elapsed = time.monotonic() - started
    return Run(1 / elapsed, (server.cpu_seconds() - cpu) * 1e6, None, None)


def upload_and_keep(upload_to_nginx, stored):
    """An upload with what this server does besides: a checksum, and the bytes on the disk."""
    started, run = time.monotonic(), upload_to_nginx()
    own = time.process_time()
    with open(stored, "rb") as file:
        hashlib.file_digest(file, "sha256")
        os.fsync(file.fileno())
    own = (time.process_time() - own) * 1e6
    return Run(1 / (time.monotonic() - started), run.cpu_us + own, None, None)


def bench_beside_nginx(table, binary, work, pair, options):
    ours_files, root = work / "ours", work / "nginx"
    nginx_files = root / "files"
    for folder in (ours_files, nginx_files):
        folder.mkdir(parents=True)
    for name, size in (("64k.zip", 64 * KIB), ("100m.zip", 100 * MIB)):
        (ours_files / name).write_bytes(os.urandom(size))
        os.link(ours_files / name, nginx_files / name)
    (nginx_files / "healthz").write_text("OK\n")
    seconds = options.seconds
    with contextlib.ExitStack() as stack:
        ours = OursOverTls(binary, ours_files, pair)
        stack.callback(ours.stop)
        nginx = Nginx(root, locations=PUT_LOCATION, tls=NGINX_TLS.format(pair=pair))
        stack.callback(nginx.stop)
        # This server logs each request; nginx does not.
        port = nginx.ports[VARIANT, False]
        await_tls(port)

        def shake(kind):
            return [
                lambda: handshakes(ours, ours.port, seconds, kind),
                lambda: handshakes(nginx, port, seconds, kind),
            ]

        def fetch(name, path, connections):
            urls = ours.url(path), f"https://127.0.0.1:{port}/{name}"
            return [
                lambda: measure(ours, Load(urls[0], connections), seconds),
                lambda: measure(nginx, Load(urls[1], connections), seconds),
            ]

        def put():
            source, stored = ours_files / "100m.zip", nginx_files / "put.zip"
            url = ours.url("/assets/put.zip?overwrite=true")
            other = f"https://127.0.0.1:{port}/put.zip"
            return [
                lambda: upload(ours, url, source),
                lambda: upload_and_keep(lambda: upload(nginx, other, source), stored),
            ]

        workloads = [
            ("full handshake", shake("-new")),
            ("resumed handshake", shake("-reuse")),
            ("tiny answer, kept alive", fetch("healthz", "/healthz", 32)),
            ("64 KiB", fetch("64k.zip", "/assets/64k.zip", 32)),
            ("100 MiB", fetch("100m.zip", "/assets/100m.zip", 4)),
            ("upload of 100 MiB", put()),
        ]
        table.head("Workload", "nginx", "rate", "CPU a request", "")
        for name, calls in workloads:
            runs = []
            for number in range(options.rounds):
                order = -1 if number % 2 else 1
                runs.append([call() for call in calls[::order]][::order])
            own, other = map(list, zip(*runs))
            table.compared(name, own, {VARIANT: other}, BOUNDS)


def bench_idle(table, binary, work, pair):
    storage = work / "idle"
    storage.mkdir()
    server = OursOverTls(binary, storage, pair)
    connect(server.port).close()
    idle = server.status_kib("VmRSS")
    bench_budgets.bench_idle(table, server, "memory, idle with TLS")
    connections = [connect(server.port) for _ in range(IDLE_CONNECTIONS)]
    each = (server.status_kib("VmRSS") - idle) / IDLE_CONNECTIONS
    name = f"memory, each of {IDLE_CONNECTIONS:,} idle TLS connections"
    table.budget(name, "{:.2f} KiB", [each], limit=8)
    for connection in connections:
        connection.close()
    server.stop()


def bench_upload(table, binary, work, pair, rounds):
    source = work / "source"
    source.write_bytes(os.urandom(100 * MIB))
    (work / "https").mkdir()
    (work / "http").mkdir()
    over_tls, in_clear = OursOverTls(binary, work / "https", pair), Ours(binary, work / "http")

    def seconds(server):
        started = time.monotonic()
        command = ["curl", "-sSfk", "-o", "/dev/null", "-H", f"Authorization: Bearer {TOKEN}"]
        url = server.url("/assets/a.zip?overwrite=true")
        subprocess.run([*command, "-T", str(source), url], check=True)
        return time.monotonic() - started

    pairs = [(seconds(over_tls) * 1000, seconds(in_clear) * 1000) for _ in range(rounds)]
    table.budget("upload of 100 MiB, beside HTTP", "{:.0f} ms", *map(list, zip(*pairs)))
    over_tls.stop()
    in_clear.stop()


def main():
    options = parse_options("bench.sh --tls", "measures HTTPS beside nginx's")
    work = pathlib.Path(tempfile.mkdtemp(prefix="bench-tls-"))
    try:
        pair = work / "pair"
        make_pair(pair)
        table = Table()
        bench_beside_nginx(table, options.binary, work, pair, options)
        table.budget_head()
        bench_idle(table, options.binary, work, pair)
        bench_upload(table, options.binary, work, pair, options.rounds)
    finally:
        shutil.rmtree(work)
    table.conclude()


if __name__ == "__main__":
    main()
