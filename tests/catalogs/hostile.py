"""What publishing hostile archives and manifests costs beside an ordinary package.

    hostile.py SERVER_BINARY

Publishes each case 15 times, in turns with an ordinary package of the same size, to a directory in
memory, so that no disk is measured. Prints the medians of the server's CPU time, which a busy
machine hardly changes, and what the case takes of memory at its most beyond the ordinary package.
Exit code 1 where a case is over 5 ms or 4 MiB.
"""

import io
import pathlib
import statistics
import sys
import tempfile
import zipfile

import packages
from scale import Server

ROUNDS = 15
MILLISECONDS_MAX = 5
KIB_MAX = 4096
HEAD = (
    "schema_version: '1.0'\nextension: {id: acme, name: Acme, version: 1.0.0, description: d}\n"
    "requires: {speckit_version: '>=1.0'}\n"
)


def manifest(rest):
    """A package whose manifest goes on like this, up to the bound of a manifest."""
    return packages.archive({"extension.yml": (HEAD + rest)[: 128 * 1024]})


def step(files, size):
    code = b"".join(number.to_bytes(4, "little") for number in range(size // 4))
    others = {f"{number}.py": code for number in range(files)}
    own = {"step.yml": "step: {type_key: wait, version: 1.0.0}\n", "__init__.py": ""}
    return packages.archive({**own, **others})


def entries(count, path):
    contents = {"extension.yml": "extension: {}", **{path(at): "" for at in range(count)}}
    return packages.archive(contents, method=zipfile.ZIP_STORED)


def in_code_page(content):
    """The same archive with the last character of code page 437 in place of each tilde."""
    return content.replace(b"~", b"\xff")


def lying(content, sizes):
    """An archive whose directory has these sizes of its first file."""
    at = content.rindex(b"PK\x01\x02") + 20
    return content[:at] + sizes + content[at + 8 :]


def named(identifier):
    files = packages.files("extension")
    text = files["extension.yml"].replace("id: acme-extension", f"id: '{identifier}'")
    return packages.archive({**files, "extension.yml": text})


def cases():
    bomb = packages.archive({"extension.yml": "#" * (9 << 20)})
    yield "11,000 short keys", manifest("".join(f"k{at}: v\n" for at in range(11_000)))
    yield "18,000 block scalars", manifest("x:\n" + "- |\n a\n" * 18_000)
    yield "a long text", manifest("x: |\n" + " b\n" * 40_000)
    yield "60,000 nested lists", manifest("x: " + "[" * 60_000)
    yield "40,000 empty lists", manifest(f"x: [{'[],' * 40_000}]")
    yield "40,000 aliases", manifest(f"x: &a [1]\ny: [{'*a,' * 40_000}]")
    yield "30,000 anchors", manifest("x:\n" + "- &a\n" * 25_000)
    yield "line ends", manifest("\r" * 127 * 1024)
    yield "9 MiB in 9 KiB", bomb
    yield "sizes that lie, small", lying(bomb, b"\x40\x00\x00\x00\x40\x00\x00\x00")
    yield "sizes that lie, large", lying(manifest("x: y\n"), b"\x00\x00\x00\x03\x00\x00\x00\x03")
    yield "a step of the largest size", step(1, 500_000)
    yield "a step of 63 files", step(61, 8_000)
    yield "a step that is too large", step(2, 1_000_000)
    yield "511 deep paths", entries(511, lambda at: f"{'d/' * 470}{at}")
    yield "511 paths of 32 folders", entries(511, lambda at: f"{('d' * 29 + '/') * 32}{at}")
    yield "511 long paths", entries(511, lambda at: f"{('d' * 99 + '/') * 2}{at:03}")
    yield "511 paths of 32 short folders", entries(511, lambda at: f"{'ddddd/' * 32}{at:03}")
    yield "511 paths in Unicode", entries(511, lambda at: f"{('ǰ' * 29 + '/') * 3}{at:03}")
    yield "511 paths in code page 437", in_code_page(entries(511, lambda at: f"{'~' * 180}/{at}"))
    yield "601 entries", entries(600, str)
    yield "11,000 entries", entries(11_000, str)
    yield "end records", b"PK\x05\x06" * 20_000
    yield "the id ../x", named("../x")
    yield "the id <script>", named("<script>")


def ordinary(size):
    """A package of this size, as far as possible."""
    buffer = io.BytesIO(packages.archive(packages.files("extension")))
    missing = size - len(buffer.getvalue())
    if missing > 0:
        with zipfile.ZipFile(buffer, "a") as target:
            target.writestr("padding", bytes(missing))
    return buffer.getvalue()


def cpu_milliseconds(server):
    tasks = pathlib.Path(f"/proc/{server.process.pid}/task").iterdir()
    return sum(int((task / "schedstat").read_text("ascii").split()[0]) for task in tasks) / 1e6


def publish(server, name, content):
    """The CPU time in milliseconds."""
    before = cpu_milliseconds(server)
    status, body, _ = server.ask("PUT", f"/assets/{name}.zip?overwrite=true", content)
    if status not in (200, 201):
        raise SystemExit(f"hostile.py: {name}: {status} {body.decode()}")
    return cpu_milliseconds(server) - before


def growth(server, name, content):
    """KiB that one publish takes beyond what the server has, at its most."""
    pathlib.Path(f"/proc/{server.process.pid}/clear_refs").write_text("5", "ascii")
    before = server.kib("VmRSS")
    publish(server, name, content)
    return server.kib("VmHWM") - before


def main():
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    is_over = False
    with tempfile.TemporaryDirectory(prefix="hostile-", dir="/dev/shm") as work:
        directory = pathlib.Path(work, "data")
        directory.mkdir()
        server = Server(sys.argv[1], directory)
        publish(server, "warm", ordinary(4 << 20))
        print(f"{'case':28} {'hostile':>8} {'ordinary':>8} {'ms more':>8} {'KiB more':>8}")
        for name, content in cases():
            usual = ordinary(len(content))
            memory = growth(server, "case", content) - max(0, growth(server, "usual", usual))
            pairs = [
                (publish(server, "case", content), publish(server, "usual", usual))
                for _ in range(ROUNDS)
            ]
            hostile, plain = map(statistics.median, zip(*pairs))
            print(f"{name:28} {hostile:8.2f} {plain:8.2f} {hostile - plain:8.2f} {memory:8}")
            is_over |= hostile - plain > MILLISECONDS_MAX or memory > KIB_MAX
        server.stop()
    raise SystemExit(is_over)


if __name__ == "__main__":
    main()
