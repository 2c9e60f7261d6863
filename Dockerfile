# The exporter as a container image: no shell command is needed to run it, nothing is written but to --storage.path.
#   docker build --build-arg VERSION=0.1.0 --build-arg REVISION="$(git rev-parse HEAD)" -t feldera-exporter .
#   docker run --read-only -p 127.0.0.1:10058:10058 -v feldera-exporter:/var/lib/feldera-exporter \
#     -e FELDERA_HOST=https://feldera.example.com feldera-exporter --storage.path=/var/lib/feldera-exporter
ARG PYTHON=3.11.13-slim-bookworm

FROM python:${PYTHON} AS build
SHELL ["/bin/sh", "-eu", "-c"]
WORKDIR /source
COPY .ci/constraints.txt pyproject.toml README.md LICENSE ./
COPY alerts alerts
COPY config config
COPY exporter exporter
# Its own environment, which the last stage takes as it is; without pip in it.
RUN python -m venv --without-pip /opt/feldera-exporter \
    && python -m pip --python /opt/feldera-exporter/bin/python install \
        --disable-pip-version-check --no-cache-dir --only-binary :all: --no-binary feldera-exporter \
        --constraint constraints.txt . \
    && /opt/feldera-exporter/bin/python -m compileall -q /opt/feldera-exporter/lib

FROM python:${PYTHON}
# The base has build tools; what runs builds and installs nothing. A volume for --storage.path takes over this mode, so
# that any user may write there.
RUN python -m pip uninstall --yes --root-user-action ignore pip setuptools wheel \
    && install --directory --owner=65532 --group=65532 --mode=1777 /var/lib/feldera-exporter
COPY --from=build /opt/feldera-exporter /opt/feldera-exporter
ENV PATH=/opt/feldera-exporter/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
ARG VERSION=0.1.0
ARG REVISION=unknown
ARG CREATED=1970-01-01T00:00:00Z
ARG PYTHON
LABEL org.opencontainers.image.title="feldera-exporter" \
      org.opencontainers.image.description="Prometheus exporter for the statuses of Feldera pipelines" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.created="${CREATED}" \
      org.opencontainers.image.base.name="docker.io/library/python:${PYTHON}" \
      org.opencontainers.image.revision="${REVISION}"
# By number, so that Kubernetes can see that it is not root.
USER 65532:65532
WORKDIR /
EXPOSE 10058
# Where it really listens, whatever the flags say.
HEALTHCHECK --interval=30s --timeout=10s --start-period=10s CMD ["python", "-m", "feldera_exporter.healthcheck"]
ENTRYPOINT ["feldera-exporter"]
