# vqvae in a container: a builder with Swift, and an image without it.
#
#   docker build -t vqvae .
#   docker run --rm --user "$(id -u):$(id -g)" -v "$PWD:/work" vqvae train --config /usr/share/vqvae/configs/smoke.yaml
#
# No Docker engine runs in this project's CI. CI runs `make package` and, in a minimal Debian of the same release,
# the installation of the .deb with the same apt-get (scripts/test_package.sh). Not run there are only the
# installation of make, and what Docker itself does.
#
# Both stages are of one release of Debian, because the package needs a C library as new as the builder's.

FROM swift:6.2-bookworm AS builder
WORKDIR /src
COPY . .
RUN apt-get update -qq && apt-get install -qq -y --no-install-recommends make && make package

FROM debian:bookworm-slim
COPY --from=builder /src/dist/*.deb /tmp/vqvae.deb
RUN apt-get update -qq && apt-get install -qq -y --no-install-recommends /tmp/vqvae.deb \
  && rm -rf /tmp/vqvae.deb /var/lib/apt/lists/*
WORKDIR /work
ENTRYPOINT ["vqvae"]
CMD ["--help"]
