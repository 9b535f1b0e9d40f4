/** A Valkey of a test's or a campaign's own, in a temporary folder, which can be killed, paused, flushed and started again. */
import { mkdtempSync, rmSync } from "node:fs"
import { connect } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { freePort } from "../servers/FreePort.ts"
import { redis, startAt } from "./Redis.ts"
import { folderOf, pidOf, stop } from "./Service.ts"

export interface RedisServer {
  readonly url: string
  /** kill -9. */
  readonly kill: () => Promise<void>
  readonly restart: () => Promise<void>
  readonly pause: () => void
  readonly resume: () => void
  /** Sends a command without spaces in its words, and waits for the answer. */
  readonly command: (line: string) => Promise<string>
  readonly close: () => Promise<void>
}

export const start = async (): Promise<RedisServer> => {
  const installed = folderOf(redis.name)
  await redis.install(installed)
  const folder = mkdtempSync(join(tmpdir(), "ordinal-redis-"))
  const port = await freePort()
  const begin = () => startAt(installed, folder, port)
  const signal = (name: NodeJS.Signals) => {
    const pid = pidOf(folder, redis.name)
    if (pid !== undefined) process.kill(pid, name)
  }
  await begin()
  return {
    url: `redis://127.0.0.1:${port}`,
    kill: async () => {
      signal("SIGKILL")
      await stop(folder, redis.name)
    },
    restart: begin,
    pause: () => signal("SIGSTOP"),
    resume: () => signal("SIGCONT"),
    command: (line) =>
      new Promise((resolve, reject) => {
        const socket = connect(port, "127.0.0.1", () => socket.write(`${line}\r\n`))
        socket.on("error", reject).on("data", (bytes) => {
          socket.destroy()
          resolve(bytes.toString().trim())
        })
      }),
    close: async () => {
      signal("SIGCONT")
      await stop(folder, redis.name)
      rmSync(folder, { recursive: true, force: true })
    }
  }
}
