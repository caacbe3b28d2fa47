# The image: the static binary, its licenses, the directories that it uses, and nothing else.
#
#   scripts/build.sh        builds the image, for one platform or several
#
# The builder stage runs on the machine's platform and compiles for the requested one (amd64, arm64,
# arm/v7), so that nothing is emulated. BuildKit and docker's older builder both accept this file;
# the older one builds only for the machine's own platform. With BuildKit the same commit gives the
# same image wherever it is built: the base is named by its digest, and Debian's packages come from
# the snapshot of the day on which the base was built.

# The Rust version is that of rust-toolchain.toml.
ARG BASE=docker.io/library/rust:1.95.0-slim-bookworm@sha256:d7482085ff5b415f84dba5647ae71606650bdef00db7aeb69f4b3d170c3e4082
# A scan of the image alone would miss the crates, which Cargo.lock lists, and the C library, a
# package of the builder stage.
ARG BUILDKIT_SBOM_SCAN_CONTEXT=true

FROM --platform=${BUILDPLATFORM:-linux} ${BASE} AS build
ARG BUILDKIT_SBOM_SCAN_STAGE=true
WORKDIR /build

# For another processor: its linker, C library and Rust library. The base's list of sources has the
# address of its snapshot in comments.
ARG TARGETARCH
ARG TARGETVARIANT
# hadolint ignore=DL3008 # the snapshot fixes the versions
RUN set -eu; \
    case "${TARGETARCH:-$(dpkg --print-architecture)}${TARGETVARIANT:-}" in \
        amd64*) target=x86_64-unknown-linux-gnu; set gcc-x86-64-linux-gnu libc6-dev-amd64-cross ;; \
        arm64*) target=aarch64-unknown-linux-gnu; set gcc-aarch64-linux-gnu libc6-dev-arm64-cross ;; \
        armv7 | armhf) target=armv7-unknown-linux-gnueabihf; set gcc-arm-linux-gnueabihf libc6-dev-armhf-cross ;; \
        *) echo "'${TARGETARCH:-}/${TARGETVARIANT:-}' is not supported; the platforms are amd64, arm64 and arm/v7" >&2; exit 1 ;; \
    esac; \
    echo "$target" >/target; \
    if [ "$target" != "$(rustc --print host-tuple)" ]; then \
        rustup target add "$target"; \
        sources=/etc/apt/sources.list.d/debian.sources; \
        sed -i -e '/^URIs: /d' -e 's|^# \(http://snapshot\.debian\.org/\)|URIs: \1|' "$sources"; \
        grep -q '^URIs: http://snapshot' "$sources" || { \
            echo "$sources names no snapshot, which would fix the versions of packages" >&2; \
            exit 1; \
        }; \
        apt-get update -o Acquire::Check-Valid-Until=false; \
        apt-get install -y --no-install-recommends "$@"; \
        rm -rf /var/lib/apt/lists/*; \
    fi

# The dependencies, with an empty program: this layer is reused while only the sources change.
COPY Cargo.lock Cargo.toml ./
COPY scripts/static.c scripts/static.sh scripts/
RUN mkdir src && touch src/lib.rs && echo 'fn main() {}' >src/main.rs && scripts/static.sh "$(cat /target)"

COPY openapi.yaml ./
COPY templates templates
COPY src src
# Cargo compares times, and the sources are older than the empty program.
RUN touch src/lib.rs src/main.rs && \
    install -D "$(scripts/static.sh "$(cat /target)")" /image/release-server && \
    install -d -m 775 /image/directories/data && \
    install -d /image/directories/etc/release-server

FROM scratch
ARG VERSION=
ARG REVISION=
ARG CREATED=
ARG SOURCE=
LABEL org.opencontainers.image.title="release-server" \
      org.opencontainers.image.description="Publish spec-kit template packages and let everyone fetch them" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION" \
      org.opencontainers.image.created="$CREATED" \
      org.opencontainers.image.source="$SOURCE"
COPY --from=build /image/release-server /
COPY LICENSE THIRD-PARTY-LICENSES.txt LGPL-2.1.txt /licenses/
# Group 0 may write to /data, because a container that runs with any other user id is in that group.
COPY --from=build --chown=65532:0 /image/directories /
USER 65532:65532
VOLUME /data
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=5s --retries=3 CMD ["/release-server", "healthcheck"]
ENTRYPOINT ["/release-server"]
