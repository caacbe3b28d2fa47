"""The experiments of scripts/peers.py: each starts a server, acts on it and reports the result.

Invariants: a result was observed, not read in a manual; every wait has an end. `start` takes the
options of a server and stops the server afterwards.
"""

import base64
import contextlib
import hashlib
import http.client
import itertools
import json
import os
import pathlib
import re
import signal
import socket
import ssl
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor

from bench_servers import KIB, MIB, TOKEN
from peer_servers import PASSWORD

NAME = "spec-kit-template-claude-sh-v1.0.0.zip"
STALLED_CLIENTS = 1000
ANSWER_SECONDS = 5
SETTLING_SECONDS = 2
# nginx's deadlines are 60 s.
PATIENCE_SECONDS = 75


def until(seconds, condition):
    """Whether it holds within so many seconds."""
    end = time.monotonic() + seconds
    while not (held := condition()) and time.monotonic() < end:
        time.sleep(0.02)
    return held


def left(server, content, name=NAME):
    """What is under the name, and what lies on the disk beside it."""
    status, _, body = server.get(name)
    paths = itertools.chain(server.files.rglob("*"), server.aside.rglob("*"))
    under = (
        "nothing"
        if status != 200
        else "the whole file" if body == content else "a part of the file"
    )
    beside = sum(path.stat().st_size for path in paths if path.is_file() and path.name != name)
    return f"{under}; {beside / MIB:.1f} MiB beside it" if beside else under


def credentials(start):
    server, accepted = start(), []
    for number, (kind, value) in enumerate(
        {"a token": f"Bearer {TOKEN}", "a password": PASSWORD, "nothing": ""}.items()
    ):
        if server.publish(f"{number}-{NAME}", b"x", authorization=value) < 400:
            accepted.append((kind, number))
    with server.ask("GET", server.path(f"{accepted[0][1]}-{NAME}")) as answer:
        reading = "nothing" if answer.status == 200 else "the same"
    return f"{' or '.join(kind for kind, _ in accepted)}; {reading}"


def stating(content):
    """All the headers by which some server takes the checksum of an upload."""
    digest = hashlib.sha256(content)
    field = f"sha-256=:{base64.b64encode(digest.digest()).decode()}:"
    own = {
        "X-Checksum-Sha256": digest.hexdigest(),
        "X-File-Hash": digest.hexdigest(),
        "X-File-Hash-Function": "SHA256",
    }
    return {
        "Repr-Digest": field,
        "Content-Digest": field,
        "OC-Checksum": f"SHA256:{digest.hexdigest()}",
        **own,
    }


def cut(server, content, name=NAME, headers=None):
    """The answers to readers midway through an upload, and the files left when it ends there.
    Nothing reports when the server has noticed the end, so it gets a while."""
    with server.begin(name, content, len(content) // 2, headers):
        time.sleep(SETTLING_SECONDS)
        during = left(server, content, name).split(";")[0]
    time.sleep(SETTLING_SECONDS)
    return during, left(server, content, name)


def during_upload(start):
    return cut(start(), os.urandom(MIB))[0]


def cut_upload(start):
    """Some keep the half of a large one, or look at the checksum first."""
    small, large = os.urandom(MIB), os.urandom(64 * MIB)
    cases = {
        "": (small, None),
        "of 64 MiB ": (large, None),
        "with its SHA-256 stated ": (small, stating(small)),
    }
    seen = {
        case: cut(start(), content, headers=headers)[1]
        for case, (content, headers) in cases.items()
    }
    return "; ".join(f"{case}{what}" for case, what in seen.items() if not case or what != seen[""])


def killed(start):
    server, content = start(), os.urandom(MIB)
    with server.begin(NAME, content, MIB // 2):
        time.sleep(SETTLING_SECONDS)
        for pid in server.pids():
            os.kill(pid, signal.SIGKILL)
        server.process.wait()
    server.launch()
    time.sleep(SETTLING_SECONDS)
    return left(server, content)


def continued_upload(start):
    """Where it stopped, by any of the ways that servers have for it."""
    server, content = start(), os.urandom(64 * MIB)
    ways = {
        "`PUT` with `Content-Range`": (
            "PUT",
            "",
            {"Content-Range": f"bytes {32 * MIB}-{64 * MIB - 1}/{64 * MIB}"},
        ),
        "`PATCH` with `X-Update-Range`": ("PATCH", "", {"X-Update-Range": "append"}),
        "`PUT` with `?apnd`": ("PUT", "?apnd", {}),
    }
    for number, (way, (method, query, headers)) in enumerate(ways.items()):
        name = f"{number}-{NAME}"
        cut(server, content, name)
        status, _, body = server.get(name)
        rest = content[len(body) if status == 200 else 32 * MIB :]
        headers |= {"Authorization": server.authorization}
        # A server that refuses does so before all of the body is sent.
        with contextlib.suppress(OSError), server.ask(
            method, server.path(name) + query, rest, headers
        ) as answer:
            answer.read()
        if left(server, content, name).startswith("the whole"):
            return f"yes, {way}"
    return "no"


def part_published(start):
    """The end of a file, sent as `curl -C 512 -T` does: is it taken for the file?"""
    server = start(replace=True)
    content = os.urandom(KIB)
    status = server.publish(NAME, content[512:], {"Content-Range": f"bytes 512-{KIB - 1}/{KIB}"})
    return f"refused, {status}" if status >= 400 else f"taken for the file, {status}"


def published_again(start):
    server = start()
    server.publish(NAME, b"old")
    status = server.publish(NAME, b"new")
    kept = server.get(NAME)[2] == b"old"
    done = "replaced" if not kept else "refused" if status >= 400 else "stored under another name"
    return f"{done}, {status}"


def replaced_download(start):
    """Several times, as it may depend on how far the server has read."""
    server = start(replace=True)
    return " or ".join(sorted({read_replaced(server) for _ in range(4)}))


def read_replaced(server):
    old, new = os.urandom(48 * MIB), os.urandom(48 * MIB)
    server.publish(NAME, old)
    headers = {"Authorization": server.read_authorization} if server.read_authorization else {}
    with server.ask("GET", server.path(NAME), headers=headers) as answer:
        body = answer.read(64 * KIB)
        if server.publish(NAME, new) >= 400 or server.get(NAME)[2] != new:
            return "could not be replaced"
        try:
            body += answer.read()
        except (http.client.IncompleteRead, OSError) as error:
            body += getattr(error, "partial", b"")
    length = "" if len(body) == len(old) else ", cut short"
    return ("the old file" if body == old[: len(body)] else "a mixture of both") + length


def synced(start):
    server = start()
    trace = server.own / "trace"
    calls = "trace=fsync,fdatasync,syncfs,write,writev,sendto,sendmsg"
    attached = [word for pid in server.pids() for word in ("-p", str(pid))]
    command = [
        "strace",
        "-f",
        "-y",
        "-s",
        "12",
        "-o",
        trace,
        "-e",
        calls,
        "-e",
        "signal=none",
        *attached,
    ]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as tracer:
        # Each process logs this once it has all of its threads.
        for _ in server.pids():
            tracer.stderr.readline()
        server.publish(NAME, b"content")
        tracer.terminate()
    before, answered, _ = trace.read_text().partition('"HTTP/1.1 ')
    if not answered:
        return "the answer was not seen"
    synced_paths = re.findall(r"\b(?:fsync|fdatasync|syncfs)\(\d+<(.*?)>", before)
    kinds = {"directory" if path == str(server.files) else "file" for path in synced_paths}
    return " and ".join(sorted(kinds, reverse=True)) or "nothing"


def stated_checksum(start):
    server = start()
    status = server.publish(NAME, b"content", stating(b"other"))
    # The same headers with the right checksum are accepted, which shows the reason of the refusal.
    assert server.publish(f"2-{NAME}", b"content", stating(b"content")) < 400
    return f"refused, {status}" if server.get(NAME)[0] == 404 else "not looked at"


def offered_checksum(start):
    server, content = start(), os.urandom(KIB)
    server.publish(NAME, content)
    digest = hashlib.sha256(content)
    forms = [digest.hexdigest(), base64.b64encode(digest.digest()).decode()]
    places = {"a header": str(server.get(NAME)[1])}
    places |= {
        f"`NAME{suffix}`": server.get(NAME + suffix)[2].decode("latin-1")
        for suffix in (".sha256", "?hash")
    }
    return (
        ", ".join(place for place, text in places.items() if any(form in text for form in forms))
        or "none"
    )


def resumed(start):
    """The second version has the length of the first and follows within its second, the third is
    longer and follows later."""
    server, first, second, third = start(replace=True), *(
        os.urandom(size) for size in (KIB, KIB, 2 * KIB)
    )
    # A file's time may lag behind the clock by a tick.
    time.sleep(1.1 - time.time() % 1)
    server.publish(NAME, first)
    status, headers, _ = server.get(NAME)
    tag = headers["ETag"] or headers["Last-Modified"]
    status, _, body = server.get(NAME, Range="bytes=100-", If_Range=tag)
    if status != 206 or body != first[100:]:
        return f"no, {status}"
    glued = []
    for content, change in ((second, "within a second"), (third, "later")):
        if server.publish(NAME, content) >= 400 or server.get(NAME)[2] != content:
            return "yes; could not be replaced"
        status, _, body = server.get(NAME, Range="bytes=100-", If_Range=tag)
        if status != 200 or body != content:
            glued.append(change)
        time.sleep(1)
    return f"yes; a file replaced {' and '.join(glued)} is glued to the old one" if glued else "yes"


def retention(start):
    server = start(keep=3)
    for number in range(5):
        server.publish(f"{number}-{NAME}", b"x")
    kept = [number for number in range(5) if server.get(f"{number}-{NAME}")[0] == 200]
    return (
        "all" if len(kept) == 5 else f"the newest {len(kept)}" if kept == [2, 3, 4] else str(kept)
    )


def specify(start):
    """The steps of `specify init --template-url`: the first asset whose name matches."""
    server, content = start(), os.urandom(KIB)
    server.publish(NAME, content)
    with server.ask(
        "GET", "/latest", headers={"Authorization": "Bearer of-somebody-else"}
    ) as answer:
        if answer.status != 200:
            return "no"
        asset = next(
            asset
            for asset in json.load(answer)["assets"]
            if "spec-kit-template-claude-sh" in asset["name"]
        )
    got = subprocess.run(
        ["curl", "-sSf", asset["browser_download_url"]], capture_output=True, check=True
    ).stdout
    return "yes" if got == content else "no"


def patience(start):
    """Seconds until a client is closed that stops in its head, and one that stops in its body."""
    server = start()
    head = socket.create_connection(("127.0.0.1", server.port))
    head.sendall(b"GET / HTTP/1.1\r\nHo")
    body = server.begin(NAME, bytes(MIB), KIB)

    def closed(connection):
        started = time.monotonic()
        connection.settimeout(PATIENCE_SECONDS)
        with contextlib.suppress(ConnectionError):
            try:
                while connection.recv(64 * KIB):
                    pass
            except TimeoutError:
                return f"not in {PATIENCE_SECONDS} s"
        return f"{time.monotonic() - started:.0f} s"

    with ThreadPoolExecutor() as pool, head, body:
        return ", ".join(pool.map(closed, (head, body)))


def encrypted(start):
    server = start(tls=True)
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE

    def shaken():
        try:
            with socket.create_connection(
                ("127.0.0.1", server.port), 2
            ) as plain, context.wrap_socket(plain) as connection:
                return connection.version()
        except OSError:
            return None

    return until(3, shaken) and "yes" or "no"


def stalled(start):
    """Whether another client's GET is answered beside clients that stop in a head, or in a body."""

    def answered(kind):
        server = start()
        server.publish(NAME, b"content")
        with contextlib.ExitStack() as stack:
            for number in range(STALLED_CLIENTS):
                if kind == "body":
                    connection = server.begin(f"{number}-{NAME}", bytes(MIB), KIB)
                else:
                    connection = socket.create_connection(
                        ("127.0.0.1", server.port), ANSWER_SECONDS
                    )
                    connection.sendall(b"GET / HTTP/1.1\r\nHo")
                stack.callback(connection.close)
            return server.get(NAME, seconds=ANSWER_SECONDS)[2] == b"content"

    def cell(kind):
        # A connection that is not accepted counts as no answer.
        with contextlib.suppress(OSError):
            return "yes" if answered(kind) else "no"
        return "no"

    return ", ".join(map(cell, ("head", "body")))


def full_disk(start):
    if os.geteuid() != 0:
        return "not run"
    server, content = start(disk="8m"), os.urandom(16 * MIB)
    source = server.own / "source"
    source.write_bytes(content)
    sent = server.run_curl(source, NAME, "-w", "%{http_code} %{size_upload}")
    status, size = sent.communicate()[0].split()
    when = (
        "no answer"
        if status == "000"
        else f"{status} {'before' if int(size) < MIB else 'after'} the body"
    )
    time.sleep(SETTLING_SECONDS)
    kept = left(server, content)
    then = "" if server.publish("small.zip", b"x") < 400 else "; then nothing can be published"
    return f"{when}; {kept}{then}"


def binary(start):
    server = start()
    path = os.path.realpath(f"/proc/{server.process.pid}/exe")
    if pathlib.Path(path).name.startswith("python"):
        return "needs Python"
    linked = subprocess.run(["ldd", path], capture_output=True, text=True)
    static = "static" if "statically" in linked.stdout or linked.returncode else "dynamic"
    return f"{os.stat(path).st_size / MIB:.1f} MiB, {static}"


def memory(start):
    """Idle, and the most while eight uploads run."""
    server = start()
    idle = server.pss_mib()
    source = server.own / "source"
    source.write_bytes(os.urandom(100 * MIB))
    uploads, peak = [server.run_curl(source, f"{number}-{NAME}") for number in range(8)], idle
    while any(upload.poll() is None for upload in uploads):
        peak = max(peak, server.pss_mib())
        time.sleep(0.02)
    failed = sum(server.get(f"{number}-{NAME}", Range="bytes=0-0")[0] != 206 for number in range(8))
    return f"{idle:.0f}, {peak:.0f} MiB" + (f"; {failed} uploads failed" if failed else "")
