/**
 * Checks the package as somebody would install it (run by `npm run check`): builds and packs it into a temporary folder,
 * with its bill of materials, then lets publint and "are the types wrong" check the tarball. Prints their output only if they find something.
 */
import { spawnSync } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

const root = join(import.meta.dirname, "..")
const folder = mkdtempSync(join(tmpdir(), "ordinal-pack-"))

const run = (command: string, ...args: ReadonlyArray<string>): string => {
  const { error, status, stderr, stdout } = spawnSync(command, args, { cwd: root, encoding: "utf8" })
  if (status === 0) return stdout
  if (error !== undefined && "code" in error && error.code === "ENOENT")
    console.error(`${command} is missing: run npm ci`)
  console.error(`${command} ${args.join(" ")}\n${error?.message ?? ""}${stdout}${stderr}`)
  process.exit(1)
}

process.on("exit", () => rmSync(folder, { recursive: true, force: true }))

const tarball = join(folder, run("npm", "pack", "--silent", "--pack-destination", folder).trim().split("\n").at(-1)!)
const packed = run("tar", "-tzf", tarball)
if (!packed.includes("package/dist/sbom.cdx.json")) {
  console.error("The package has no bill of materials: dist/sbom.cdx.json")
  process.exit(1)
}
run("publint", "run", "--strict", tarball)
run("attw", "--profile", "esm-only", tarball)
console.log("publint and attw find nothing wrong with the package")
