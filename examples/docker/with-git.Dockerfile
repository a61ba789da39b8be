# syntax=docker/dockerfile:1
# A service, its change instrumented, where .git is in the build context (keep it out of
# .dockerignore). BASE is scratch or distroless; either way nobody runs as root.
#   docker build -f with-git.Dockerfile --build-arg BASE=scratch -t shop:v2 .
ARG GO=golang:1.26
ARG GOAT=ghcr.io/goat-trace/goat:0.1.0
ARG BASE=gcr.io/distroless/static-debian12:nonroot
FROM ${GOAT} AS goat

FROM ${GO} AS build
COPY --from=goat /goat /usr/local/bin/goat
WORKDIR /src
COPY . .
ARG PACKAGE=.
ARG AGAINST=
# One cache for go's objects and modules and goat's plans: a second build of the same
# sources compiles nothing.
ENV CGO_ENABLED=0 GOFLAGS=-trimpath GOCACHE=/cache/go GOMODCACHE=/cache/mod GOAT_CACHE=/cache/goat
RUN --mount=type=cache,target=/cache GOAT_BASE=${AGAINST} goat build -v -o /out/app ${PACKAGE}
RUN mkdir -p /out/spool

FROM ${BASE}
COPY --from=build /out/app /app
# For the health check below; 25 MB that go with it.
COPY --from=goat /goat /goat
# The directory exists and is the user's, so that a new volume is, too.
COPY --from=build --chown=65532:65532 /out/spool /var/run/goat
USER 65532:65532
ENV GOAT_SPOOL=/var/run/goat
VOLUME /var/run/goat
HEALTHCHECK --interval=10s --timeout=3s CMD ["/goat", "check", "health", "--retry=0", "--check.health.url=http://127.0.0.1:57005/healthz"]
ENTRYPOINT ["/app"]
