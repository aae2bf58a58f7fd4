# The site as one image, for web, drain, jobs and beat: compose.yaml says which is which.
# Nothing secret is in it, and nothing of it is written to when it runs.

FROM python:3.12.15-slim-bookworm AS environment
COPY requirements.txt /
RUN python -m venv /opt/venv \
    && /opt/venv/bin/python -m pip install --no-cache-dir --disable-pip-version-check \
        --require-hashes -r /requirements.txt

FROM node:22.23.1-bookworm-slim AS charts
WORKDIR /charts
COPY package.json package-lock.json .npmrc ./
RUN npm ci --no-audit --no-fund

FROM python:3.12.15-slim-bookworm
RUN useradd --uid 10001 --user-group --no-create-home \
        --home-dir /var/lib/dashboard --shell /usr/sbin/nologin dashboard \
    && install -d -m 0700 -o dashboard -g dashboard /var/lib/dashboard/journal
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    DASHBOARD_VAR=/var/lib/dashboard
COPY --from=environment /opt/venv /opt/venv
WORKDIR /srv/dashboard
COPY . .
COPY --from=charts /charts/node_modules/echarts/LICENSE \
    analytics/static/analytics/vendor/echarts.LICENSE
COPY --from=charts /charts/node_modules/echarts/dist/echarts.common.min.js \
    analytics/static/analytics/vendor/
# As root: the site reads what is made here, and cannot change it; nor could it keep what
# Python compiles, of which the base image has nothing. The key is for this line alone.
RUN python -m compileall -q . /usr/local/lib/python3.*; \
    SECRET_KEY=$(python -c 'import secrets; print(secrets.token_hex(32))') \
    python manage.py collectstatic --no-input --verbosity 0
USER 10001:10001
EXPOSE 8000
CMD ["python", "-m", "gunicorn", "dashboard.wsgi", "--bind", "0.0.0.0:8000", "--workers", "2", "--threads", "4", "--graceful-timeout", "8", "--no-control-socket"]
