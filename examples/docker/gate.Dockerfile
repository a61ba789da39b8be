# goat check serve with the kubectl that it reads pods with: the image of the Helm chart.
ARG GOAT=ghcr.io/goat-trace/goat:0.1.0
ARG KUBECTL=registry.k8s.io/kubectl:v1.34.2
ARG BASE=gcr.io/distroless/static-debian12:nonroot
FROM ${GOAT} AS goat
FROM ${KUBECTL} AS kubectl

FROM ${BASE}
COPY --from=goat /goat /usr/bin/goat
COPY --from=kubectl /bin/kubectl /usr/bin/kubectl
USER 65532:65532
# The chart calls goat, and goat kubectl, by name; scratch has no PATH.
ENV HOME=/tmp GOAT_CACHE=/tmp/goat PATH=/usr/local/bin:/usr/bin:/bin
EXPOSE 8686
ENTRYPOINT ["/usr/bin/goat", "check", "serve", "--addr=:8686"]
