"""The Python clients: requests, httpx, urllib.request and http.client, each as its users write it.

run.sh names the one to run in CLIENT. What they go through is in round_trips.py.
"""

import http.client
import os
import pathlib
import urllib.error
import urllib.parse
import urllib.request
import uuid
from collections.abc import Iterator, Mapping

import round_trips
from round_trips import PATIENCE_SECONDS, Answer

Body = bytes | Iterator[bytes] | None


def lower(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


class Requests:
    """requests, with a session: connections are kept."""

    encodes_urls = True

    def __init__(self) -> None:
        import requests

        self.session = requests.Session()

    def _send(self, method: str, url: str, **arguments) -> Answer:
        with self.session.request(method, url, timeout=PATIENCE_SECONDS, **arguments) as answer:
            return Answer(answer.status_code, lower(answer.headers), answer.content)

    def request(self, method: str, url: str, headers: dict[str, str], body: Body = None) -> Answer:
        return self._send(method, url, headers=headers, data=body)

    def form(self, url: str, headers: dict[str, str], path: pathlib.Path) -> Answer:
        # The name is that of the open file.
        with path.open("rb") as file:
            return self._send("POST", url, headers=headers, files={"file": file})


class Httpx:
    """httpx, with a client: connections are kept."""

    encodes_urls = True

    def __init__(self) -> None:
        import httpx

        self.client = httpx.Client(timeout=PATIENCE_SECONDS, follow_redirects=True)

    def _send(self, method: str, url: str, **arguments) -> Answer:
        answer = self.client.request(method, url, **arguments)
        return Answer(answer.status_code, lower(answer.headers), answer.content)

    def request(self, method: str, url: str, headers: dict[str, str], body: Body = None) -> Answer:
        return self._send(method, url, headers=headers, content=body)

    def form(self, url: str, headers: dict[str, str], path: pathlib.Path) -> Answer:
        with path.open("rb") as file:
            return self._send("POST", url, headers=headers, files={"file": file})


def multipart(filename: str, content: bytes) -> tuple[str, bytes]:
    """A form's type and body, which the standard library cannot make. `filename` is raw."""
    boundary = uuid.uuid4().hex
    head = (
        f"--{boundary}\r\n"
        f'Content-Disposition: form-data; name="file"; {filename}\r\n'
        "Content-Type: application/octet-stream\r\n\r\n"
    )
    return (
        f"multipart/form-data; boundary={boundary}",
        head.encode() + content + f"\r\n--{boundary}--\r\n".encode(),
    )


class Urllib:
    """urllib.request: a connection for each request; names in forms as browsers send them."""

    encodes_urls = False

    def request(self, method: str, url: str, headers: dict[str, str], body: Body = None) -> Answer:
        # Without a type of its own it would state that the body is a form.
        headers = (
            headers if body is None else {"Content-Type": "application/octet-stream", **headers}
        )
        request = urllib.request.Request(url, body, headers, method=method)
        try:
            answer = urllib.request.urlopen(request, timeout=PATIENCE_SECONDS)
        except urllib.error.HTTPError as error:
            answer = error
        with answer:
            return Answer(answer.status, lower(answer.headers), answer.read())

    def form(self, url: str, headers: dict[str, str], path: pathlib.Path) -> Answer:
        name = path.name.replace('"', "%22")
        content_type, body = multipart(f'filename="{name}"', path.read_bytes())
        return self.request("POST", url, {"Content-Type": content_type, **headers}, body)


class HttpClient:
    """http.client: one connection for all requests; names by RFC 8187, beside plain ones."""

    encodes_urls = False

    def __init__(self) -> None:
        self.connection: http.client.HTTPConnection | None = None

    def request(self, method: str, url: str, headers: dict[str, str], body: Body = None) -> Answer:
        parts = urllib.parse.urlsplit(url)
        if self.connection is None:
            self.connection = http.client.HTTPConnection(parts.netloc, timeout=PATIENCE_SECONDS)
        target = urllib.parse.urlunsplit(("", "", parts.path, parts.query, ""))
        try:
            self.connection.request(method, target, body, headers)
            answer = self.connection.getresponse()
            if answer.status == 302:
                answer.read()
                return HttpClient().request("GET", answer.headers["location"], {})
            return Answer(answer.status, lower(answer.headers), answer.read())
        except Exception:
            # The next step begins anew.
            self.connection.close()
            raise

    def form(self, url: str, headers: dict[str, str], path: pathlib.Path) -> Answer:
        name = urllib.parse.quote(path.name, safe="")
        content_type, body = multipart(
            f"filename=\"fallback\"; filename*=UTF-8''{name}", path.read_bytes()
        )
        return self.request("POST", url, {"Content-Type": content_type, **headers}, body)


CLIENTS = {"requests": Requests, "httpx": Httpx, "urllib": Urllib, "http.client": HttpClient}

if __name__ == "__main__":
    round_trips.run(CLIENTS[os.environ["CLIENT"]]())
