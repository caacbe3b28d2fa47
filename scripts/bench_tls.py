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
import socket
import ssl
import statistics
import subprocess
import tempfile
import time

import bench
from bench import KIB, MIB, TOKEN, Ours, Process, Table, free_port, parse_options, wrk

CLIENTS = 4
IDLE_CONNECTIONS = 5000

NGINX = """
{user} worker_processes auto; daemon off; pid {root}/nginx.pid; error_log {root}/error.log;
events {{ worker_connections 8192; }}
http {{
  access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000000;
  ssl_certificate {pair}/tls.crt; ssl_certificate_key {pair}/tls.key;
  ssl_protocols TLSv1.2 TLSv1.3; ssl_session_cache off; ssl_session_tickets on;
  client_body_temp_path {root}/body; proxy_temp_path {root}/proxy; fastcgi_temp_path {root}/fastcgi;
  uwsgi_temp_path {root}/uwsgi; scgi_temp_path {root}/scgi;
  client_max_body_size 0;
  server {{ listen 127.0.0.1:{port} ssl; root {root}/files; location /put.zip {{ dav_methods PUT; }} }}
}}
"""


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
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context.wrap_socket(socket.create_connection(("127.0.0.1", port), 30))


class OursOverTls(Ours):
    """This server with the pair; readiness is asked over HTTP in clear."""

    def __init__(self, binary, root, pair):
        files = {"TLS_CERTIFICATE": str(pair / "tls.crt"), "TLS_KEY": str(pair / "tls.key")}
        super().__init__(binary, root, HTTP_PORT=str(free_port()), **files)

    def url(self, path):
        return f"https://127.0.0.1:{self.port}{path}"


def handshakes(server, port, seconds, kind):
    """Handshakes a second, and CPU microseconds each."""
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
    return total / elapsed, (server.cpu_seconds() - cpu) / total * 1e6


def requests(server, url, connections, seconds):
    cpu, started = server.cpu_seconds(), time.monotonic()
    count = wrk(url, connections, seconds)
    elapsed = time.monotonic() - started
    return count / elapsed, (server.cpu_seconds() - cpu) / count * 1e6


def upload(server, url, source):
    """Uploads of 100 MiB a second, and CPU microseconds each."""
    cpu, started = server.cpu_seconds(), time.monotonic()
    command = ["curl", "-sSfk", "-o", "/dev/null", "-H", f"Authorization: Bearer {TOKEN}"]
    subprocess.run([*command, "-T", str(source), url], check=True)
    elapsed = time.monotonic() - started
    return 1 / elapsed, (server.cpu_seconds() - cpu) * 1e6


def upload_and_keep(upload_to_nginx, stored):
    """An upload with what this server does besides: a checksum, and the bytes on the disk."""
    started, (_, cpu) = time.monotonic(), upload_to_nginx()
    own = time.process_time()
    with open(stored, "rb") as file:
        hashlib.file_digest(file, "sha256")
        os.fsync(file.fileno())
    rate = 1 / (time.monotonic() - started)
    return rate, cpu + (time.process_time() - own) * 1e6


def bench_beside_nginx(table, binary, work, pair, options):
    ours_files, nginx_files = work / "ours", work / "nginx" / "files"
    for folder in (ours_files, nginx_files):
        folder.mkdir(parents=True)
    for name, size in (("64k.zip", 64 * KIB), ("100m.zip", 100 * MIB)):
        (ours_files / name).write_bytes(os.urandom(size))
        os.link(ours_files / name, nginx_files / name)
    (nginx_files / "healthz").write_text("OK\n")
    port = free_port()
    user = "user root;" if os.geteuid() == 0 else ""
    configuration = work / "nginx" / "nginx.conf"
    configuration.write_text(NGINX.format(user=user, root=work / "nginx", pair=pair, port=port))
    with contextlib.ExitStack() as stack:
        ours = OursOverTls(binary, ours_files, pair)
        stack.callback(ours.stop)
        nginx = Process(["nginx", "-c", str(configuration)], stderr=subprocess.DEVNULL)
        stack.callback(nginx.stop)
        await_tls(port)
        seconds = options.seconds

        def shake(kind):
            return [
                lambda: handshakes(ours, ours.port, seconds, kind),
                lambda: handshakes(nginx, port, seconds, kind),
            ]

        def both(call, path_of_ours, path, *rest):
            return [
                lambda: call(ours, ours.url(path_of_ours), *rest),
                lambda: call(nginx, f"https://127.0.0.1:{port}{path}", *rest),
            ]

        files = "/assets/64k.zip", "/64k.zip", "/assets/100m.zip", "/100m.zip"
        source, stored = ours_files / "100m.zip", nginx_files / "put.zip"
        uploads = both(upload, "/assets/put.zip?overwrite=true", "/put.zip", source)

        def keep():
            return upload_and_keep(uploads[1], stored)

        workloads = [
            ("full handshake", shake("-new")),
            ("resumed handshake", shake("-reuse")),
            ("tiny answer, kept alive", both(requests, "/healthz", "/healthz", 32, seconds)),
            ("download of 64 KiB", both(requests, *files[:2], 32, seconds)),
            # Some five a second, so a short run would count few.
            ("download of 100 MiB", both(requests, *files[2:], 4, 3 * seconds)),
            ("upload of 100 MiB", [uploads[0], keep]),
        ]
        for name, calls in workloads:
            runs = []
            for number in range(options.rounds):
                order = -1 if number % 2 else 1
                runs.append([call() for call in calls[::order]][::order])
            bench.compare(table, name, runs, rate_min=0.9, cpu_max=1.1)


def bench_idle(table, binary, work, pair):
    storage = work / "idle"
    storage.mkdir()
    server = OursOverTls(binary, storage, pair)
    connect(server.port).close()
    idle, own = server.status_kib("VmRSS"), server.status_kib("RssAnon")
    table.row("memory, idle with TLS", f"{idle / KIB:.2f} MiB", "", "", "≤ 4 MiB", idle <= 4 * KIB)
    name = "memory, idle with TLS, without the program's file"
    table.row(name, f"{own / KIB:.2f} MiB", "", "", "≤ 1 MiB", own <= KIB)
    connections = [connect(server.port) for _ in range(IDLE_CONNECTIONS)]
    each = (server.status_kib("VmRSS") - idle) / IDLE_CONNECTIONS
    name = f"memory, each of {IDLE_CONNECTIONS:,} idle TLS connections"
    table.row(name, f"{each:.2f} KiB", "", "", "≤ 8 KiB", each <= 8)
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

    pairs = [(seconds(over_tls), seconds(in_clear)) for _ in range(rounds)]
    ratio = statistics.median(tls / clear for tls, clear in pairs)
    medians = [f"{statistics.median(column) * 1000:.0f} ms" for column in zip(*pairs)]
    table.row("upload of 100 MiB, beside HTTP", *medians, f"{ratio:.2f} ×", "", True)
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
        bench_idle(table, options.binary, work, pair)
        bench_upload(table, options.binary, work, pair, options.rounds)
    finally:
        shutil.rmtree(work)
    missed = ", ".join(table.missed)
    print(f"\n{len(table.missed)} missed: {missed}" if missed else "\nEvery budget is met.")


if __name__ == "__main__":
    main()
