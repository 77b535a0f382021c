# syntax=docker/dockerfile:1
# The image of the sidecar: the package in an environment of its own, no compiler, no shell needed.

FROM python:3.13.9-slim-bookworm AS build
WORKDIR /build
RUN python -m venv /opt/driftgauge
COPY requirements-dev.lock ./
COPY pyproject.toml README.md LICENSE NOTICE ./
# The demo carries the example as a link.
COPY examples/churn.py ./examples/
COPY src ./src
# The lock file constrains: what CI tested is what the image runs. Modules are compiled here, because the
# root file system may be read-only; the tests of numpy and scipy, 50 MB, stay behind.
RUN /opt/driftgauge/bin/pip install --no-cache-dir --no-compile \
        --constraint requirements-dev.lock . \
    && find /opt/driftgauge -type d -name tests -prune -exec rm -r {} + \
    && /opt/driftgauge/bin/python -m compileall -q -j 0 /opt/driftgauge/lib

FROM python:3.13.9-slim-bookworm
LABEL org.opencontainers.image.title="driftgauge" \
      org.opencontainers.image.description="A sidecar that tells Prometheus how far a model has moved" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /opt/driftgauge /opt/driftgauge
# The only place that is written to, so that the root file system can be read-only.
RUN install -d -o 65532 -g 65532 /data
ENV PATH=/opt/driftgauge/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    SQLITE_TMPDIR=/data
VOLUME /data
EXPOSE 9877 9878
USER 65532:65532
ENTRYPOINT ["driftgauge"]
# Records come from the same pod only; Prometheus comes from outside.
CMD ["serve", "--data", "/data", "--listen", "127.0.0.1:9877", "--metrics-listen", "0.0.0.0:9878"]
