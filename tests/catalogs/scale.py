"""Catalogs over many packages: what publishing, starting and rendering cost.

    scale.py SERVER_BINARY [PACKAGES [IDS]]

Publishes PACKAGES packages (10,000) of IDS ids (2,000) of all kinds but bundles, prints the median
of the last hundred publishes and of the first catalogs after one, the memory of the server and the
size of `/catalog.json`; then starts the server again over the same directory and prints how long
it takes until `/readyz` answers 200 and until `/catalog.json` does.
"""

import http.client
import json
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import time

import packages

TOKEN = "a-test-token-for-many-packages"
ROUNDS = 100
KINDS = [kind for kind in packages.KINDS if kind != "bundle"]


class Server:
    """The server over a directory, on a port that the system chose."""

    def __init__(self, binary, directory):
        environment = {
            "AUTH_TOKEN": TOKEN,
            "STORAGE_PATH": str(directory),
            "CONFIG_PATH": "/dev/null",
            "HOST": "127.0.0.1",
            "PORT": "0",
            "MAX_PACKAGES": "0",
            "PUBLIC_URL": "https://packages.example.com",
        }
        self.started = time.monotonic()
        self.log = directory.with_name("log").open("w+")
        self.process = subprocess.Popen([binary], env=environment, stdout=self.log)
        while not (port := self.port()):
            time.sleep(0.001)
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def port(self):
        self.log.seek(0)
        found = re.search(r'"message":"listening".*"address":"[^"]*:(\d+)"', self.log.read())
        return found and int(found[1])

    def ask(self, method, path, content=None):
        """Status and body, and the milliseconds until they were there."""
        started = time.monotonic()
        headers = {"Authorization": f"Bearer {TOKEN}"}
        self.connection.request(method, path, body=content, headers=headers)
        response = self.connection.getresponse()
        body = response.read()
        return response.status, body, (time.monotonic() - started) * 1000

    def seconds_until_200(self, path):
        while self.ask("GET", path)[0] != 200:
            time.sleep(0.005)
        return time.monotonic() - self.started

    def kib(self, key):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text("ascii")
        return int(re.search(rf"{key}:\s+(\d+)", status)[1])

    def memory(self):
        now, most = self.kib("VmRSS") / 1024, self.kib("VmHWM") / 1024
        return f"{now:.1f} MiB, at its most {most:.1f} MiB"

    def stop(self):
        self.process.terminate()
        if self.process.wait(30) != 0:
            raise SystemExit(f"scale.py: the server ended with {self.process.returncode}")


def package(number, ids):
    """The name and content of a package; five kinds share the ids evenly."""
    identifier, version = number % ids, number // ids
    kind = KINDS[identifier % len(KINDS)]
    files = packages.files(kind, f"acme-{kind}-{identifier}", f"1.{version}.0")
    return f"acme-{kind}-{identifier}-v1.{version}.0.zip", packages.archive(files)


def publish_all(server, count, ids):
    publishes, catalogs = [], []
    for number in range(count):
        name, content = package(number, ids)
        status, body, took = server.ask("PUT", f"/assets/{name}?catalog=required", content)
        if status != 201:
            raise SystemExit(f"scale.py: {name}: {status} {body.decode()}")
        if number >= count - ROUNDS:
            publishes.append(took)
            catalogs.append(server.ask("GET", "/catalog.json")[2])
    print(f"publish: {statistics.median(publishes):.1f} ms")
    print(f"first catalog after a publish: {statistics.median(catalogs):.1f} ms")


def main():
    if len(sys.argv) not in (2, 3, 4):
        raise SystemExit(__doc__)
    count, ids = (int(text) for text in (*sys.argv[2:], "10000", "2000")[:2])
    if len(sys.argv) == 3:
        ids = max(1, count // 5)
    with tempfile.TemporaryDirectory(prefix="scale-") as work:
        directory = pathlib.Path(work, "data")
        directory.mkdir()
        server = Server(sys.argv[1], directory)
        publish_all(server, count, ids)
        print(f"memory: {server.memory()}")
        body = server.ask("GET", "/catalog.json")[1]
        listed = sum(len(json.loads(body)[f"{kind}s"]) for kind in KINDS)
        print(f"/catalog.json: {len(body):,} bytes, {listed:,} ids")
        server.stop()
        server = Server(sys.argv[1], directory)
        for path in ("/readyz", "/catalog.json"):
            print(f"start, until {path} is 200: {server.seconds_until_200(path):.3f} s")
        print(f"memory after the start: {server.memory()}")
        if server.ask("GET", "/catalog.json")[1] != body:
            raise SystemExit("scale.py: the catalog differs after the start")
        server.stop()


if __name__ == "__main__":
    main()
