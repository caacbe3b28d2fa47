#!/bin/sh
# Runs in the virtual machine of scripts/systemd-test.sh, which systemd has booted: installs the
# server with the documents' commands, and checks what the documents promise.
set -u

PATH=/tmp/bin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
EDITOR=/tmp/bin/editor
export PATH EDITOR HOME=/root TERM=dumb

end() {
    echo "systemd-test: $1"
    sync
    systemctl poweroff --force --force
}

fail() {
    journalctl --no-pager --quiet --lines 30 --unit release-server
    end "failed: $1"
    exit 1
}

# expect WHAT WANTED GOT
expect() {
    [ "$2" = "$3" ] || fail "$1: '$3', not '$2'"
    echo "ok: $1: $3"
}

# eventually WHAT COMMAND...: until the command succeeds, for some 2 minutes.
eventually() {
    what=$1 tries=0
    shift
    until "$@" >/dev/null 2>&1; do
        tries=$((tries + 1))
        [ "$tries" -lt 240 ] || fail "$what: not within 2 minutes"
        sleep 0.5
    done
}

property() { systemctl show --value --property "$1" release-server; }
ask() { curl --silent --show-error --max-time 60 "$@"; }
status_of() { ask --output /dev/null --write-out '%{http_code}' "$@"; }
ready() { [ "$(status_of "$base/readyz" 2>/dev/null)" = 200 ]; }

# publish NAME: the status.
publish() {
    status_of --header "Authorization: Bearer $(cat /etc/release-server/token)" \
        --upload-file /tmp/package "$base/assets/$1"
}

# run FILE DROP_IN: commands of a document; `systemctl edit`, which asks for a terminal, gets the
# drop-in as what the user enters.
run() {
    cp "$2" /tmp/entered
    script --quiet --return --command "sh -eu $1" /dev/null >/tmp/run.log 2>&1 ||
        fail "$1: $(cat /tmp/run.log)"
}

enter() {
    echo 'systemctl edit release-server' >/tmp/edit.sh
    run /tmp/edit.sh "$1"
    systemctl restart release-server || fail "no restart with $1"
}

killed() {
    before=$(property MainPID)
    kill -KILL "$before"
    eventually "a restart after a kill" restarted
    eventually "readiness after a kill" ready
}
restarted() { [ "$(property MainPID)" != "$before" ] && [ "$(property MainPID)" != 0 ]; }

restarts_over() { [ "$(property NRestarts)" -gt "$1" ]; }

echo "$(systemctl --version | head -n 1), booted"
mkdir /tmp/bin
printf '#!/bin/sh\nexec "$@"\n' >/tmp/bin/sudo
# shellcheck disable=SC2016 # the quotes keep the argument for the editor
printf '#!/bin/sh\ncat /tmp/entered >"$1"\n' >/tmp/bin/editor
chmod +x /tmp/bin/*
base=http://localhost:8000
head -c 3000000 /dev/urandom >/tmp/package

cd /mnt && run /mnt/install.sh /dev/null && cd /
eventually "readiness" ready
expect "a publish to the unit's own directory" 201 "$(publish first.zip)"
expect "the network it waits for" network-online.target \
    "$(property Wants | grep -o network-online.target)"

killed
expect "restarts after a kill" 1 "$(property NRestarts)"
# Over 5 starts, which would be systemd's limit, fail before what they need is there.
mv /etc/release-server/token /etc/release-server/late
systemctl restart release-server 2>/dev/null && fail "a start without a token"
eventually "more restarts than systemd allows by default" restarts_over 6
mv /etc/release-server/late /etc/release-server/token
eventually "readiness once the token is there" ready
echo "ok: ready after $(property NRestarts) restarts"

mkdir -p /srv/packages
printf '[Service]\nEnvironment=STORAGE_PATH=/srv/packages\n' >/tmp/path.conf
enter /tmp/path.conf
eventually "an answer" ask "$base/healthz"
expect "a publish with STORAGE_PATH alone" 500 "$(publish second.zip)"

run /mnt/move.sh /mnt/move.conf
systemctl start release-server || fail "no start after the documented change"
eventually "readiness with another directory" ready
expect "a publish after the documented change" 201 "$(publish second.zip)"
expect "its owner" release-server "$(stat --format %U /srv/packages/second.zip)"
ask --output /tmp/fetched "$base/assets/first.zip"
cmp /tmp/fetched /tmp/package || fail "the package from before the change differs"
echo "ok: the package from before the change is there"

live=/etc/letsencrypt/live/releases.example.org
mkdir -p "$live"
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=releases.example.org \
    -addext subjectAltName=DNS:releases.example.org \
    -keyout "$live/privkey.pem" -out "$live/fullchain.pem" 2>/dev/null
chmod 600 "$live/privkey.pem"
sed 1d /mnt/https.conf | cat /mnt/move.conf - >/tmp/https.conf
base="https://releases.example.org:8000"
echo '127.0.0.1 releases.example.org' >>/etc/hosts
export CURL_CA_BUNDLE="$live/fullchain.pem"
enter /tmp/https.conf
eventually "readiness over HTTPS" ready
expect "a publish over HTTPS" 201 "$(publish third.zip)"

systemctl stop release-server
expect "the result of a stop" success "$(property Result)"
end passed
