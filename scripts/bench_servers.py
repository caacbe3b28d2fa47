"""The servers that scripts/bench.sh and its relatives measure: this one, and nginx.

Invariants: every server listens on 127.0.0.1, on a port that the system chose; nginx runs as one
process group with a port for each configuration, none with `reuseport`, as this server has none.
"""

import os
import pathlib
import re
import socket
import subprocess
import time

TOKEN = "bench-token"
KIB, MIB = 1024, 1024 * 1024


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
        """CPU time of all threads, to the nanosecond: the usual counters tick every 10 ms."""
        folders = (pathlib.Path(f"/proc/{pid}/task") for pid in self.pids())
        stats = (task / "schedstat" for folder in folders for task in folder.iterdir())
        return sum(int(stat.read_text().split()[0]) for stat in stats) / 1e9

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
    """This server over a directory, which may be shared."""

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
        self.log_path = root.parent / f"{root.name}-{self.port}.log"
        with open(self.log_path, "ab") as log:
            super().__init__([binary], env=environment, stdout=log)
        await_ready(int(settings.get("HTTP_PORT", self.port)), "/readyz")

    def url(self, path):
        return f"http://127.0.0.1:{self.port}{path}"

    def empty_log(self):
        """Nobody pays for writing back the log of an earlier run."""
        os.truncate(self.log_path, 0)

    def put(self, path, name):
        command = ["curl", "-sSf", "-o", "/dev/null", "-T", str(path)]
        credentials = ["-H", f"Authorization: Bearer {TOKEN}"]
        return subprocess.Popen(
            [*command, *credentials, self.url(f"/assets/{name}?overwrite=true")]
        )


# Every combination is measured, and the better one counts.
NGINX_VARIANTS = {
    "tcp_nopush on": "tcp_nopush on;",
    "tcp_nopush off": "tcp_nopush off;",
    "open_file_cache, tcp_nopush on": "tcp_nopush on; {cache}",
    "open_file_cache, tcp_nopush off": "tcp_nopush off; {cache}",
}
CACHE = """open_file_cache max=1000 inactive=60s; open_file_cache_valid 60s;
    open_file_cache_min_uses 1;"""

NGINX = """
{user} worker_processes auto; daemon off; pid {root}/nginx.pid; error_log {root}/error.log;
events {{ worker_connections 8192; }}
http {{
  sendfile on; keepalive_requests 1000000000; default_type application/json;
  client_body_temp_path {root}/body; proxy_temp_path {root}/proxy; fastcgi_temp_path {root}/fastcgi;
  uwsgi_temp_path {root}/uwsgi; scgi_temp_path {root}/scgi;
  {tls}
  {servers}
}}
"""

SERVER = """server {{
    listen 127.0.0.1:{port} {ssl}; root {files}; {log} {variant}
    {locations}
  }}
"""


class Nginx(Process):
    """nginx over `root/files`: a port for each variant, with and without a log."""

    def __init__(self, root, locations="", tls=""):
        self.log_path = root / "access.log"
        logs = {True: f"access_log {self.log_path} combined buffer=64k flush=1s;"}
        logs[False] = "access_log off;"
        self.ports, servers = {}, []
        for name, variant in NGINX_VARIANTS.items():
            for logging, log in logs.items():
                port = self.ports[name, logging] = free_port()
                values = {"ssl": "ssl" if tls else "", "locations": locations, "log": log}
                values |= {"variant": variant.format(cache=CACHE), "files": root / "files"}
                servers.append(SERVER.format(port=port, **values))
        configuration = root / "nginx.conf"
        # Started by root, nginx would read the files as a user without permission.
        user = "user root;" if os.geteuid() == 0 else ""
        values = {"user": user, "root": root, "tls": tls, "servers": "".join(servers)}
        configuration.write_text(NGINX.format(**values))
        super().__init__(["nginx", "-c", str(configuration)], stderr=subprocess.DEVNULL)

    def empty_log(self):
        os.truncate(self.log_path, 0)
