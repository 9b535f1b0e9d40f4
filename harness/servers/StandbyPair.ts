/**
 * A PostgreSQL with a standby that has every commit before it is answered, unless it is made asynchronous: of programs that the
 * machine has installed, or that `scripts/services install replica` has fetched, since npm brings no `pg_basebackup`. Both are
 * reached by one URL, as behind an address that moves at a failover, and the standby by one of its own, where it can be read.
 */
import { execFileSync, spawnSync } from "node:child_process"
import { readFileSync } from "node:fs"
import { chown, mkdtemp, readdir, rm } from "node:fs/promises"
import { connect, createServer, type Socket } from "node:net"
import { tmpdir, userInfo } from "node:os"
import { join } from "node:path"
import { untilSo } from "../clocks/Until.ts"
import { fetchedPrograms } from "../services/Replica.ts"
import { folderOf } from "../services/Service.ts"
import { freePort } from "./FreePort.ts"
import { open } from "./Sql.ts"

const debian = "/usr/lib/postgresql"

/** Gives the directory of the programs, or nothing if they are not installed. */
export const programs = async (): Promise<string | undefined> => {
  const versions = await readdir(debian).catch((): Array<string> => [])
  const directories = [
    ...(process.env.PATH ?? "").split(":"),
    ...versions.map((one) => join(debian, one, "bin")),
    fetchedPrograms(folderOf("replica"))
  ]
  for (const directory of directories) {
    const names = await readdir(directory).catch((): Array<string> => [])
    if (["initdb", "pg_ctl", "pg_basebackup", "postgres"].every((name) => names.includes(name))) return directory
  }
  return undefined
}

export interface StandbyPair {
  readonly url: string
  /** The standby itself, before and after it is promoted. */
  readonly standbyUrl: string
  /** The primary answers commits from now on without waiting for the standby. */
  readonly makeAsynchronous: () => Promise<void>
  /** The standby applies what it gets only so many milliseconds after it was committed. */
  readonly delay: (milliseconds: number) => Promise<void>
  /** The standby gets nothing more of what the primary writes. */
  readonly disconnect: () => Promise<void>
  /** The standby is gone as by a power cut, until it is started again. */
  readonly stopStandby: () => Promise<void>
  readonly startStandby: () => Promise<void>
  /** The standby's processes stand still, so that nobody gets an answer, until they go on. */
  readonly pauseStandby: () => void
  readonly resumeStandby: () => void
  /** The standby becomes a server of its own, while the URL leads to the first one. */
  readonly promoteBeside: () => Promise<void>
  /** The first server is gone as by a power cut. */
  readonly loseFirst: () => Promise<void>
  /** The standby becomes the server behind the URL. */
  readonly promote: () => Promise<void>
  readonly stop: () => Promise<void>
}

/** A port behind which there is another server after `moveTo`; the connections of before end. */
const movingPort = async (first: number) => {
  const sockets = new Set<Socket>()
  let target = first
  const server = createServer((client) => {
    const upstream = connect(target, "127.0.0.1")
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client]
    ] as const) {
      sockets.add(socket)
      socket.on("error", () => other.destroy())
      socket.on("close", () => {
        sockets.delete(socket)
        other.destroy()
      })
      socket.pipe(other)
    }
  })
  const port = await freePort()
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve))
  const end = () => sockets.forEach((socket) => socket.destroy())
  const moveTo = (port: number) => {
    target = port
    end()
  }
  return { port, moveTo, close: () => [server.close(), end()] }
}

const userId = (option: "-u" | "-g") => Number(execFileSync("id", [option, "postgres"], { encoding: "utf8" }))

export const start = async (bin: string): Promise<StandbyPair> => {
  const directory = await mkdtemp(join(tmpdir(), "ordinal-standby-"))
  const as = userInfo().uid === 0 ? { uid: userId("-u"), gid: userId("-g") } : {}
  if (as.uid !== undefined) await chown(directory, as.uid, as.gid)
  const [first, standby] = [join(directory, "first"), join(directory, "standby")]
  const ports = [await freePort(), await freePort()] as const
  const run = (program: string, ...args: ReadonlyArray<string>) =>
    void execFileSync(join(bin, program), args, { ...as, cwd: directory, stdio: "ignore" })
  const begin = (data: string, port: number) =>
    run(
      "pg_ctl",
      "-D",
      data,
      "-w",
      "-o",
      `-p ${port} -c listen_addresses=127.0.0.1 -c unix_socket_directories=`,
      "start"
    )

  run("initdb", "-D", first, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync")
  begin(first, ports[0])
  run("pg_basebackup", "-D", standby, "-h", "127.0.0.1", "-p", String(ports[0]), "-U", "postgres", "-R")
  begin(standby, ports[1])
  const standbyUrl = `postgres://postgres@127.0.0.1:${ports[1]}/postgres`
  const synchronise = async (names: string) => {
    const sql = open(`postgres://postgres@127.0.0.1:${ports[0]}/postgres`)
    await sql.rows(`ALTER SYSTEM SET synchronous_standby_names = '${names}'`)
    await sql.rows("SELECT pg_reload_conf()")
    await sql.close()
  }
  await synchronise("*")

  /** Changes settings of the standby, which takes them at once. */
  const configure = async (...settings: ReadonlyArray<string>) => {
    const sql = open(standbyUrl)
    for (const setting of settings) await sql.rows(`ALTER SYSTEM SET ${setting}`)
    await sql.rows("SELECT pg_reload_conf()")
    return sql
  }
  const address = await movingPort(ports[0])
  const running = new Set([first, standby])
  const halt = (data: string) => {
    running.delete(data)
    run("pg_ctl", "-D", data, "-m", "immediate", "-w", "stop")
  }
  const signal = (data: string, name: NodeJS.Signals) => {
    const [pid = ""] = readFileSync(join(data, "postmaster.pid"), "utf8").split("\n")
    const children = spawnSync("pgrep", ["-P", pid], { encoding: "utf8" }).stdout.trim().split("\n")
    for (const one of [pid, ...children]) {
      try {
        if (one !== "") process.kill(Number(one), name)
      } catch {
        // A process of a session may have ended meanwhile.
      }
    }
  }
  return {
    url: `postgres://postgres@127.0.0.1:${address.port}/postgres`,
    standbyUrl,
    makeAsynchronous: () => synchronise(""),
    delay: async (milliseconds) => (await configure(`recovery_min_apply_delay = ${milliseconds}`)).close(),
    disconnect: async () => {
      const sql = await configure("primary_conninfo = 'host=127.0.0.1 port=1'")
      await untilSo(async () => (await sql.rows("SELECT FROM pg_stat_wal_receiver")).length === 0)
      await sql.close()
    },
    stopStandby: async () => halt(standby),
    startStandby: async () => {
      begin(standby, ports[1])
      running.add(standby)
    },
    pauseStandby: () => signal(standby, "SIGSTOP"),
    resumeStandby: () => signal(standby, "SIGCONT"),
    promoteBeside: async () => run("pg_ctl", "-D", standby, "-w", "promote"),
    loseFirst: async () => halt(first),
    promote: async () => {
      run("pg_ctl", "-D", standby, "-w", "promote")
      address.moveTo(ports[1])
    },
    stop: async () => {
      address.close()
      for (const data of running) {
        signal(data, "SIGCONT")
        halt(data)
      }
      await rm(directory, { recursive: true, force: true })
    }
  }
}
