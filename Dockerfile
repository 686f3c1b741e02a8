# Two images, `operator` and `sip-node`. Node 24 runs TypeScript directly. Only the UDP addon of the SIP node is compiled (docs/adr/0046).
#
#   docker build --target sip-node -t strowger-sip-node .
#   docker build --target operator -t strowger-operator .
#
# BASE_IMAGE needs Node 24 and npm. BUILD_IMAGE needs Node and a C compiler, on the same distribution; without a compiler the addon is left
# out, and the node uses Node's own sockets. The secret `npmrc` is optional: npm's settings, for a private registry.
# test/parts/chart/images.test.ts builds both, checks their size, and starts their programs.
ARG BASE_IMAGE=docker.io/library/node:24-slim
ARG BUILD_IMAGE=docker.io/library/node:24

FROM ${BASE_IMAGE} AS packages
WORKDIR /app
COPY package.json package-lock.json ./
COPY operator/package.json operator/
COPY sip-node/package.json sip-node/
COPY cli/package.json cli/

# A running program needs no typings, source maps or manuals. They are half of the size of the operator's packages.
FROM packages AS sip-node-packages
RUN --mount=type=secret,id=npmrc,target=/root/.npmrc \
    npm ci --omit=dev --ignore-scripts --no-audit --no-fund -w @strowger/sip-node && rm -rf node_modules/@strowger \
    && find node_modules -type f \( -name '*.d.ts' -o -name '*.d.[cm]ts' -o -name '*.map' -o -name '*.md' -o -name '*.test.ts' \) ! -iname 'licen[cs]e*' -delete \
    && mv node_modules/node-api-headers /node-api-headers

FROM ${BUILD_IMAGE} AS udp-addon
WORKDIR /app
COPY --from=sip-node-packages /node-api-headers node_modules/node-api-headers
COPY native native
RUN mkdir -p native/udp/build && node native/udp/build.mjs

FROM packages AS operator-packages
RUN --mount=type=secret,id=npmrc,target=/root/.npmrc \
    npm ci --omit=dev --ignore-scripts --no-audit --no-fund -w @strowger/operator -w @strowger/cli && rm -rf node_modules/@strowger \
    && find node_modules -type f \( -name '*.d.ts' -o -name '*.d.[cm]ts' -o -name '*.map' -o -name '*.md' -o -name '*.test.ts' \) ! -iname 'licen[cs]e*' -delete
RUN printf '#!/bin/sh\nexec node /app/cli/src/main.ts "$@"\n' >/strowger && chmod 755 /strowger

# Reads STROWGER_CONFIG and STROWGER_KEYS (sip-node/src/config/read-config.ts).
FROM ${BASE_IMAGE} AS sip-node
LABEL org.opencontainers.image.title="Strowger SIP node" \
      org.opencontainers.image.licenses="Apache-2.0"
ENV NODE_ENV=production
WORKDIR /app
COPY LICENSE ./
COPY --from=sip-node-packages /app/node_modules node_modules
COPY --from=udp-addon /app/native/udp/build native/udp/build
COPY sip-node sip-node
USER 1000:1000
ENTRYPOINT ["node", "sip-node/src/main.ts"]

# Reads the environment variables of operator/src/config.ts. The command `strowger` (cli/) is included: `strowger selftest`, `uninstall`, `db`.
FROM ${BASE_IMAGE} AS operator
LABEL org.opencontainers.image.title="Strowger operator" \
      org.opencontainers.image.licenses="Apache-2.0"
ENV NODE_ENV=production
WORKDIR /app
COPY LICENSE ./
COPY --from=operator-packages /app/node_modules node_modules
COPY --from=operator-packages /strowger /usr/local/bin/strowger
COPY crds crds
COPY schema schema
COPY cli cli
COPY operator operator
USER 1000:1000
# Short-lived objects get 24 MB instead of up to 200 MB: with many changes at once the process grows by little more than its stored objects.
ENTRYPOINT ["node", "--max-semi-space-size=8", "operator/src/main.ts"]
