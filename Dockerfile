# syntax=docker/dockerfile:1

# docker build -t scv-bridge .            (BuildKit, the default since Docker 23)
# docker run --read-only --cap-drop ALL -p 8080:8080 -v /etc/scv-bridge:/etc/scv-bridge:ro \
#     -v scv-bridge:/var/lib/scv-bridge scv-bridge
#
# The volume holds the database: store.url is relative to the working directory, so its default is
# /var/lib/scv-bridge/data/bridge.db. Without a name, each container begins with an empty one.
#
# In a container `server.listen` is "0.0.0.0:8080"; such an address needs `server.tls` or
# `server.trusted_proxy = true`. Keys must be readable for user 65532.

ARG RUST_VERSION=1.95
ARG DEBIAN=bookworm

FROM rust:${RUST_VERSION}-slim-${DEBIAN} AS build
RUN apt-get update \
    && apt-get install -y --no-install-recommends libssl-dev pkg-config \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /build

COPY . .
# Both caches outlive this layer: a change of our own sources builds none of the dependencies again,
# and a change of one dependency builds that one.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/build/target \
    cargo build --locked --release \
    && install -m 0755 target/release/scv-bridge /usr/local/bin/scv-bridge

# Debian's libssl3 rather than a static OpenSSL: a rebuild on a new base brings its security fixes
# without a new release of ours.
FROM debian:${DEBIAN}-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates libssl3 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 65532 --user-group --no-create-home --home-dir /var/lib/scv-bridge scv-bridge \
    && install -d -o scv-bridge -g scv-bridge -m 0700 /var/lib/scv-bridge
COPY --from=build /usr/local/bin/scv-bridge /usr/local/bin/scv-bridge

# By number: Kubernetes' runAsNonRoot cannot read a name.
USER 65532:65532
# The one place that is ours to write; the rest may be read-only.
WORKDIR /var/lib/scv-bridge
VOLUME ["/var/lib/scv-bridge"]
ENV SCV_BRIDGE_CONFIG=/etc/scv-bridge/bridge.toml
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=5s CMD ["scv-bridge", "healthcheck"]
ENTRYPOINT ["scv-bridge"]
CMD ["serve"]
