# The image of goat itself: the static binary of a release in an empty root. It needs no git;
# it is mostly copied from (COPY --from=…) and is the sidecar that reads spools.
#   make dist && docker build -f examples/docker/goat.Dockerfile -t goat .
FROM scratch AS unpacked
ADD dist/goat_*_linux_amd64.tar.gz /

FROM scratch
COPY --from=unpacked /goat /goat-contract /LICENSE /THIRD-PARTY-NOTICES /
# Nobody's: uid and gid of distroless' nonroot.
USER 65532:65532
ENV GOAT_CACHE=/tmp/goat
ENTRYPOINT ["/goat"]
