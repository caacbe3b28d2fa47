# Shell functions and the version, for the scripts of a release; read with `.` from the project's
# directory.
# shellcheck shell=sh

# shellcheck disable=SC2034 # the scripts use it
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml)

fail() {
    echo "${0##*/}: $1" >&2
    exit 1
}

# changelog_section NAME: the lines below "## NAME" or "## [NAME]", up to the next section.
changelog_section() {
    awk -v name="$1" '/^## / { on = ($2 == name || $2 == "[" name "]"); next } on' CHANGELOG.md
}

# pack DIRECTORY NAME FILE: packs DIRECTORY/NAME without anything of this machine: no times, owners,
# modes of the umask, order of the file system. Needs SOURCE_DATE_EPOCH.
pack() {
    tar --create --directory "$1" --format=ustar --sort=name --mtime="@$SOURCE_DATE_EPOCH" \
        --owner=0 --group=0 --numeric-owner --mode=u=rwX,go=rX "$2" | gzip -n -9 >"$3"
}

# The time of every file in packages and images; default: the commit's.
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
export SOURCE_DATE_EPOCH
