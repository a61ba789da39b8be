# syntax=docker/dockerfile:1
# The same where the build context has no .git: run `goat generate` before, on a machine that
# has it (or commit what it writes); here goat is only the helper.
#   goat generate && docker build -f without-git.Dockerfile -t shop:v2 .
ARG GO=golang:1.26
ARG GOAT=ghcr.io/goat-trace/goat:0.1.0
ARG BASE=gcr.io/distroless/static-debian12:nonroot
FROM ${GOAT} AS goat

FROM ${GO} AS build
COPY --from=goat /goat /usr/local/bin/goat
WORKDIR /src
COPY . .
ARG PACKAGE=.
ENV CGO_ENABLED=0 GOFLAGS=-trimpath GOCACHE=/cache/go GOMODCACHE=/cache/mod GOAT_CACHE=/cache/goat
RUN --mount=type=cache,target=/cache go build -toolexec "goat toolexec" -v -o /out/app ${PACKAGE}
RUN mkdir -p /out/spool

FROM ${BASE}
COPY --from=build /out/app /app
COPY --from=goat /goat /goat
COPY --from=build --chown=65532:65532 /out/spool /var/run/goat
USER 65532:65532
ENV GOAT_SPOOL=/var/run/goat
VOLUME /var/run/goat
HEALTHCHECK --interval=10s --timeout=3s CMD ["/goat", "check", "health", "--retry=0", "--check.health.url=http://127.0.0.1:57005/healthz"]
ENTRYPOINT ["/app"]
