/** A pgbouncer of this machine before a PostgreSQL, in a temporary directory that goes when it stops. */
import { execFileSync, spawn } from "node:child_process"
import { once } from "node:events"
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises"
import { connect } from "node:net"
import { tmpdir, userInfo } from "node:os"
import { join } from "node:path"
import { untilSo } from "../clocks/Until.ts"
import { freePort } from "./FreePort.ts"

/** Debian installs it where only root looks. */
const env = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` }

/** Says why no pgbouncer can be started here; undefined if one can. */
export const missing = (): string | undefined => {
  try {
    execFileSync("pgbouncer", ["--version"], { env })
    return undefined
  } catch {
    return "there is no pgbouncer"
  }
}

const answers = (port: number) =>
  new Promise<boolean>((resolve) => {
    const socket = connect(port, "127.0.0.1", () => {
      socket.destroy()
      resolve(true)
    })
    socket.once("error", () => resolve(false))
  })

/** Starts one before the database of this URL, with these lines of `pgbouncer.ini`; lets anybody in as the URL's user. */
export const start = async (databaseUrl: string, settings: string) => {
  const url = new URL(databaseUrl)
  const directory = await mkdtemp(join(tmpdir(), "ordinal-pgbouncer-"))
  await chmod(directory, 0o755)
  const [port, file, users] = [await freePort(), join(directory, "pgbouncer.ini"), join(directory, "users")]
  await writeFile(users, `"${url.username}" "${url.password}"\n`)
  await writeFile(
    file,
    `[databases]
* = host=${url.hostname} port=${url.port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = trust
auth_file = ${users}
${settings}
`
  )
  // It refuses to run as root.
  const user = userInfo().uid === 0 ? ["-u", "nobody"] : []
  const child = spawn("pgbouncer", [...user, file], { env, stdio: "ignore" })
  const ended = once(child, "close")
  const stop = async () => {
    child.kill("SIGKILL")
    await ended
    await rm(directory, { recursive: true, force: true })
  }
  await untilSo(() => answers(port), { what: "pgbouncer" })
  url.port = String(port)
  return { url: url.href, stop }
}
