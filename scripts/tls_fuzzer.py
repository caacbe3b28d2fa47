"""Runs scripts of tlsfuzzer against a server and reports every failure that is not accepted here.

    python3 scripts/tls_fuzzer.py TLSFUZZER RSA_PORT ECDSA_PORT [NAME…]

TLSFUZZER is a checkout of https://github.com/tlsfuzzer/tlsfuzzer; this Python has tlslite-ng. The
ports belong to one server each, with a key of that kind. NAME selects scripts.

Left out are scripts for what the server does not speak: client certificates, CBC and CCM suites,
RSA and finite-field key exchange, TLS 1.1 and older, heartbeat, and scripts of TLS 1.2 whose client
sends no signature_algorithms, with which rustls ends every handshake.
"""

import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys

SUITE = ["-C", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"]
TIMEOUT_SECONDS = 300

# Why what the server does may differ from what tlsfuzzer expects. Each time the connection ends, or
# goes on safely.
ALERT = "rustls sends another alert than the script expects"
NO_ALERT = "rustls ends the connection without an alert"
ABSENT = "ring has neither this group nor this suite"
SCHEME = "this key makes no such signature in the versions and sizes that rustls uses"
RENEGOTIATION = "rustls refuses renegotiation with a warning"
LENIENT = "rustls does not check this, and chooses only from what it knows"
LONG = "a handshake message over 18 KiB is refused, so that strangers hold little memory"
POINTS = "rustls leaves out ec_point_formats: uncompressed points are the only ones"
TICKETS = "the tickets come before the answer, and the script waits for others after it"
KEY_UPDATE = "rustls answers KeyUpdates once, with its next record (RFC 8446, section 4.6.3)"
EARLY = "early data of another server's ticket is dropped up to 16 KiB, as it arrives"
CCS = "rustls drops two such messages; the handshake's 10 s end the wait"
PSK = "rustls resumes only with a key exchange of its own"
OLD = "TLS 1.1 is not spoken"

# Script, key, arguments, and accepted failures: a pattern for the whole name of a probe, and why.
SCRIPTS = [
    (
        "tls13-0rtt-garbage",
        "rsa",
        ["--num-bytes", "1000"],
        {".*downgrade to TLS 1.2.*": ABSENT, "undecryptable record later .*": EARLY},
    ),
    ("tls13-ccs", "rsa", [], {}),
    ("tls13-connection-abort", "rsa", [], {"After NewSessionTicket": TICKETS}),
    ("tls13-conversation", "rsa", [], {}),
    ("tls13-conversation", "ecdsa", [], {}),
    ("tls13-count-tickets", "rsa", [], {}),
    ("tls13-crfg-curves", "rsa", [], {".*x448.*": ABSENT, "empty x25519 key share": ALERT}),
    ("tls13-ecdhe-curves", "rsa", [], {".*(x448|secp521r1).*": ABSENT}),
    ("tls13-ecdsa-support", "ecdsa", [], {"Test with .*": SCHEME}),
    ("tls13-empty-alert", "rsa", [], {"empty alert .*": ALERT}),
    ("tls13-finished", "rsa", [], {"(padding|truncation) .*": ALERT}),
    ("tls13-finished-plaintext", "rsa", [], {"Unencrypted Finished message": ALERT}),
    ("tls13-hrr", "rsa", [], {}),
    ("tls13-invalid-ciphers", "rsa", [], {}),
    ("tls13-keyshare-omitted", "rsa", [], {"key_share extension omitted": ALERT}),
    (
        "tls13-keyupdate",
        "rsa",
        [],
        {"app data split, conversation with .*|multiple KeyUpdate messages": KEY_UPDATE},
    ),
    (
        "tls13-large-number-of-extensions",
        "rsa",
        [],
        {"unassigned extensions with random payload, .*": LONG},
    ),
    ("tls13-legacy-version", "rsa", [], {"version .*": LENIENT}),
    ("tls13-multiple-ccs-messages", "rsa", [], {"(?!sanity|.*TLS record).*": CCS}),
    ("tls13-no-unknown-groups", "rsa", [], {}),
    ("tls13-nociphers", "rsa", [], {}),
    ("tls13-obsolete-curves", "rsa", [], {"(?!sanity).*": LENIENT}),
    ("tls13-pkcs-signature", "rsa", [], {"rsa_pkcs1_.*": SCHEME}),
    (
        "tls13-record-layer-limits",
        "rsa",
        [],
        {"(too big ciphertext|max size payload) .*": ALERT, "too big ClientHello msg.*": LENIENT},
    ),
    ("tls13-record-padding", "rsa", [], {}),
    ("tls13-rsa-signatures", "rsa", [], {"tls13 signature rsa_pss_pss_.*": SCHEME}),
    (
        "tls13-session-resumption",
        "rsa",
        ["--tls1.2-cipher", SUITE[1]],
        {"session resumption - PSK_ONLY": PSK},
    ),
    ("tls13-shuffled-extentions", "rsa", [], {"HRR reversed order .*": LENIENT}),
    (
        "tls13-signature-algorithms",
        "rsa",
        [],
        {r".*\d{5}.*": LONG, "only (legacy|undefined) sigalgs": ALERT},
    ),
    ("tls13-symetric-ciphers", "rsa", [], {".*_CCM_.*": ABSENT}),
    ("tls13-unencrypted-alert", "rsa", [], {}),
    (
        "tls13-unrecognised-groups",
        "rsa",
        [],
        {".*ffdhe2048.*": ABSENT, ".*key_share of size (128|256).*": LONG},
    ),
    ("tls13-version-negotiation", "rsa", SUITE, {".* to (1.0|1.1)": OLD}),
    ("tls13-zero-content-type", "rsa", [], {"zero content type .*": NO_ALERT}),
    ("tls13-zero-length-data", "rsa", [], {".* interleaved in handshake": NO_ALERT}),
    ("ccs", "rsa", SUITE, {"two bytes long CCS": ALERT}),
    ("connection-abort", "rsa", SUITE, {}),
    ("conversation", "rsa", SUITE, {}),
    ("cve-2004-0079", "rsa", SUITE, {".* interleaved ClientHello fragment": NO_ALERT}),
    ("cve-2016-6309", "rsa", SUITE, {}),
    ("cve-2016-7054", "rsa", [], {}),
    ("early-application-data", "rsa", SUITE, {}),
    (
        "ecdsa-sig-flexibility",
        "ecdsa",
        ["-C", "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"],
        {"connect with sha(1|224|384|512).ecdsa only": SCHEME},
    ),
    ("fuzzed-ciphertext", "rsa", SUITE, {}),
    ("hello-request-by-client", "rsa", SUITE, {}),
    ("interleaved-CKE-with-CCS", "rsa", SUITE, {".* interleaved .*": NO_ALERT}),
    (
        "interleaved-application-data-and-fragmented-handshakes-in-renegotiation",
        "rsa",
        SUITE,
        {
            "Application data inside Client Hello": NO_ALERT,
            "Application data inside (Client Key Exchange|Finished)": RENEGOTIATION,
        },
    ),
    (
        "interleaved-application-data-in-renegotiation",
        "rsa",
        SUITE,
        {"Application data before .*": RENEGOTIATION},
    ),
    (
        "invalid-client-hello-w-record-overflow",
        "rsa",
        SUITE,
        {r"Client Hello type fuzz to \d+": ALERT},
    ),
    ("invalid-compression-methods", "rsa", SUITE, {}),
    ("invalid-content-type", "rsa", SUITE, {}),
    (
        "large-hello",
        "rsa",
        ["-d"],
        {r"ciphers \w+ (9\d{3}|1\d{4})|multiple .* \d{4,5}|.* (1[6-9]|[2-6]\d)\d{3} bytes": LONG},
    ),
    ("no-mlkem-in-old-tls", "rsa", SUITE, {}),
    ("point-extension", "rsa", SUITE, {"Check if .*uncompressed.*": POINTS}),
    (
        "record-layer-fragmentation",
        "rsa",
        SUITE,
        {"(big|maximum size).*": LONG, "non fragmented, over fragmentation limit: .*": LENIENT},
    ),
    ("renegotiation-disabled", "rsa", SUITE, {}),
    ("sslv2-connection", "rsa", [], {}),
    ("truncating-of-client-hello", "rsa", SUITE, {"(big|huge|max) pad: .*": LONG}),
    ("version-numbers", "rsa", SUITE, {}),
    ("zero-length-data", "rsa", SUITE, {}),
]


def run(fuzzer, port, name, arguments):
    """The counts of a script, and the names of the probes that failed."""
    script = fuzzer / "scripts" / f"test-{name}.py"
    command = [sys.executable, str(script), "-h", "localhost", "-p", port, *arguments]
    environment = dict(os.environ, PYTHONPATH=str(fuzzer))
    try:
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=TIMEOUT_SECONDS
        )
    except subprocess.TimeoutExpired:
        return 0, 0, [f"no end within {TIMEOUT_SECONDS} s"]
    counts = dict(re.findall(r"^(TOTAL|FAIL): (\d+)$", done.stdout, re.M))
    failed = re.findall(r"^\t['\"](.*)['\"]$", done.stdout.partition("FAILED:\n")[2], re.M)
    if "FAIL" not in counts or len(failed) != int(counts["FAIL"]):
        last = (done.stdout + done.stderr).strip().splitlines()[-1:]
        return 0, 0, [f"the script has no result: {' '.join(last)}"]
    return int(counts["TOTAL"]), int(counts["TOTAL"]) - len(failed), failed


def check(fuzzer, ports, script):
    """The line of a script, and its unaccepted failures."""
    name, key, arguments, accepted = script
    total, passed, failed = run(fuzzer, ports[key], name, arguments)
    reasons, unaccepted = {}, []
    for probe in failed:
        why = next((why for what, why in accepted.items() if re.fullmatch(what, probe)), None)
        if why:
            reasons[why] = reasons.get(why, 0) + 1
        else:
            unaccepted.append(probe)
    line = f"{name} ({key}): {passed} of {total} as expected"
    line += "".join(f"; {count}: {why}" for why, count in reasons.items())
    return line, unaccepted


def main():
    fuzzer, ports = pathlib.Path(sys.argv[1]), dict(zip(("rsa", "ecdsa"), sys.argv[2:4]))
    wanted = sys.argv[4:]
    scripts = [script for script in SCRIPTS if not wanted or script[0] in wanted]
    findings = 0
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for line, unaccepted in pool.map(lambda script: check(fuzzer, ports, script), scripts):
            print(line)
            for probe in unaccepted:
                print(f"  NOT ACCEPTED: {probe}")
            findings += len(unaccepted)
            sys.stdout.flush()
    print(f"tlsfuzzer: {len(scripts)} scripts, {findings} failures that are not accepted")
    sys.exit(1 if findings else 0)


if __name__ == "__main__":
    main()
