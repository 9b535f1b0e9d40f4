# The server alone: what `npm pack` would build, with production dependencies, as a user without rights, and no shell needed.
FROM node:24-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts
COPY tsconfig.json tsconfig.build.json ./
COPY src ./src
# Peers that are no test libraries are the clients of Kafka, MongoDB and Redis, each loaded only when a setting names a server.
RUN npm run build && node --eval ' \
    const { dependencies, peerDependencies, devDependencies, peerDependenciesMeta, ...manifest } = require("./package.json"); \
    const clients = Object.entries(peerDependencies).filter(([name]) => !name.includes("vitest")); \
    const all = { ...manifest, dependencies: { ...dependencies, ...Object.fromEntries(clients) } }; \
    fs.writeFileSync("package.json", JSON.stringify(all))' && \
  npm prune --omit=dev --ignore-scripts && mkdir /data && rm -r node_modules/effect/src && \
  find dist node_modules \( -name "*.map" -o -name "*.d.ts" -o -name "*.d.cts" -o -name "*.md" \) -delete && \
  find node_modules -type d -empty -delete

FROM node:24-slim
WORKDIR /app
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
# Only an embedded database writes to the disk: mount a volume here for DATABASE_URL=pglite:/data.
COPY --from=build --chown=1000:1000 /data /data
ENV NODE_ENV=production HOST=0.0.0.0 LOG_FORMAT=json
USER 1000:1000
EXPOSE 3000
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s CMD ["node", "dist/main.js", "health"]
ENTRYPOINT ["node", "dist/main.js"]
