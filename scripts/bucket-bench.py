#!/usr/bin/env python3
"""Measures packages in a bucket of versitygw beside packages in a directory.

    scripts/bucket-bench.py BINARY throughput|memory|objects=COUNT…

throughput: cached downloads of both engines, the first fetch of 100 MiB beside curl's own from the
store, on loopback and over a link of 1 Gbit/s (by toxiproxy), and 34 publishes beside curl's own 34
PUTs. memory: at rest, and with 8 first fetches of 100 MiB. objects: start to ready, LIST, memory,
and what a refresh costs. Medians are printed. The store comes from scripts/bucket-stores.sh; its
objects are written into its folder with the extended attributes that it writes itself.
"""

import hashlib
import json
import os
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

KEY, SECRET = "test-access-key", "test-secret-key"
BEACON = ".release-server/changed"
MIB = 1024 * 1024
ROUNDS = 5


def tool(name):
    cache = os.environ.get("XDG_CACHE_HOME", os.path.expanduser("~/.cache"))
    return os.path.join(cache, "release-server-tools/stores", name)


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Store:
    """versitygw over a folder."""

    def __init__(self, folder):
        self.objects = os.path.join(folder, "objects")
        self.place = os.path.join(self.objects, "test")
        os.makedirs(self.place)
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self.process = subprocess.Popen(
            [tool("versitygw"), "--quiet", "--port", f"127.0.0.1:{port}", "posix", self.objects],
            env=dict(os.environ, ROOT_ACCESS_KEY_ID=KEY, ROOT_SECRET_ACCESS_KEY=SECRET),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        await_port(port)

    def curl(self, *arguments):
        return subprocess.run(
            ["curl", "--silent", "--fail", "--aws-sigv4", "aws:amz:us-east-1:s3"]
            + ["--user", f"{KEY}:{SECRET}"]
            + ["--header", "x-amz-content-sha256: UNSIGNED-PAYLOAD", *arguments],
            check=True,
            capture_output=True,
            text=True,
        ).stdout

    def change(self, name):
        """Publishes an object and notifies servers, as another server does."""
        content = os.urandom(16).hex()
        digest = hashlib.sha256(content.encode()).hexdigest()
        for key, header in ((name, f"x-amz-meta-sha256: {digest}"), (BEACON, "x-amz-meta-a: b")):
            self.curl("--request", "PUT", "--data-binary", content, "--header", header,
                      f"{self.url}/test/{key}")

    def put(self, name, content):
        """Writes an object as versitygw does, without asking it."""
        path = os.path.join(self.place, name)
        with open(path, "wb") as file:
            file.write(content)
        metadata = {"sha256": hashlib.sha256(content).hexdigest(), "upload": "0" * 32}
        metadata["modified"] = str(time.time_ns())
        etag = '"' + hashlib.md5(content, usedforsecurity=False).hexdigest() + '"'
        os.setxattr(path, "user.etag", etag.encode())
        os.setxattr(path, "user.metadata", json.dumps(metadata).encode())
        os.setxattr(path, "user.content-type", b"binary/octet-stream")


def await_port(port):
    for _ in range(1000):
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return
        except OSError:
            time.sleep(0.01)
    raise SystemExit(f"nothing listens at {port}")


class Link:
    """A link of 1 Gbit/s to the store, by toxiproxy."""

    def __init__(self, store):
        control, port = free_port(), free_port()
        self.url = f"http://127.0.0.1:{port}"
        self.process = subprocess.Popen(
            [tool("toxiproxy"), "-host", "127.0.0.1", "-port", str(control)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        await_port(control)
        upstream = store.url.removeprefix("http://")
        proxy = {"name": "store", "listen": f"127.0.0.1:{port}", "upstream": upstream}
        # In KB/s.
        toxic = {"type": "bandwidth", "attributes": {"rate": 125_000}}
        for path, body in (("/proxies", proxy), ("/proxies/store/toxics", toxic)):
            request = urllib.request.Request(
                f"http://127.0.0.1:{control}{path}", json.dumps(body).encode()
            )
            urllib.request.urlopen(request, timeout=10).close()


class Server:
    """A release server; with a store's URL, its packages are there."""

    def __init__(self, binary, folder, store_url=None):
        environment = {"AUTH_TOKEN": "token", "PORT": "0", "HOST": "127.0.0.1"}
        environment.update(CONFIG_PATH="/dev/null", STORAGE_PATH=folder, MAX_PACKAGES="0")
        environment.update(LOG_LEVEL="warn,release_server=info,release_server::request=warn")
        if store_url:
            environment.update(BUCKET="s3://test", BUCKET_ENDPOINT=store_url)
            environment.update(AWS_ACCESS_KEY_ID=KEY, AWS_SECRET_ACCESS_KEY=SECRET)
            environment.update(BUCKET_CACHE_SIZE="4GiB")
        self.began = time.monotonic()
        self.process = subprocess.Popen(
            [binary], env=environment, stdout=subprocess.PIPE, text=True
        )
        for line in self.process.stdout:
            message = json.loads(line)
            if message["message"] == "listening":
                self.url = "http://" + message["address"]
                break

    def get(self, path):
        with urllib.request.urlopen(self.url + path, timeout=600) as answer:
            return answer.read()

    def await_ready(self):
        """The seconds from the start until it is ready."""
        while True:
            try:
                self.get("/readyz")
                return time.monotonic() - self.began
            except urllib.error.HTTPError:
                time.sleep(0.01)

    def put(self, name, path):
        self.curl("--upload-file", path, "--header", "Authorization: Bearer token",
                  f"{self.url}/assets/{name}")

    def curl(self, *arguments):
        return subprocess.run(
            ["curl", "--silent", "--fail", *arguments], check=True, capture_output=True, text=True
        ).stdout

    def status(self, field):
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as file:
            return int(re.search(rf"{field}:\s+(\d+)", file.read())[1]) / 1024

    def cpu(self):
        with open(f"/proc/{self.process.pid}/stat", encoding="ascii") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def stop(self):
        self.process.kill()
        self.process.wait()


def median(values):
    return statistics.median(values)


def rate(url):
    """Requests a second by wrk."""
    output = subprocess.run(
        ["wrk", "-t1", "-c8", "-d2s", url], check=True, capture_output=True, text=True
    ).stdout
    assert "Non-2xx" not in output, output
    return float(re.search(r"Requests/sec:\s+([\d.]+)", output)[1])


def throughput(binary, folder, store):
    directory = Server(binary, f"{folder}/directory")
    bucket = Server(binary, f"{folder}/cache", store.url)
    for size in (64 * 1024, MIB, 100 * MIB):
        name = f"{size}.zip"
        path = write(folder, name, size)
        rates = {}
        for server in (directory, bucket):
            server.put(name, path)
            server.get(f"/assets/{name}")
        for _ in range(ROUNDS):
            for server in (directory, bucket):
                rates.setdefault(server, []).append(rate(f"{server.url}/assets/{name}"))
        one, other = median(rates[directory]), median(rates[bucket])
        print(f"cached {size} bytes: directory {one:.1f}/s, bucket {other:.1f}/s, "
              f"{other / one:.2f}")
    bucket.stop()
    first_fetch(binary, folder, store, store.url)
    link = Link(store)
    first_fetch(binary, folder, store, link.url)
    link.process.kill()
    server = Server(binary, f"{folder}/publisher", store.url)
    server.await_ready()
    by_store, by_server = [], []
    for number in range(ROUNDS):
        names = [f"{number}-{at}.zip" for at in range(34)]
        paths = [write(folder, name, 200_000) for name in names]
        begin = time.monotonic()
        for name, path in zip(names, paths):
            store.curl("--upload-file", path, f"{store.url}/test/other/{name}")
        by_store.append(time.monotonic() - begin)
        begin = time.monotonic()
        for name, path in zip(names, paths):
            server.put(name, path)
        by_server.append(time.monotonic() - begin)
    one, other = median(by_store), median(by_server)
    print(f"34 publishes of 200 kB: store {one:.2f} s, server {other:.2f} s, {other / one:.2f}")
    server.stop()
    directory.stop()


def first_fetch(binary, folder, store, url):
    """Downloads from the store at this URL, and from a server that fetches from there."""
    speed = ["--output", "/dev/null", "--write-out", "%{speed_download}"]
    by_store, by_server = [], []
    for _ in range(ROUNDS):
        by_store.append(float(store.curl(*speed, f"{url}/test/{100 * MIB}.zip")))
        with tempfile.TemporaryDirectory(dir=folder) as empty:
            server = Server(binary, empty, url)
            server.await_ready()
            server.get("/latest")
            by_server.append(float(server.curl(*speed, f"{server.url}/assets/{100 * MIB}.zip")))
            server.stop()
    one, other = median(by_store) / MIB, median(by_server) / MIB
    place = "over a link" if url != store.url else "on loopback"
    print(f"first fetch of 100 MiB {place}: store {one:.0f} MiB/s, server {other:.0f} MiB/s, "
          f"{other / one:.2f}")


def write(folder, name, size):
    path = os.path.join(folder, name)
    block = os.urandom(min(size, MIB))
    with open(path, "wb") as file:
        for begin in range(0, size, len(block)):
            file.write(block[: size - begin])
        file.seek(0)
        file.write(name.encode())
    return path


def memory(binary, folder, store):
    directory = Server(binary, f"{folder}/directory")
    publisher = Server(binary, f"{folder}/publisher", store.url)
    for number in range(8):
        path = write(folder, f"{number}.zip", 100 * MIB)
        directory.put(f"{number}.zip", path)
        publisher.put(f"{number}.zip", path)
        os.remove(path)
    publisher.stop()
    bucket = Server(binary, f"{folder}/cache", store.url)
    bucket.await_ready()
    bucket.get("/latest")
    for name, server in (("directory", directory), ("bucket", bucket)):
        with open(f"/proc/{server.process.pid}/clear_refs", "w", encoding="ascii") as file:
            file.write("5")
        idle = server.status("VmRSS")
        clients = [
            subprocess.Popen(["curl", "--silent", "--fail", "--output", "/dev/null",
                              f"{server.url}/assets/{number}.zip"])
            for number in range(8)
        ]
        assert all(client.wait() == 0 for client in clients)
        print(f"{name}: at rest {idle:.1f} MiB, at most {server.status('VmHWM'):.1f} MiB "
              "with 8 downloads of 100 MiB")
        server.stop()


def objects(binary, folder, store, count):
    content = b"content"
    for number in range(count):
        store.put(f"package-{number}.txt", content)
    for start in ("first", "second"):
        server = Server(binary, f"{folder}/cache", store.url)
        ready = server.await_ready()
        begin = time.monotonic()
        server.get("/assets/SHA256SUMS")
        first = time.monotonic() - begin
        resident = server.status("VmRSS")
        print(f"{count} objects, {start} start: ready after {ready:.2f} s, first list {first:.2f} "
              f"s, {resident:.1f} MiB, {server.cpu():.2f} s of CPU")
        if start == "first":
            # What it found out is written a minute after its start, with the next listing.
            while ".release-server/known" not in known(store):
                server.get("/readyz")
                time.sleep(1)
        else:
            costs, times = [], []
            for number in range(3):
                cpu, begin = server.cpu(), time.monotonic()
                store.change(f"new-{number}.txt")
                while f"new-{number}.txt" not in server.get("/assets/SHA256SUMS").decode():
                    time.sleep(0.05)
                costs.append(server.cpu() - cpu)
                times.append(time.monotonic() - begin)
            print(f"{count} objects: another server's change is listed after {median(times):.2f} "
                  f"s, at {median(costs):.2f} s of CPU")
        server.stop()


def known(store):
    place = os.path.join(store.place, ".release-server")
    return [f".release-server/{name}" for name in os.listdir(place)] if os.path.isdir(place) else []


def main():
    if len(sys.argv) < 3:
        raise SystemExit(__doc__)
    binary, *parts = sys.argv[1:]
    for part in parts:
        with tempfile.TemporaryDirectory() as folder:
            store = Store(folder)
            try:
                if part == "throughput":
                    throughput(binary, folder, store)
                elif part == "memory":
                    memory(binary, folder, store)
                else:
                    objects(binary, folder, store, int(part.removeprefix("objects=")))
            finally:
                store.process.kill()


main()
