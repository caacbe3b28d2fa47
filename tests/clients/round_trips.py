"""The steps that every Python client takes, whatever its library.

`run` takes a client that can send one request and one form; the other code, from the first upload
to the last refusal, is shared, so that a difference is the library's or the server's.
"""

import email.message
import email.utils
import json
import pathlib
from collections.abc import Callable, Iterator
from typing import NamedTuple, Protocol

import common
from common import Package, check

BASE, TOKEN, WORK = common.settings()
AUTH = {"Authorization": f"Bearer {TOKEN}"}
PIECE_BYTES = 50_000
PATIENCE_SECONDS = 30


class Answer(NamedTuple):
    """What came back; names of headers in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes


class Client(Protocol):
    """A library, reduced to what the tests need."""

    # Whether it takes URLs with unencoded names and encodes them itself.
    encodes_urls: bool

    def request(
        self,
        method: str,
        url: str,
        headers: dict[str, str],
        body: bytes | Iterator[bytes] | None = None,
    ) -> Answer:
        """Sends a request; an iterator as body is sent in chunks."""

    def form(self, url: str, headers: dict[str, str], path: pathlib.Path) -> Answer:
        """Sends a form with the file in its field `file`."""


def expect(answer: Answer, status: int, operation: str = "") -> None:
    """The answer has this status."""
    if answer.status != status:
        which = f" ({operation})" if operation else ""
        raise common.Difference(
            f"status{which} is {answer.status}, not {status}: {answer.body[:200]!r}"
        )


def pieces(content: bytes) -> Iterator[bytes]:
    for start in range(0, len(content), PIECE_BYTES):
        yield content[start : start + PIECE_BYTES]


def served_name(answer: Answer) -> str:
    """The name in Content-Disposition, as the standard library reads it: `filename*` first."""
    message = email.message.Message()
    message["Content-Disposition"] = answer.headers["content-disposition"]
    names = [
        value for key, value in message.get_params([], "content-disposition") if key == "filename"
    ]
    extended = [name for name in names if isinstance(name, tuple)]
    return email.utils.collapse_rfc2231_value((extended or names)[0])


class Trial:
    """One client on its way through everything."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.report = common.Report()

    def read(self, path: str, **headers: str) -> Answer:
        """A GET; keywords are headers, with `_` for `-`."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.request("GET", BASE + path, named)

    # --- Publishing -------------------------------------------------------------------------------

    def post_form(self, package: Package, query: str = "") -> Answer:
        return self.client.form(f"{BASE}/upload{query}", AUTH, package.path)

    def put(self, package: Package, query: str = "") -> Answer:
        url = f"{BASE}/assets/{package.encoded}{query}"
        return self.client.request("PUT", url, AUTH, package.content)

    def put_in_chunks(self, package: Package, query: str = "") -> Answer:
        url = f"{BASE}/assets/{package.encoded}{query}"
        return self.client.request("PUT", url, AUTH, pieces(package.content))

    # --- One package, published and downloaded ----------------------------------------------------

    def publish(self, send: Callable[[Package], Answer], status: int, package: Package) -> None:
        answer = send(package)
        expect(answer, status)
        common.check_metadata(json.loads(answer.body), package)

    def download(self, package: Package) -> None:
        content, tag = package.content, f'"{package.sha256}"'
        answer = self.read(f"/assets/{package.encoded}")
        expect(answer, 200)
        check("the content", answer.body, content)
        if not common.REDIRECTS:
            check("ETag", answer.headers["etag"], tag)
        check("Content-Length", answer.headers["content-length"], str(len(content)))
        check("the name in Content-Disposition", served_name(answer), package.name)
        head = self.client.request("HEAD", f"{BASE}/assets/{package.encoded}", {})
        expect(head, 200, "HEAD")
        check("body of HEAD", head.body, b"")
        check("Content-Length of HEAD", head.headers["content-length"], str(len(content)))
        checksum = self.read(f"/assets/{package.encoded}.sha256")
        check("the checksum's line", checksum.body, common.checksum_line(package))

    def download_by_bare_name(self, package: Package) -> None:
        # The writer of a URL must encode bytes that separate its parts or that look encoded; space
        # around a URL is not part of it.
        if (
            self.client.encodes_urls
            and not set(package.name) & set("%?#")
            and package.name == package.name.rstrip()
        ):
            answer = self.read(f"/assets/{package.name}")
            expect(answer, 200)
            check("the content", answer.body, package.content)

    def ranges(self, package: Package) -> None:
        content = package.content
        size, middle, path = len(content), len(content) // 3, f"/assets/{package.encoded}"
        rest = self.read(path, Range=f"bytes={middle}-", If_Range=f'"{package.sha256}"')
        expect(rest, 206, "the rest")
        check("Content-Range", rest.headers["content-range"], f"bytes {middle}-{size - 1}/{size}")
        check("start and rest", content[:middle] + rest.body, content)
        check("the last 3 bytes", self.read(path, Range="bytes=-3").body, content[-3:])
        check("the first byte", self.read(path, Range="bytes=0-0").body, content[:1])
        expect(self.read(path, Range=f"bytes={size}-"), 416, "beyond the end")
        whole = self.read(path, Range=f"bytes={middle}-", If_Range='"another"')
        expect(whole, 200, "for another version")
        check("the content for another version", whole.body, content)

    def conditions(self, package: Package) -> None:
        path = f"/assets/{package.encoded}"
        modified = self.read(path).headers["last-modified"]
        for answer in (
            self.read(path, If_None_Match=f'"{package.sha256}"'),
            self.read(path, If_Modified_Since=modified),
        ):
            check("status and body", (answer.status, answer.body), (304, b""))
        expect(self.read(path, If_None_Match='"another"'), 200)

    def delete(self, package: Package) -> None:
        url = f"{BASE}/assets/{package.encoded}"
        expect(self.client.request("DELETE", url, {}), 401, "without the token")
        expect(self.client.request("DELETE", url, AUTH), 204)
        expect(self.client.request("GET", url, {}), 404, "afterwards")

    # --- All steps --------------------------------------------------------------------------------

    def listed(self, expected: list[Package]) -> None:
        for answer in (
            self.read("/packages?format=json"),
            self.read("/packages", Accept="application/json"),
        ):
            expect(answer, 200)
            common.check_listing(json.loads(answer.body), expected)

    def round_trips(
        self, way: str, kind: str, send: Callable[[Package], Answer], status: int
    ) -> None:
        """All packages go there in one way, come back, and are deleted."""
        step, packages = self.report.step, common.packages(WORK, kind)
        for package in packages:
            with step(way, package.name):
                self.publish(send, status, package)
        with step(f"{way}, then the list", "all packages"):
            self.listed(packages)
        for operation, test in {
            "download": self.download,
            "download by its bare name": self.download_by_bare_name,
            "range": self.ranges,
            "conditional download": self.conditions,
            "DELETE": self.delete,
        }.items():
            for package in packages:
                with step(f"{way}, then {operation}", package.name):
                    test(package)
        with step(f"{way} and DELETE, then the list", "all packages"):
            self.listed([])

    def large(self) -> None:
        """A file that is still being sent when the answer comes."""
        step, big = self.report.step, common.big(WORK)
        new = big._replace(name="new.bin")
        with step("streamed PUT", big.name):
            self.publish(self.put_in_chunks, 201, big)
        with step("range", big.name):
            self.ranges(big)
        for way, send in {
            "form": self.post_form,
            "PUT": self.put,
            "streamed PUT": self.put_in_chunks,
        }.items():
            with step(f"{way} over an existing package", big.name):
                answer = send(big)
                expect(answer, 409)
                check("the sha256 in the answer", json.loads(answer.body)["sha256"], big.sha256)
            with step(f"{way} with overwrite", big.name):
                self.publish(lambda package, send=send: send(package, "?overwrite=true"), 200, big)
        url, wrong = f"{BASE}/assets/new.bin", {"Authorization": "Bearer wrong"}
        with step("PUT with a wrong token", new.name):
            expect(self.client.request("PUT", url, wrong, big.content), 401)
        with step("streamed PUT with a wrong token", new.name):
            expect(self.client.request("PUT", url, wrong, pieces(big.content)), 401)
        with step("form with a wrong token", big.name):
            expect(self.client.form(f"{BASE}/upload", wrong, big.path), 401)
        with step("refused uploads, then download", big.name):
            self.download(big)
            expect(self.read("/assets/new.bin"), 404, "what was refused")
        with step("DELETE", big.name):
            self.delete(big)


def run(client: Client) -> None:
    """Goes through everything and ends the program."""
    trial = Trial(client)
    trial.round_trips("form", "form", trial.post_form, 200)
    trial.round_trips("PUT", "put", trial.put, 201)
    trial.round_trips("streamed PUT", "put", trial.put_in_chunks, 201)
    trial.large()
    trial.report.exit()
