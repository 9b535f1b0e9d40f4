/**
 * What a cluster's pods use outside of it: a PostgreSQL with the roles of docs/operating.md, and a Kafka and a Redis where
 * they are wanted, which listen at the address by which pods reach this machine.
 */
import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as PostgresServer from "../../servers/PostgresServer.ts"
import { open, type Sql } from "../../servers/Sql.ts"
import * as KafkaCluster from "../../services/KafkaCluster.ts"
import { redis } from "../../services/Redis.ts"
import { freePort } from "../../servers/FreePort.ts"

export interface OutsideServers {
  /** For the superuser, from this machine. */
  readonly sql: Sql
  /** For pods: the role that owns the schema, and the one that has only the documented rights. */
  readonly ownerUrl: string
  readonly appUrl: string
  readonly kafka: KafkaCluster.KafkaCluster
  readonly redisUrl: string
  /** Gives the server's role its rights, once the schema is there. */
  readonly grant: () => Promise<void>
  readonly close: () => Promise<void>
}

const operating = join(import.meta.dirname, "..", "..", "..", "docs", "operating.md")

/** The statements of docs/operating.md that make the roles and the database, and those that give rights. */
const documented = async (): Promise<ReadonlyArray<ReadonlyArray<string>>> =>
  [...(await readFile(operating, "utf8")).matchAll(/^```sql\n(.*?)^```$/gms)].map(([, code = ""]) =>
    code.split(/;\n/).filter((statement) => statement.trim() !== "")
  )

export const start = async (host: string): Promise<OutsideServers> => {
  const folder = await mkdtemp(join(tmpdir(), "ordinal-kubernetes-"))
  const closing: Array<() => Promise<unknown>> = [() => rm(folder, { recursive: true, force: true })]
  const close = async () => {
    for (const end of closing.reverse()) await end()
  }
  try {
    // PostgreSQL's own user reads it.
    await chmod(folder, 0o755)
    const rules = join(folder, "pg_hba.conf")
    await writeFile(rules, "host all all 0.0.0.0/0 password\n")
    const settings = { listen_addresses: "*", hba_file: rules, max_connections: "400" }
    const postgres = await PostgresServer.start(settings)
    closing.push(postgres.stop)
    const urlOf = (user: string, password: string, database: string, at: string) =>
      Object.assign(new URL(postgres.url), { username: user, password, pathname: `/${database}`, hostname: at }).href

    const [setUp = [], ...blocks] = await documented()
    const grants = blocks.find(([first]) => first?.startsWith("GRANT USAGE ON SCHEMA ordinal TO ordinal_app")) ?? []
    // The chart's pods have no DATABASE_VIEWS_SCHEMA here, so the tables of views belong to the owner.
    const ofViews = "GRANT INSERT, UPDATE, DELETE ON ordinal.order_view, ordinal.catalog_view TO ordinal_app"
    const superuser = open(postgres.url)
    for (const statement of setUp) await superuser.rows(statement)
    await superuser.close()
    const sql = open(Object.assign(new URL(postgres.url), { pathname: "/ordinal_shop" }).href)
    closing.push(sql.close)

    const kafka = await KafkaCluster.start(1, host)
    closing.push(kafka.close)
    const port = await freePort()
    const redisFolder = join(folder, "redis")
    await redis.install(redisFolder)
    const redisUrl = await redis.up(redisFolder, { port, brokers: 1, host })
    closing.push(() => redis.down(redisFolder))

    return {
      sql,
      kafka,
      redisUrl,
      ownerUrl: urlOf("ordinal_owner", "change me", "ordinal_shop", host),
      appUrl: urlOf("ordinal_app", "change me too", "ordinal_shop", host),
      grant: async () => {
        const owner = open(urlOf("ordinal_owner", "change me", "ordinal_shop", "127.0.0.1"))
        for (const statement of [...grants, ofViews]) await owner.rows(statement)
        await owner.close()
      },
      close
    }
  } catch (cause) {
    await close()
    throw cause
  }
}
