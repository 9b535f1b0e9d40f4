/**
 * `node scripts/sbom.ts <file>`: writes the bill of materials (SBOM, CycloneDX) of what the package needs to run: its
 * dependencies, the peers that it can't do without, and all that these need, in the versions of package-lock.json. `npm pack`
 * runs it. `npm sbom` can't choose so: Effect is a development dependency here as well, and would be left out.
 */
import { execFileSync } from "node:child_process"
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"

interface Bill {
  readonly metadata: { readonly component: { name: string; readonly "bom-ref": string } }
  components: ReadonlyArray<{ readonly "bom-ref": string; readonly name: string }>
  dependencies: ReadonlyArray<{ readonly ref: string; readonly dependsOn: ReadonlyArray<string> }>
}

const root = join(import.meta.dirname, "..")
const [file] = process.argv.slice(2)
if (file === undefined) throw new Error("Name the file to write: node scripts/sbom.ts <file>")

const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8"))
const { dependencies, optionalDependencies, peerDependencies, peerDependenciesMeta } = manifest
const peers = Object.keys(peerDependencies).filter((name) => peerDependenciesMeta[name]?.optional !== true)
const direct = new Set([...Object.keys(dependencies), ...Object.keys(optionalDependencies), ...peers])

const command = ["sbom", "--package-lock-only", "--sbom-format=cyclonedx"]
const bill: Bill = JSON.parse(execFileSync("npm", command, { cwd: root, encoding: "utf8", maxBuffer: 2 ** 26 }))
const names = new Map(bill.components.map((component) => [component["bom-ref"], component.name]))
const neededBy = new Map(bill.dependencies.map(({ dependsOn, ref }) => [ref, dependsOn]))
const itself = bill.metadata.component["bom-ref"]

const needed = new Set<string>()
const add = (refs: ReadonlyArray<string>): void => {
  for (const ref of refs) {
    if (needed.has(ref)) continue
    needed.add(ref)
    add(neededBy.get(ref) ?? [])
  }
}
add((neededBy.get(itself) ?? []).filter((ref) => direct.has(names.get(ref) ?? "")))

bill.metadata.component.name = manifest.name
bill.components = bill.components.filter((component) => needed.has(component["bom-ref"]))
bill.dependencies = bill.dependencies
  .filter(({ ref }) => ref === itself || needed.has(ref))
  .map(({ dependsOn, ref }) => ({ ref, dependsOn: dependsOn.filter((one) => needed.has(one)) }))
writeFileSync(file, JSON.stringify(bill, null, 2))
