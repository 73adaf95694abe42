# Amiss in a container that is nobody in particular: docker build -t amiss .
# It listens on the loopback of its own network, as Amiss does; how it shares that of the machine
# and sees what happens there is in blueprints/this-host.compose.yaml.

FROM python:3.13-slim AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /build
COPY requirements/build.txt requirements/core.txt requirements/
RUN python -m venv /opt/amiss \
    && /opt/amiss/bin/pip install -q --no-compile --require-hashes -r requirements/core.txt \
    && python -m venv /opt/build \
    && /opt/build/bin/pip install -q --require-hashes -r requirements/build.txt
COPY . .
RUN /opt/build/bin/pip wheel -q --no-deps --no-build-isolation -w /opt/wheels . \
    && /opt/amiss/bin/pip install -q --no-compile --no-deps /opt/wheels/*.whl \
    && /opt/amiss/bin/pip uninstall -q -y pip \
    && /opt/amiss/bin/python -m compileall -q -j 0 -x '/tests?/' /opt/amiss/lib
# Compiled for any processor of this architecture, not for the one that builds. numba reads what
# it compiled only from a folder that it may write to, so that folder belongs to the user.
ENV NUMBA_CACHE_DIR=/opt/kernels NUMBA_CPU_NAME=generic
RUN /opt/amiss/bin/python -m amiss.warm

FROM python:3.13-slim
RUN useradd --system --uid 10001 --user-group --no-log-init --home-dir /data --create-home amiss
COPY --from=build /opt/amiss /opt/amiss
COPY --from=build --chown=amiss:amiss /opt/kernels /opt/kernels
ENV PATH=/opt/amiss/bin:$PATH \
    AMISS_HOME=/data \
    NUMBA_CACHE_DIR=/opt/kernels \
    NUMBA_CPU_NAME=generic \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
USER amiss
WORKDIR /data
VOLUME /data
EXPOSE 8600
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8600/healthz', timeout=4)"]
ENTRYPOINT ["amiss"]
CMD ["run"]
