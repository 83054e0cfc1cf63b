# One image for every role; `docker run IMAGE --help` says what it can do. The page is built here.

FROM python:3.12-slim-bookworm AS base
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PYTHONUNBUFFERED=1

# The wheel, with the page in it: node comes from a pinned package, and stays in this stage.
FROM base AS wheel
WORKDIR /source
COPY requirements/build.txt requirements/
RUN python -m venv /build && /build/bin/pip install --require-hashes -r requirements/build.txt
COPY . .
RUN /build/bin/pip wheel --no-build-isolation --no-deps --wheel-dir /wheels .

# What runs, without what builds.
FROM base AS packages
COPY requirements/image.txt requirements/
RUN python -m venv /opt/analyticbot \
    && /opt/analyticbot/bin/pip install --require-hashes -r requirements/image.txt
COPY --from=wheel /wheels /wheels
RUN /opt/analyticbot/bin/pip install --no-deps /wheels/*.whl

FROM base AS run
RUN useradd --uid 10001 --no-create-home --home-dir /var/lib/analyticbot analyticbot \
    && install -d -o analyticbot -g analyticbot -m 700 /var/lib/analyticbot
COPY --from=packages /opt/analyticbot /opt/analyticbot
COPY deploy/healthy.py /opt/analyticbot/healthy.py
ENV PATH=/opt/analyticbot/bin:$PATH ANALYTICBOT_DATA=/var/lib/analyticbot
WORKDIR /var/lib/analyticbot
VOLUME /var/lib/analyticbot
USER 10001:10001
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "/opt/analyticbot/healthy.py"]
ENTRYPOINT ["analyticbot"]
CMD ["up"]
