"""What clients do through a proxy under a path prefix, each step with what must come of it.

run.sh names the proxy in CLIENT, the public URL in BASE, the server's token in TOKEN, a directory
with the packages of tests/clients/common.py in WORK, and the certificate to trust in SSL_CERT_FILE
and CURL_CA_BUNDLE.
"""

import hashlib
import html.parser
import http.client
import json
import os
import pathlib
import re
import select
import ssl
import subprocess
import sys
import urllib.parse
from typing import Any, NamedTuple

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "clients"))
import common  # noqa: E402
from common import check  # noqa: E402

BASE, TOKEN, WORK = common.settings()
PUBLIC = urllib.parse.urlsplit(BASE)
UPLOAD_SH = pathlib.Path(__file__).parents[2] / "scripts" / "upload.sh"
# Over what proxies accept or keep in memory by default; under the server's limit, which run.sh
# sets to 65 MiB.
LARGE_BYTES = 64 * 1024 * 1024
TOO_LARGE_BYTES = 66 * 1024 * 1024
IN_A_ROW = 2000
PIECE_BYTES = 64 * 1024
PIECE_PAUSE_SECONDS = 0.05
PATIENCE_SECONDS = 60
AUTH = {"Authorization": f"Bearer {TOKEN}"}
NAME = "spec-kit-template-claude-sh-v1.2.3.zip"


class Answer(NamedTuple):
    status: int
    fields: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


class Client:
    """One connection to the proxy, kept as long as that keeps it."""

    def __init__(self) -> None:
        context = ssl.create_default_context()
        # Where something can be read it is an answer: 1.3 sends tickets of its own accord.
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        self.connection = http.client.HTTPSConnection(
            PUBLIC.netloc, timeout=PATIENCE_SECONDS, context=context
        )

    def ask(
        self,
        method: str,
        path: str,
        fields: dict[str, str] | None = None,
        body: bytes | None = None,
    ) -> Answer:
        """A request for a path below the prefix, or for a whole URL of the same server."""
        path = (
            path
            if path.startswith("/")
            else path.removeprefix(f"{PUBLIC.scheme}://{PUBLIC.netloc}")
        )
        self.connection.request(method, path, body, fields or {})
        return self.answer()

    def ask_on(self, *arguments: Any) -> Answer:
        """A request on this connection, or on a new one where it ended after the answer before."""
        try:
            return self.ask(*arguments)
        except (BrokenPipeError, ConnectionResetError):  # RemoteDisconnected is one
            self.connection.close()
            return self.ask(*arguments)

    def refused(self, path: str, length: int, fields: dict[str, str]) -> Answer:
        """A PUT whose answer must come before all of its body is sent."""
        self.connection.putrequest("PUT", path)
        for name, value in {**fields, "Content-Length": str(length)}.items():
            self.connection.putheader(name, value)
        self.connection.endheaders()
        sent = 0
        while not select.select([self.connection.sock], [], [], PIECE_PAUSE_SECONDS)[0]:
            check(f"an answer when {sent} of {length} bytes are sent", sent < length // 2, True)
            self.connection.send(bytes(PIECE_BYTES))
            sent += PIECE_BYTES
        answer = self.answer()
        self.connection.close()
        return answer

    def answer(self) -> Answer:
        answer = self.connection.getresponse()
        fields = {name.lower(): value for name, value in answer.getheaders()}
        return Answer(answer.status, fields, answer.read())


def ask(
    method: str, path: str, fields: dict[str, str] | None = None, body: bytes | None = None
) -> Answer:
    return Client().ask(method, path, fields, body)


def asset(name: str) -> str:
    return f"{PUBLIC.path}/assets/{urllib.parse.quote(name, safe='')}"


def expect(status: int, answer: Answer) -> Answer:
    """The status, and of the server's own errors the sentence: a proxy's would be its own page."""
    check("status", (answer.status, answer.body if answer.status != status else b""), (status, b""))
    if status >= 400:
        check("a sentence in the error", bool(answer.json()["detail"]), True)
    return answer


def curl(*arguments: str, token: str = TOKEN) -> tuple[str, bytes]:
    """Status and body; curl speaks HTTP/2 where the proxy does."""
    body = WORK / "answer"
    command = ["curl", "--disable", "--silent", "--show-error", "--max-time", str(PATIENCE_SECONDS)]
    command += ["--output", str(body), "--write-out", "%{http_code}", "--config", "-", *arguments]
    header = f'header = "Authorization: Bearer {token}"'
    done = subprocess.run(command, input=header, capture_output=True, text=True, check=False)
    return done.stdout, body.read_bytes() if body.exists() else done.stderr.encode()


def form() -> None:
    boundary = "a-boundary"
    content = b"by a form" + common.TAIL
    head = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="form.zip"\r\n\r\n'
    )
    body = head.encode() + content + f"\r\n--{boundary}--\r\n".encode()
    fields = {**AUTH, "Content-Type": f"multipart/form-data; boundary={boundary}"}
    answer = expect(200, ask("POST", f"{PUBLIC.path}/upload", fields, body))
    check("download_url", answer.json()["download_url"], f"{BASE}/assets/form.zip")
    check("the content", expect(200, ask("GET", asset("form.zip"))).body, content)


def put() -> None:
    answer = expect(201, ask("PUT", asset(NAME), AUTH, b"by PUT"))
    check("download_url", answer.json()["download_url"], f"{BASE}/assets/{NAME}")
    expect(200, ask("PUT", f"{asset(NAME)}?overwrite=true", AUTH, b"replaced"))
    check("the content", expect(200, ask("GET", asset(NAME))).body, b"replaced")


def upload_sh() -> None:
    files = [WORK / f"several-{number}.zip" for number in range(5)]
    for number, path in enumerate(files):
        path.write_bytes(bytes([number]) * 300_000)
    environment = {**os.environ, "RELEASE_SERVER_URL": BASE, "RELEASE_SERVER_TOKEN": TOKEN}
    for outcome in (
        "5 published, 0 already published, 0 failed",
        "0 published, 5 already published, 0 failed",
    ):
        command = ["sh", UPLOAD_SH, "--parallel", "3", *files]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        check("upload.sh", (done.returncode, done.stderr, outcome in done.stdout), (0, "", True))


def large() -> None:
    """By PUT and by form, over HTTP/2 where there is that."""
    path = WORK / "large.bin"
    if not path.exists():
        with path.open("wb") as file:
            for _ in range(LARGE_BYTES // 2**20):
                file.write(os.urandom(2**20))
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    put_it, form_it = ("--upload-file", str(path)), (
        "--form",
        f"file=@{path};filename=large-form.bin",
    )
    for wanted, arguments in ("201", (*put_it, f"{BASE}/assets/large-put.bin")), (
        "200",
        (*form_it, f"{BASE}/upload"),
    ):
        status, body = curl(*arguments)
        check("status", (status, body if status != wanted else b""), (wanted, b""))
        check("the hash in the answer", json.loads(body)["sha256"], sha256)
    for name in "large-put.bin", "large-form.bin":
        status, body = curl(f"{BASE}/assets/{name}")
        check(name, (status, hashlib.sha256(body).hexdigest()), ("200", sha256))


def refusals() -> None:
    """They come while the body is being sent, so a proxy does not wait for its end."""
    expect(
        401, Client().refused(asset("refused.bin"), LARGE_BYTES, {"Authorization": "Bearer wrong"})
    )
    expect(409, Client().refused(asset(NAME), LARGE_BYTES, AUTH))
    expect(413, Client().refused(asset("refused.bin"), TOO_LARGE_BYTES, AUTH))
    file = str(WORK / "large.bin")
    put_it, form_it = ("--upload-file", file), ("--form", f"file=@{file};filename={NAME}")
    for status, token, arguments in (
        ("401", "wrong", (*put_it, f"{BASE}/assets/refused.bin")),
        ("409", TOKEN, (*put_it, f"{BASE}/assets/{NAME}")),
        ("409", TOKEN, (*form_it, f"{BASE}/upload")),
    ):
        # Go's server, and so Traefik and Caddy, sometimes loses such an answer of any upstream: its
        # body over HTTP/2, and all of it where a form waited for a 100.
        got = curl("--http1.1", "--header", "Expect:", *arguments, token=token)
        check("status", got[0], status)
        check("a sentence in the error", bool(json.loads(got[1])["detail"]), True)


def urls_in(value: Any) -> list[str]:
    """Every URL anywhere in a JSON value, without the templates that GitHub's clients fill in."""
    if isinstance(value, dict):
        return [url for each in value.values() for url in urls_in(each)]
    if isinstance(value, list):
        return [url for each in value for url in urls_in(each)]
    return [value.split("{")[0]] if isinstance(value, str) and re.match("https?:", value) else []


def urls() -> None:
    """URLs in JSON answers are public ones, whatever the client claims, and lead somewhere."""
    api = f"{PUBLIC.path}/api/v3/repos/owner/name/releases"
    claims = {
        "X-Forwarded-Proto": "http",
        "X-Forwarded-Host": "evil.example",
        "X-Forwarded-Prefix": "/evil",
    }
    for path in (
        f"{PUBLIC.path}/latest",
        f"{PUBLIC.path}/packages?format=json",
        api,
        f"{api}/tags/v1.2.3",
    ):
        answer = expect(200, ask("GET", path, claims))
        found = urls_in(answer.json())
        check(
            f"URLs of {path} that are not public",
            [url for url in found if not url.startswith(f"{BASE}/")],
            [],
        )
        for url in {url for url in found if re.search("/assets/|/download/", url)}:
            expect(200, ask("HEAD", url))
    link = expect(200, ask("GET", f"{api}?per_page=1")).fields["link"]
    expect(200, ask("GET", re.findall(f'<({BASE}/api/v3/[^>]*)>; rel="next"', link)[0]))
    by_id = expect(200, ask("GET", f"{api}/tags/v1.2.3")).json()["assets"][0]["url"]
    check(
        "an asset by its id",
        ask("GET", by_id, {"Accept": "application/octet-stream"}).body,
        b"replaced",
    )


class Links(html.parser.HTMLParser):
    """What a page links to and loads."""

    def __init__(self) -> None:
        super().__init__()
        self.found: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found |= {value for name, value in attrs if name in ("href", "src") and value}


def page() -> None:
    url = f"{BASE}/packages"
    links = Links()
    links.feed(expect(200, ask("GET", url, {"Accept": "text/html"})).body.decode())
    inside = {urllib.parse.urljoin(url, link) for link in links.found}
    inside = {link for link in inside if PUBLIC.netloc in link}
    check("links to the packages", {f"{BASE}/assets/{NAME}", f"{BASE}/latest"} <= inside, True)
    for link in inside:
        check("a link below the prefix", link[: len(BASE) + 1], f"{BASE}/")
        expect(200, ask("GET", link))


def redirects() -> None:
    for path, status, end in ("/", 303, "packages"), (
        "/latest/download/spec-kit-*.zip",
        302,
        f"assets/{NAME}",
    ):
        location = expect(status, ask("GET", PUBLIC.path + path)).fields["location"]
        check("Location", urllib.parse.urljoin(BASE + path, location), f"{BASE}/{end}")


def conditional() -> None:
    whole = expect(200, ask("GET", asset(NAME)))
    head = expect(200, ask("HEAD", asset(NAME)))
    for field in "etag", "content-length", "repr-digest", "last-modified":
        check(f"{field} of HEAD", head.fields[field], whole.fields[field])
    part = expect(206, ask("GET", asset(NAME), {"Range": "bytes=2-4"}))
    check("the part", (part.body, part.fields["content-range"]), (b"pla", "bytes 2-4/8"))
    expect(304, ask("GET", asset(NAME), {"If-None-Match": whole.fields["etag"]}))
    expect(416, ask("GET", asset(NAME), {"Range": "bytes=9-"}))
    latest = f"{PUBLIC.path}/latest"
    expect(
        304, ask("GET", latest, {"If-None-Match": expect(200, ask("GET", latest)).fields["etag"]})
    )


def names() -> None:
    """Every name arrives as it is; then the end of it."""
    for package in common.packages(WORK, "put"):
        answer = expect(201, ask("PUT", asset(package.name), AUTH, package.content))
        check("the name", answer.json()["name"], package.name)
        path = answer.json()["download_url"]
        check("the content", expect(200, ask("GET", path)).body, package.content)
        expect(204, ask("DELETE", asset(package.name), AUTH))
        expect(404, ask("GET", asset(package.name)))


def in_a_row() -> None:
    """On a kept connection, with refused bodies; no answer is another's or the proxy's own."""
    client = Client()
    again = f"{asset('again.zip')}?overwrite=true"
    expect(201, client.ask("PUT", again, AUTH, b"first"))
    wrong = {"Authorization": "Bearer wrong"}
    body = b"x" * 5000
    for number in range(IN_A_ROW // 5):
        missing = client.ask_on("GET", asset(f"missing-{number}.zip"))
        named = f"missing-{number}.zip" in missing.json()["detail"]
        check("the 404 to this request", (missing.status, named), (404, True))
        expect(401, client.ask_on("PUT", asset("refused.zip"), wrong, body))
        check("the content", expect(200, client.ask_on("GET", asset(NAME))).body, b"replaced")
        expect(409, client.ask_on("PUT", asset(NAME), AUTH, body))
        expect(200, client.ask_on("PUT", again, AUTH, body))


def clear() -> None:
    for package in expect(200, ask("GET", f"{PUBLIC.path}/packages?format=json")).json():
        expect(204, ask("DELETE", asset(package["name"]), AUTH))
    check("the list", expect(200, ask("GET", f"{PUBLIC.path}/packages?format=json")).json(), [])


def main() -> None:
    report = common.Report()
    for step in (
        form,
        put,
        upload_sh,
        large,
        refusals,
        urls,
        page,
        redirects,
        conditional,
        names,
        in_a_row,
        clear,
    ):
        with report.step(step.__name__, BASE):
            step()
    report.exit()


if __name__ == "__main__":
    main()
