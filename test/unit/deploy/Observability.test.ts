/** The dashboard and the alert rules name metrics that exist, and each alert has a section in the runbook. */
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { assert, it } from "vitest"

const root = join(import.meta.dirname, "..", "..", "..")
const read = (...path: ReadonlyArray<string>) => readFileSync(join(root, ...path), "utf8")

const telemetry = readdirSync(join(root, "src", "telemetry")).filter((file) => file.endsWith(".ts"))
const defined = telemetry.flatMap((file) =>
  [...read("src", "telemetry", file).matchAll(/\b(counter|gauge|histogram)\(\s*"([a-z0-9_]+)"/g)].flatMap(
    ([, kind, name = ""]) => (kind === "histogram" ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name])
  )
)

const alerts = read("deploy", "observability", "alerts.yaml")
const dashboard: {
  readonly panels: ReadonlyArray<{ readonly title: string; readonly targets: ReadonlyArray<{ readonly expr: string }> }>
} = JSON.parse(read("deploy", "observability", "dashboard.json"))

/** Our metrics begin with one of these words; Prometheus makes `up` itself. */
const named = (text: string) => [...text.matchAll(/\b(?:orders|http_server|process|nodejs)_[a-z0-9_]+/g)].map(([name]) => name)

it("the alert rules and the dashboard name no metric that is not defined", () => {
  assert.isAtLeast(defined.length, 50)
  const used = [...named(alerts), ...dashboard.panels.flatMap(({ targets }) => targets.flatMap(({ expr }) => named(expr)))]
  assert.isAtLeast(used.length, 50)
  assert.isEmpty(used.filter((name) => !defined.includes(name)))
})

it("each alert has a section of the runbook, and each section an alert", () => {
  const names = [...alerts.matchAll(/^ +- alert: (\w+)$/gm)].map(([, name]) => name)
  const [, runbook = ""] = /^## Runbook$(.*?)^## /ms.exec(read("docs", "operating.md")) ?? []
  const sections = runbook.split(/^### /m).slice(1)
  assert.deepStrictEqual(
    sections.map((section) => section.slice(0, section.indexOf("\n"))),
    names
  )
  for (const section of sections) assert.match(section, /\*\*Look at\*\*.+\*\*Do\*\*/s, section)
})
