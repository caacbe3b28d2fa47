"""This server's reader of packages against upstream's own: whatever is listed, `specify` installs.

    differential.py BASE_URL [COUNT [SEED]]

Needs the server's token in TOKEN, and the interpreter of an environment with `specify-cli`.
Publishes COUNT changed packages (1000 unless given), one at a time, and compares what the answer
and the catalog say of each with what upstream's code says of the same bytes. Exit code 1 with a
line for each difference.
"""

import collections
import http.client
import json
import os
import re
import sys
import urllib.parse
import warnings

import mutations
import reader

# What upstream says of parts that lie deeper than this server looks: commands, templates, steps of
# workflows, components of bundles. The reader's own sentence of each.
DEEPER = re.compile(
    r"(?i)hook '|invalid hook|command missing|command name|command 'file'|each command entry"
    r"|aliases for|invalid template|template missing|each template entry|duplicate template"
    r"|invalid strategy|invalid event|unknown event|event '|input '|step '|step must|step id"
    r"|invalid (command|script)|'(steps|outputs)|entry is missing its 'id'|must be pinned"
    r"|has invalid version|priority|entry must be a mapping|duplicate (extension|preset)"
)


class Server:
    """One connection to the server under test."""

    def __init__(self, base):
        parts = urllib.parse.urlsplit(base)
        self.connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=30)

    def ask(self, method, path, body=None):
        headers = {"Authorization": f"Bearer {os.environ['TOKEN']}"}
        self.connection.request(method, path, body, headers)
        answer = self.connection.getresponse()
        content = answer.read()
        if answer.status >= 400:
            raise RuntimeError(f"{method} {path}: {answer.status} {content[:300]}")
        return json.loads(content) if content else None

    def read(self, name, content):
        """What the server says of a package, and its entry in the catalog if it is listed."""
        path = "/assets/" + urllib.parse.quote(name)
        said = self.ask("PUT", path, content).get("package")
        entry = None
        if said and said["listed"]:
            kind = said["kind"] + "s"
            entry = self.ask("GET", f"/catalogs/{kind}.json")[kind][said["id"]]
        self.ask("DELETE", path)
        return said, entry


def compare(server, kind, name, content):
    """The outcome of one package as two words, and what is wrong, if anything."""
    said, entry = server.read(name, content)
    try:
        upstream = reader.read(said["kind"] if said else kind, name, content)
        refusal = None
    except Exception as error:  # pylint: disable=broad-except
        upstream, refusal = None, f"{type(error).__name__}: {error}"
    if entry is None:
        reason = said["reason"] if said else "plain"
        return f"{reason}, {'installable' if upstream else 'refused'}", None
    if upstream is None:
        if DEEPER.search(refusal):
            return "listed, refused for what lies deeper", None
        return "listed, refused", f"is listed; specify says: {refusal}"
    different = {
        key: (value, entry.get(key)) for key, value in upstream.items() if entry.get(key) != value
    }
    if different:
        return "listed, read differently", f"is read differently: {different}"
    return "listed, installable", None


def main():
    warnings.simplefilter("ignore")
    server = Server(sys.argv[1])
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 1000
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else 1
    outcomes = collections.Counter()
    failed = False
    for number, (kind, name, content) in enumerate(mutations.mutants(seed, count)):
        outcome, wrong = compare(server, kind, name, content)
        outcomes[outcome] += 1
        if wrong:
            failed = True
            print(f"package {number} of seed {seed} ({kind}, {name}) {wrong}")
    for outcome, number in sorted(outcomes.items()):
        print(f"{number:6} {outcome}")
    sys.exit(1 if failed or not outcomes["listed, installable"] else 0)


if __name__ == "__main__":
    main()
