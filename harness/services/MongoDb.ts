/**
 * A server that speaks MongoDB's protocol over WiredTiger (SecantusDB, from PyPI): one node that says it is a replica set, with
 * sessions, transactions and change streams. It is no mongod: it has no elections and no secondaries.
 */
import { existsSync, mkdirSync, rmSync } from "node:fs"
import { join } from "node:path"
import { listening, run, type Service, start, stop } from "./Service.ts"

const server = (folder: string) => join(folder, "venv/bin/secantusd-py")

export const mongoDb: Service = {
  name: "mongodb",
  setting: "MONGODB_URL",
  install: async (folder) => {
    if (existsSync(server(folder))) return
    mkdirSync(folder, { recursive: true })
    await run("python3", ["-m", "venv", "venv"], folder)
    await run(join(folder, "venv/bin/pip"), ["install", "-q", "SecantusDB==0.7.0b3"], folder)
  },
  up: async (folder, { port = 27102 }) => {
    const at = ["--host", "127.0.0.1", "--port", String(port), "--storage-path", join(folder, "data")]
    start(folder, "mongodb", server(folder), [...at, "--cache-size", "256M"])
    await listening(folder, "mongodb", port)
    return `mongodb://127.0.0.1:${port}/?replicaSet=secantus`
  },
  down: async (folder) => {
    await stop(folder, "mongodb")
    rmSync(join(folder, "data"), { force: true, recursive: true })
  }
}
