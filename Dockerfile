# Two images, `operator` and `sip-node`. Nothing is compiled: Node 24 runs TypeScript as it is.
#
#   docker build --target sip-node -t strowger-sip-node .
#   docker build --target operator -t strowger-operator .
#
# BASE_IMAGE needs Node 24 and npm. The secret `npmrc` is optional: npm's settings, for a registry of one's own.
ARG BASE_IMAGE=docker.io/library/node:24-slim

FROM ${BASE_IMAGE} AS packages
WORKDIR /app
COPY package.json package-lock.json ./
COPY operator/package.json operator/
COPY sip-node/package.json sip-node/
COPY cli/package.json cli/

FROM packages AS sip-node-packages
RUN --mount=type=secret,id=npmrc,target=/root/.npmrc \
    npm ci --omit=dev --no-audit --no-fund -w @strowger/sip-node && rm -rf node_modules/@strowger

FROM packages AS operator-packages
RUN --mount=type=secret,id=npmrc,target=/root/.npmrc \
    npm ci --omit=dev --no-audit --no-fund -w @strowger/operator && rm -rf node_modules/@strowger

# Reads STROWGER_CONFIG and STROWGER_KEYS (sip-node/src/config.ts).
FROM ${BASE_IMAGE} AS sip-node
ENV NODE_ENV=production
WORKDIR /app
COPY LICENSE ./
COPY --from=sip-node-packages /app/node_modules node_modules
COPY sip-node sip-node
USER 1000:1000
ENTRYPOINT ["node", "sip-node/src/main.ts"]

# Reads STROWGER_FILES, STROWGER_DATA, STROWGER_MYSQL_URL and STROWGER_HTTP (operator/src/config.ts).
FROM ${BASE_IMAGE} AS operator
ENV NODE_ENV=production
WORKDIR /app
COPY LICENSE ./
COPY --from=operator-packages /app/node_modules node_modules
COPY crds crds
COPY schema schema
COPY operator operator
USER 1000:1000
ENTRYPOINT ["node", "operator/src/main.ts"]
