# One image for every command: consumer, producer and the simulated ERP API of devstack. `lakehouse`
# needs Arrow besides, 250 MB of it: --build-arg LOCK=requirements/lakehouse.lock
# The lock files pin every package with its hashes, those that build the wheel included.

FROM python:3.13-slim-bookworm AS builder

ENV PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_NO_INPUT=1

ARG LOCK=requirements/runtime.lock
WORKDIR /src
COPY requirements/build.lock requirements/runtime.lock requirements/lakehouse.lock requirements/
RUN python -m venv /opt/build \
    && /opt/build/bin/pip install --require-hashes --requirement requirements/build.lock \
    && python -m venv --without-pip /opt/coco \
    && /opt/build/bin/pip --python /opt/coco/bin/python install --only-binary :all: \
        --require-hashes --requirement "$LOCK"

COPY pyproject.toml README.md ./
COPY schemas/ schemas/
COPY runtime/ runtime/
COPY consumer/ consumer/
COPY producer/ producer/
COPY console/ console/
COPY lakehouse/ lakehouse/
COPY devstack/ devstack/
RUN /opt/build/bin/pip wheel --no-deps --no-build-isolation --wheel-dir /wheels . \
    && /opt/build/bin/pip --python /opt/coco/bin/python install --no-deps /wheels/*.whl


FROM python:3.13-slim-bookworm

RUN groupadd --gid 10001 coco \
    && useradd --uid 10001 --gid coco --no-create-home --home-dir /nonexistent \
        --shell /usr/sbin/nologin coco
COPY --from=builder /opt/coco /opt/coco
ENV PATH="/opt/coco/bin:$PATH" \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1

# Before USER, who would own it otherwise.
WORKDIR /app
USER 10001:10001
STOPSIGNAL SIGTERM
CMD ["consumer", "run"]
