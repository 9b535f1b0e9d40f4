/**
 * `node scripts/chart.ts` makes what follows from the Helm chart and the server's settings: `values.schema.json` and the
 * plain manifests of `deploy/kubernetes`. `--schema` makes the schema alone, which needs no Python.
 *
 * `--check` (a part of `npm run check`) changes nothing and fails if something else would come out, or if
 * kubernetes-validate or `helm lint` finds anything. Without these tools it checks the schema and says what it skipped.
 */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import * as Chart from "../harness/kubernetes/Chart.ts"

const schemaFile = join(Chart.chart, "values.schema.json")

const current = existsSync(schemaFile) ? readFileSync(schemaFile, "utf8") : ""

const check = async () => {
  const problems: Array<string> = []
  if (current !== Chart.schema()) {
    problems.push("values.schema.json does not list the server's settings: run node scripts/chart.ts --schema")
  }
  if (Chart.isInstalled()) problems.push(...(await Chart.faults()))
  else console.log("skipped: the chart and its manifests; node scripts/chart.ts fetches what checks them")
  for (const problem of problems) console.error(problem)
  if (problems.length > 0) process.exit(1)
}

const write = async () => {
  writeFileSync(schemaFile, Chart.schema())
  if (process.argv.includes("--schema")) return
  await Chart.install()
  rmSync(Chart.manifests, { recursive: true, force: true })
  mkdirSync(Chart.manifests, { recursive: true })
  for (const [file, text] of await Chart.render()) writeFileSync(join(Chart.manifests, file), text)
}

await (process.argv.includes("--check") ? check() : write())
