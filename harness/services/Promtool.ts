/** Prometheus's own judge of metrics and rules, from Debian's package, which is unpacked and not installed. */
import { existsSync, mkdirSync, readdirSync } from "node:fs"
import { join } from "node:path"
import { folderOf, run } from "./Service.ts"

const folder = folderOf("promtool")

export const program = join(folder, "usr", "bin", "promtool")

/** Fetches it, unless it is there. */
export const install = async (): Promise<void> => {
  if (existsSync(program)) return
  mkdirSync(folder, { recursive: true })
  const download = () => run("apt-get", ["download", "-qq", "prometheus"], folder)
  // A new machine has no list of packages.
  await download().catch(async () => {
    await run("apt-get", ["update", "-qq"], folder)
    await download()
  })
  const file = readdirSync(folder).find((name) => name.endsWith(".deb"))
  if (file === undefined) throw new Error("apt-get has brought no package.")
  await run("dpkg", ["-x", file, "."], folder)
}
