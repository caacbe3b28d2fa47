"""The experiments of scripts/peers.sh, on this server and each peer; each cell is a result.

Invariants: experiments on behaviour run for all servers at once, and more than once; measurements
run for one server after the other, in another order in each round; a failed experiment leaves the
others; every started process is stopped.
"""

import contextlib
import functools
import os
import pathlib
import re
import resource
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

import peer_facts as facts
from bench_load import Load, measure
from bench_servers import KIB
from bench_table import parse_options, spread
from peer_servers import Copyparty, Dufs, Miniserve, Nginx, ReleaseServer

ATTEMPTS = 2
# Run for all servers at once.
FACTS = {
    "a publish needs; a download needs": facts.credentials,
    "readers get during an upload": facts.during_upload,
    "left of an upload that was cut": facts.cut_upload,
    "left after `kill -9` during an upload and a new start": facts.killed,
    "a cut upload can be continued": facts.continued_upload,
    "a part sent with `Content-Range`, as by `curl -C 512 -T`": facts.part_published,
    "an existing name published again": facts.published_again,
    "a download gets while its file is replaced": facts.replaced_download,
    "synced to disk before the answer": facts.synced,
    "an upload with a wrong SHA-256 stated": facts.stated_checksum,
    "SHA-256 of a download": facts.offered_checksum,
    "a download can be resumed (`Range`, `If-Range`)": facts.resumed,
    "of five files stay, where a limit of three can be set": facts.retention,
    "`specify init --template-url`": facts.specify,
    "TLS without a proxy": facts.encrypted,
    "a client that stops is closed: in its head, in its body": facts.patience,
}
# Run for one after the other.
LOADS = {
    "others are answered beside 1,000 stopped in their head, body": facts.stalled,
    "full disk: status; left": facts.full_disk,
    "program": facts.binary,
    "memory idle, during 8 uploads of 100 MiB": facts.memory,
}


def attempts(experiment, kind, work):
    """A cell of a table of facts; results that differ between runs are all shown."""
    results = dict.fromkeys(attempt(experiment, kind, work) for _ in range(ATTEMPTS))
    return " / in another run: ".join(results)


def attempt(experiment, kind, work):
    """A result. An experiment that fails leaves the others."""
    with contextlib.ExitStack() as stack:
        try:
            return experiment(lambda **options: launch(kind, work, stack, **options))
        except (Exception, SystemExit) as error:
            print(f"peers: {experiment.__name__}: {kind.tool}: {error!r}", file=sys.stderr)
            return "failed"


def launch(kind, work, stack, disk=None, **options):
    root = pathlib.Path(tempfile.mkdtemp(dir=work))
    stack.callback(shutil.rmtree, root, ignore_errors=True)
    if disk:
        (root / "data").mkdir()
        subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={disk}", "none", root / "data"], check=True
        )
        stack.callback(subprocess.run, ["umount", root / "data"], check=True)
    server = kind(root, **options)
    stack.callback(server.stop)
    return server


def speed(kinds, starts, rounds, seconds):
    """Rows of downloads a second and CPU time for each, beside this server's of the same round."""
    runs = {kind: [] for kind in kinds}
    servers = {kind: start() for kind, start in zip(kinds, starts)}
    for server in servers.values():
        server.publish(facts.NAME, os.urandom(64 * KIB))
        assert server.get(facts.NAME)[0] == 200
    for number in range(rounds):
        # The first of one round is the last of the next.
        order = [*servers.items()]
        for kind, server in order[number % len(order) :] + order[: number % len(order)]:
            header = server.read_authorization and f"Authorization: {server.read_authorization}"
            load = Load(server.url(facts.NAME), 32, 200, header)
            runs[kind].append(measure(server, load, seconds)[:2])
    for index, form in enumerate(("{:,.0f}/s", "{:.0f} µs")):
        column = [spread([run[index] for run in runs[kind]])[1] for kind in kinds]
        pairs = [zip(runs[kind], runs[kinds[0]]) for kind in kinds]
        ratios = [spread([run[index] / own[index] for run, own in pair]) for pair in pairs]
        yield [
            f"{form.format(value)}, {middle:.2f} × ({low:.2f} to {high:.2f})"
            for value, (low, middle, high) in zip(column, ratios)
        ]


def version(kind):
    """The first number with a dot in what the program says of itself."""
    command = (
        [kind.binary, "--version"]
        if kind is ReleaseServer
        else [kind.tool, "-v" if kind is Nginx else "--version"]
    )
    run = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return re.search(r"\d+\.[\d.]+", run.stdout)[0]


def main():
    options = parse_options("peers.sh", "compares this server with its peers")
    ReleaseServer.binary = os.path.abspath(options.binary)
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    peers = [Nginx, Dufs, Miniserve, Copyparty]
    for peer in peers:
        if not shutil.which(peer.tool):
            print(f"peers: {peer.tool} is not in PATH and left out", file=sys.stderr)
    kinds = [ReleaseServer, *(peer for peer in peers if shutil.which(peer.tool))]
    work = pathlib.Path(tempfile.mkdtemp(prefix="peers-"))

    def row(title, cells):
        print(f"| {title} | {' | '.join(cells)} |", flush=True)

    row("", [f"{kind.tool} {version(kind)}" for kind in kinds])
    print(f"|{'---|' * (len(kinds) + 1)}")
    try:
        for title, experiment in FACTS.items():
            with ThreadPoolExecutor() as pool:
                row(title, pool.map(lambda kind: attempts(experiment, kind, work), kinds))
        for title, experiment in LOADS.items():
            row(title, [attempt(experiment, kind, work) for kind in kinds])
        with contextlib.ExitStack() as stack:
            starts = [functools.partial(launch, kind, work, stack) for kind in kinds]
            rows = speed(kinds, starts, options.rounds, options.seconds)
            for title, cells in zip(("downloads of 64 KiB", "CPU time for each"), rows):
                row(title, cells)
    finally:
        shutil.rmtree(work)


if __name__ == "__main__":
    main()
