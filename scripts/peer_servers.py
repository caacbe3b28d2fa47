"""This server and its peers in scripts/peers.py, each configured as its documentation recommends.

Invariants: each has a directory of its own, which holds all that it writes of an upload on one file
system, and logs each request; the same few calls publish to and fetch from all of them.
"""

import base64
import contextlib
import http.client
import os
import pathlib
import socket
import subprocess

from bench_servers import KIB, TOKEN, Ours, Process, await_ready, free_port

PASSWORD = "Basic " + base64.b64encode(f"release:{TOKEN}".encode()).decode()

NGINX = """
{user} worker_processes auto; daemon off; pid {own}/nginx.pid; error_log {own}/error.log;
events {{ worker_connections 2048; }}
http {{
  access_log {own}/access.log; sendfile on; tcp_nopush on; keepalive_requests 1000000000;
  client_max_body_size 0; client_body_temp_path {aside}; proxy_temp_path {own}/proxy;
  fastcgi_temp_path {own}/fastcgi; uwsgi_temp_path {own}/uwsgi;
  scgi_temp_path {own}/scgi;
  server {{
    listen 127.0.0.1:{port} {tls}; root {files}; autoindex on;
    location / {{
      dav_methods PUT DELETE;
      limit_except GET {{ auth_basic packages; auth_basic_user_file {own}/passwords; }}
    }}
  }}
}}
"""


class Server:
    """The common part: how a file is published and fetched. Packages are in `files`; `aside`, on
    the same disk, is for servers that need a folder for uploads; `own` is for logs and settings."""

    authorization, read_authorization, replacing = PASSWORD, None, ""
    ready = "/"

    def __init__(self, root, replace=False, tls=False, keep=0):
        self.replace, self.tls, self.keep = replace, tls, keep
        self.files, self.aside, self.own = root / "data/files", root / "data/aside", root / "own"
        for folder in (self.files, self.aside, self.own):
            folder.mkdir(parents=True)
        if tls:
            command = [
                "openssl",
                "req",
                "-x509",
                "-newkey",
                "rsa:2048",
                "-nodes",
                "-subj",
                "/CN=localhost",
                "-days",
                "2",
            ]
            files = ["-keyout", self.own / "pair.pem", "-out", self.own / "certificate"]
            subprocess.run([*command, *files], check=True, capture_output=True)
            with open(self.own / "pair.pem", "a") as pair:
                pair.write((self.own / "certificate").read_text())
        self.launch()

    def launch(self):
        self.port = free_port()
        with open(self.own / "log", "ab") as log:
            Process.__init__(self, [str(word) for word in self.command()], stdout=log, stderr=log)
        if self.tls:
            return
        try:
            await_ready(self.port, self.ready)
        except SystemExit:
            self.stop()
            raise

    def tls_words(self):
        return (
            ["--tls-cert", self.own / "certificate", "--tls-key", self.own / "pair.pem"]
            if self.tls
            else []
        )

    def upload(self, name):
        """Method, path and header of a publish, and what goes before and behind the file."""
        return "PUT", self.path(name) + (self.replacing if self.replace else ""), {}, b"", b""

    def path(self, name):
        return f"/{name}"

    def url(self, name):
        return f"http://127.0.0.1:{self.port}{self.path(name)}"

    def curl(self, source, name):
        return ["-T", source, self.url(name)]

    def run_curl(self, source, name, *options):
        credentials = ["-H", f"Authorization: {self.authorization}"]
        command = [
            "curl",
            "-sS",
            "-m",
            "60",
            "-o",
            os.devnull,
            *options,
            *credentials,
            *self.curl(source, name),
        ]
        return subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )

    @contextlib.contextmanager
    def ask(self, method, path, body=None, headers=None, seconds=20):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=seconds)
        with contextlib.closing(connection):
            connection.request(method, path, body, headers or {})
            yield connection.getresponse()

    def get(self, name, seconds=20, **headers):
        """Status, header and body."""
        headers = {key.replace("_", "-"): value for key, value in headers.items()}
        if self.read_authorization:
            headers.setdefault("Authorization", self.read_authorization)
        with self.ask("GET", self.path(name), headers=headers, seconds=seconds) as answer:
            return answer.status, answer.headers, answer.read()

    def publish(self, name, content, headers=None, authorization=None):
        method, path, own, before, behind = self.upload(name)
        credentials = self.authorization if authorization is None else authorization
        headers = {
            **({"Authorization": credentials} if credentials else {}),
            **own,
            **(headers or {}),
        }
        with self.ask(method, path, before + content + behind, headers) as answer:
            return answer.status

    def begin(self, name, content, sent, headers=None):
        """A connection on which so many bytes of an upload have been sent."""
        method, path, own, before, behind = self.upload(name)
        length = len(before) + len(content) + len(behind)
        needed = {
            "Host": "localhost",
            "Authorization": self.authorization,
            "Content-Length": length,
        }
        headers = {**needed, **own, **(headers or {})}
        head = "".join(f"{key}: {value}\r\n" for key, value in headers.items())
        connection = socket.create_connection(("127.0.0.1", self.port), 5)
        connection.sendall(
            f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode() + before + content[:sent]
        )
        return connection

    def pids(self):
        """Process.pids with the children of children."""
        found = [self.process.pid]
        for pid in found:
            for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
                # A thread may have ended meanwhile.
                with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                    found += map(int, (task / "children").read_text().split())
        return found

    def pss_mib(self):
        """Memory, where a page that n processes share counts as an nth for each."""
        rollups = (pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text() for pid in self.pids())
        return sum(int(rollup.split("\nPss:")[1].split()[0]) for rollup in rollups) / KIB


class ReleaseServer(Server, Ours):
    tool, authorization, replacing = "this server", f"Bearer {TOKEN}", "?overwrite=true"
    binary = None

    def launch(self):
        Ours.__init__(self, self.binary, self.files, MAX_PACKAGES=str(self.keep))

    def path(self, name):
        return f"/assets/{name}"


class Nginx(Server, Process):
    tool = "nginx"

    def command(self):
        # Started by root, nginx would run as a user who may not write here.
        user = "user root;" if os.geteuid() == 0 else ""
        (self.own / "passwords").write_text(f"release:{{PLAIN}}{TOKEN}\n")
        tls = (
            f"ssl; ssl_certificate {self.own}/pair.pem; ssl_certificate_key {self.own}/pair.pem"
            if self.tls
            else ""
        )
        values = {"user": user, "port": self.port, "tls": tls}
        (self.own / "nginx.conf").write_text(
            NGINX.format(own=self.own, files=self.files, aside=self.aside, **values)
        )
        return ["nginx", "-c", self.own / "nginx.conf"]


class Dufs(Server, Process):
    tool = "dufs"

    def command(self):
        # Without the permission to delete, it refuses to replace.
        replace = ["--allow-delete"] if self.replace else []
        rules = ["--auth", f"release:{TOKEN}@/:rw", "--auth", "@/"]
        basic = ["dufs", "-b", "127.0.0.1", "-p", self.port, "--allow-upload", "--allow-hash"]
        return [*basic, *replace, *rules, *self.tls_words(), self.files]


class Miniserve(Server, Process):
    tool, read_authorization, ready = "miniserve", PASSWORD, "/__miniserve_internal/healthcheck"

    def command(self):
        known = [
            "--on-duplicate-files",
            "overwrite" if self.replace else "error",
            "--temp-directory",
            self.aside,
        ]
        basic = [
            "miniserve",
            "-v",
            "-i",
            "127.0.0.1",
            "-p",
            self.port,
            "-u",
            "-a",
            f"release:{TOKEN}",
        ]
        return [*basic, *known, *self.tls_words(), self.files]

    def upload(self, name):
        part = f'--edge\r\nContent-Disposition: form-data; name="path"; filename="{name}"\r\n\r\n'
        kind = {"Content-Type": "multipart/form-data; boundary=edge"}
        return "POST", "/upload?path=/", kind, part.encode(), b"\r\n--edge--\r\n"

    def curl(self, source, name):
        return [
            "-F",
            f"path=@{source};filename={name}",
            f"http://127.0.0.1:{self.port}/upload?path=/",
        ]


class Copyparty(Server, Process):
    tool = "copyparty"

    def command(self):
        # Without these options it bans a test that repeatedly asks for a missing file, refuses a
        # tmpfs, and uses one core.
        allowed = ["--ban-404", "no", "--wram", "-j", "0"]
        rights = ["-a", f"release:{TOKEN}", "-v", f"{self.files}::r:rwd,release"]
        tls = ["--cert", self.own / "pair.pem"] if self.tls else ["--http-only"]
        return [
            "copyparty",
            "-i",
            "127.0.0.1",
            "-p",
            self.port,
            "--hist",
            self.own,
            *allowed,
            *rights,
            *tls,
        ]

    def upload(self, name):
        return "PUT", self.path(name), {"Replace": "yes"} if self.replace else {}, b"", b""
