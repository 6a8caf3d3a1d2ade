# The service without compiler and development dependencies, as a user without privileges.
FROM node:22-bookworm-slim AS build
# For better-sqlite3, where no built binary fits the platform.
RUN apt-get update \
  && apt-get install --yes --no-install-recommends python3 make g++ \
  && rm -rf /var/lib/apt/lists/*
WORKDIR /build
COPY . .
# The tarball has everything that the service runs with except the packages of the registry, which are added beside it.
RUN npm ci --no-audit --no-fund \
  && npm prune --omit=dev --ignore-scripts --no-audit --no-fund \
  && npm pack --ignore-scripts --pack-destination /tmp \
  && mkdir /opt/signalbox \
  && tar -xzf /tmp/signalbox-*.tgz -C /opt/signalbox --strip-components=1 \
  && rm -rf node_modules/@signalbox node_modules/.bin \
  && cp -r node_modules/. /opt/signalbox/node_modules/

FROM node:22-bookworm-slim
COPY --from=build /opt/signalbox /opt/signalbox
RUN install --directory --owner=node --group=node --mode=0700 /var/lib/signalbox
WORKDIR /opt/signalbox
USER node
ENV NODE_ENV=production HOST=0.0.0.0 SIGNALBOX_DATA=/var/lib/signalbox
# Used on SQLite only. With SIGNALBOX_DATABASE_URL, everything is in PostgreSQL.
VOLUME /var/lib/signalbox
EXPOSE 4000
# Whether the process answers. Whether it may receive clients is the answer of /ready, for load balancers.
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT ?? 4000}/health`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
# Without a shell in between, so that SIGTERM reaches the service, which then drains.
CMD ["node", "dist/main.js"]
