"""Packages with something changed: the manifest's text, the archive's bytes, or what it holds."""

import random
import struct
import zipfile

import packages

# What is put into a manifest: marks of YAML, and scalars that YAML 1.1 and 1.2 read differently.
PIECES = (
    ":",
    ": ",
    " ",
    "  ",
    "\n",
    "\n\n",
    "\r\n",
    "\r",
    "\t",
    "\n\t",
    " \t",
    "#",
    " # x",
    "-",
    "- ",
    "? ",
    "? a",
    "\n? a\n: b",
    "|",
    ">",
    "|-",
    ">+",
    "|2",
    "|9",
    ">1-",
    "'",
    '"',
    "''",
    '""',
    "\\",
    '"\\x41"',
    '"\\u00e9"',
    '"\\/"',
    '"a\\\n b"',
    "&a ",
    "*a",
    "*b",
    "!!str ",
    "! ",
    "!x ",
    "<<: ",
    "<<",
    "=",
    "[",
    "]",
    "{",
    "}",
    "[]",
    "{}",
    "[a, b]",
    "{a: b}",
    "[a: b]",
    "[? a : b]",
    "{a, b}",
    '{"a":b}',
    '["a":b]',
    ",",
    "%",
    "%YAML 1.2\n---\n",
    "%TAG ! x:\n---\n",
    "---",
    "---\n",
    "\n---\n",
    "...",
    "\n...\n",
    "\n...\n---\nx: y\n",
    "@",
    "`",
    "~",
    "null",
    "yes",
    "on",
    "off",
    "No",
    "y",
    "n",
    "1.0",
    "1",
    "1_0",
    "1e3",
    "1e+3",
    "1.5e+3",
    ".5",
    "+.5",
    "-.5",
    "0o7",
    "07",
    "08",
    "0x1f",
    "0b1",
    "0b_",
    "0x_",
    "1:30",
    "1:99",
    "01:30",
    "1:30.5",
    ".inf",
    "-.inf",
    ".nan",
    "2026-01-01",
    "2026-13-01",
    "2026-02-30",
    "2026-1-1",
    "2026-01-01 10:00:00",
    "2026-01-01t25:00:00Z",
    "2026-01-01 10:00:00 +99:00",
    "0000-01-01",
    "9" * 5000,
    "\ufeff",
    "\u0085",
    "\u2028",
    "\u00a0",
    "\x00",
    "\x07",
    "\x7f",
    "\u200b",
    "\U0001f600",
    "é",
    "a" * 300,
    "x" * 1100,
    "v1.0",
    "1.0.0rc1",
    "1.0-1",
    "1!2.0",
    "1.0+local",
    "1.0.dev1",
    "==1.0.*",
    "~=1.0",
    "===x",
    "- x\n",
    "  - x\n",
    "a: b\n",
    "  a: b\n",
    "extension: x\n",
    "  id: x\n",
    "  name: [x]\n",
    "  version: 1.0\n",
    "schema_version: 1.0\n",
    "tags: x\n",
    "tags: [1]\n",
    "provides: []\n",
    "requires:\n",
    "hooks: []\n",
    "events: x\n",
)
VALUES = (
    "",
    "~",
    "null",
    "yes",
    "1",
    "1.0",
    '"1.0"',
    "'1.0'",
    "1.0.0",
    "2026-01-01",
    "[]",
    "{}",
    "[x]",
    "{x: y}",
    "*a",
    "&a x",
    "''",
    '" "',
    '"a\\nb"',
    "a b",
    "A",
    "a_b",
    "a.b",
    "-a",
    "a-",
    "con",
    "com1",
    "../x",
    "<script>",
    "é",
    "x" * 201,
    "x" * 1025,
    "|\n    text\n",
    ">-\n    text\n",
    '"\\x00"',
    ">=1.0",
    '">=1.0"',
    '">=1"',
    '"==1.*"',
    '"~=1"',
    '","',
    '">=x"',
    "read-only",
    '"v1.0"',
    '"1.0.0-rc.1"',
    '"1.0.0+build"',
    '"01.0.0"',
    '"1.0.0.0"',
    '"1.0.0 "',
    '"99999999999999999999999.0.0"',
    "!!str x",
    "<<",
)


def manifests(rng, kind):
    """A changed manifest."""
    text = next(iter(packages.files(kind).values()))
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        lines = text.split("\n")
        at = rng.randrange(len(lines))
        way = rng.randrange(8)
        if way == 0:
            place = rng.randrange(len(text) + 1)
            text = text[:place] + rng.choice(PIECES) + text[place:]
            continue
        if way == 1 and text:
            place = rng.randrange(len(text))
            text = text[:place] + text[place + rng.randrange(1, 5) :]
            continue
        if way in (2, 3) and ":" in lines[at]:
            lines[at] = lines[at].split(":")[0] + ": " + rng.choice(VALUES)
        elif way == 4:
            del lines[at]
        elif way == 5:
            lines.insert(at, rng.choice(lines))
        elif way == 6:
            lines[at] = rng.choice(("", " ", "  ", "    ", "\t")) + lines[at].lstrip(
                rng.choice((" ", ""))
            )
        else:
            lines[at] += rng.choice(PIECES)
        text = "\n".join(lines)
    return text


def manifest_mutant(rng):
    kind = rng.choice(packages.KINDS)
    files = packages.files(kind)
    files[next(iter(files))] = manifests(rng, kind).encode("utf-8", "surrogatepass")
    folder = rng.choice(("", "", "acme-1.0/")) if kind != "bundle" else ""
    return kind, "a.zip", packages.archive(files, folder)


def bytes_mutant(rng):
    """Changes the end record, or the manifest's record or entry: the server reads no other."""
    kind = rng.choice(packages.KINDS)
    method = rng.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))
    data = bytearray(packages.archive(packages.files(kind), method=method))
    end = data.rindex(b"PK\x05\x06")
    directory = struct.unpack_from("<L", data, end + 16)[0]
    first = data.find(b"PK\x03\x04", 4)
    first = directory if first < 0 else first
    manifest = directory + 46 + struct.unpack_from("<H", data, directory + 28)[0]
    spans = [(0, 30), (0, first), (directory, manifest), (end, len(data))]
    for _ in range(rng.choice((1, 1, 2))):
        begin, stop = rng.choice(spans)
        at = rng.randrange(begin, min(stop, len(data)))
        way = rng.randrange(6)
        if way == 0:
            data[at] ^= 1 << rng.randrange(8)
        elif way == 1:
            data[at] = rng.choice((0, 1, 8, 45, 47, 92, 255))
        elif way == 2:
            data[at:at] = rng.choice((b"\0", b"PK\5\6", b"PK\6\7" + bytes(16), b"x" * 7))
        elif way == 3:
            del data[at : at + rng.randrange(1, 9)]
        elif way == 4:
            struct.pack_into("<H", data, min(at, len(data) - 2), rng.choice((0, 1, 0x8000, 0xFFFF)))
        else:
            data += rng.choice((b"\0", b"PK\5\6" + bytes(18), b"tail"))
    return kind, "a.zip", bytes(data)


PATHS = (
    "../x",
    "/x",
    "a/../x",
    "a//x",
    "a\\x",
    "C:/x",
    "aux.md",
    "com1",
    "a/nul.txt",
    "x.",
    "x ",
    " x",
    "a:b",
    "a?b",
    "é.md",
    "É.md",
    "ß",
    "SS",
    "x" * 256,
    "a/" * 60 + "x",
    "commands",
    "commands/",
    "COMMANDS/hello.md",
    "commands/hello.md/x",
    "extension.yml",
    "EXTENSION.yml",
    "preset.yml",
    "step.yml",
    "other/extension.yml",
    "__MACOSX/x",
    ".DS_Store",
    "__init__.py",
    "a\u0301",
    "\u00e1",
    "x\x01y",
    "a/b/",
    "dir/",
    "x/./y",
    "CON",
    "conin$",
    "lpt¹",
    "a\u0085b",
    "K",
    "\u212a",
    "README",
    "readme",
)


def archive_mutant(rng):
    """Changes which files there are, and what the archive says of them."""
    kind = rng.choice(packages.KINDS)
    files = list(packages.files(kind).items())
    folder = rng.choice(("", "", "acme/", "a/b/", "acme\\"))
    files = [(folder + path, content) for path, content in files]
    for _ in range(rng.choice((0, 1, 1, 2))):
        files.insert(
            rng.randrange(len(files) + 1), (rng.choice((folder, "")) + rng.choice(PATHS), "x")
        )
    if rng.randrange(4) == 0:
        del files[rng.randrange(len(files))]
    if rng.randrange(12) == 0:
        count = rng.choice((505, 510, 512, 520))
        files += [(f"{folder}many/{number}", "") for number in range(count)]
    data = packages_with(rng, files)
    if rng.randrange(8) == 0:
        data = rng.choice((b"#!/bin/sh\n", b"PK\x03\x04")) + data
    name = rng.choice(("a.zip",) * 8 + ("a", "a.tar.gz", "a.TGZ", "a.tar.gz.zip", "a b é.zip"))
    return kind, name, data


def packages_with(rng, files):
    import io

    buffer = io.BytesIO()
    methods = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) * 6 + (zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)
    with zipfile.ZipFile(buffer, "w") as target:
        for path, content in files:
            entry = zipfile.ZipInfo("x", (2026, 1, 1, 0, 0, 0))
            entry.filename = path
            entry.compress_type = rng.choice(methods)
            entry.external_attr = rng.choice((0o100644,) * 12 + (0o120777, 0o040755, 0)) << 16
            if rng.randrange(20) == 0:
                entry.extra = rng.choice((b"\1\0\0\0", b"UT\5\0\0\0\0\0\0", b"UT\xff\0", b"xx"))
            with target.open(entry, "w", force_zip64=rng.randrange(40) == 0) as member:
                member.write(content if isinstance(content, bytes) else content.encode())
        if rng.randrange(6) == 0:
            target.comment = rng.choice(
                (b"comment", b"x" * 65535, b"PK\5\6", b"PK\5\6" + bytes(18))
            )
    return buffer.getvalue()


def mutants(seed, count):
    """`count` packages: (kind, file name, bytes); the same for the same seed."""
    rng = random.Random(seed)
    ways = (manifest_mutant, manifest_mutant, bytes_mutant, archive_mutant)
    for number in range(count):
        yield ways[number % len(ways)](rng)
