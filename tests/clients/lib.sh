# shellcheck shell=sh disable=SC2034 # most variables here are for the scripts that source this
# Shared by the clients in shell: steps that fail by themselves and let the next one run, the table
# of names, and the questions to judge.py. run.sh sets BASE, TOKEN, WORK, PYTHON, HERE and CLIENT.
# REDIRECTS is set where the server redirects downloads.

FILES=$WORK/files
BIG=$WORK/big.bin
MINE=$WORK/$CLIENT
AUTH="Authorization: Bearer $TOKEN"
TAB=$(printf '\t')
FAILED=no
mkdir "$MINE"

# fail WHY: ends the step.
fail() {
    printf "%s: %s of '%s': %s\n" "$CLIENT" "$OPERATION" "$NAME" "$1" >&2
    exit 1
}

# step OPERATION NAME COMMAND...: runs the command in a shell of its own. It reports a difference
# with `fail`.
step() {
    OPERATION=$1 NAME=$2
    shift 2
    ("$@") </dev/null || FAILED=yes
}

# each_name KIND OPERATION FUNCTION: a step for each package of the kind, form or put. FUNCTION
# finds its id, its name percent-encoded and its name in ID, ENCODED and NAME.
each_name() {
    while IFS=$TAB read -r ID ENCODED NAME <&3; do
        step "$2" "$NAME" "$3"
    done 3<"$WORK/names-$1.tsv"
}

# judge ARGUMENT...: see judge.py.
judge() {
    "$PYTHON" "$HERE/judge.py" "$@" >&2 || FAILED=yes
}

sha256() {
    sha256sum <"$1" | cut -d ' ' -f 1
}

# same FILE WANTED: the file has the bytes of another.
same() {
    [ -f "$1" ] || fail "there is no file '$1'"
    got=$(sha256 "$1") wanted=$(sha256 "$2")
    [ "$got" = "$wanted" ] ||
        fail "sha256 of $(wc -c <"$1") bytes is $got, not $wanted of $(wc -c <"$2") bytes"
}

# holds FILE TEXT WHAT: a line of the file holds the text.
holds() {
    grep -qF -- "$2" "$1" || fail "$3: no '$2' in: $(tail -c 400 "$1")"
}

# equal WHAT GOT WANTED
equal() {
    [ "$2" = "$3" ] || fail "$1 is '$2', not '$3'"
}

# finish: the exit status of the client's script.
finish() {
    [ "$FAILED" = no ]
    exit
}
