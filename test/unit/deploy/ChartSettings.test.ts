/** The chart's settings are the server's, no more and no fewer. */
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { Redacted } from "effect"
import { assert, it } from "vitest"
import * as Chart from "../../../harness/kubernetes/Chart.ts"
import type { Setting } from "../../../src/server/SettingKinds.ts"
import { settings } from "../../../src/server/Settings.ts"
import * as UnbuiltSettings from "../../../src/server/UnbuiltSettings.ts"

const file = (...path: ReadonlyArray<string>) => readFileSync(join(Chart.chart, ...path), "utf8")
/** The chart may give what a later version reads: this one refuses to start with it. */
const names = new Set([...Object.keys(settings), ...UnbuiltSettings.names])

it("the templates give no setting that the server does not have", () => {
  assert.isEmpty([...Chart.givenByTemplates()].filter((name) => !names.has(name)))
})

it("values.schema.json takes every other setting, and no other name: made by node scripts/chart.ts --schema", () => {
  assert.strictEqual(file("values.schema.json"), Chart.schema())
  const { properties } = JSON.parse(file("values.schema.json"))
  const taken = [...Object.keys(properties.settings.properties), ...Object.keys(properties.secrets.properties)]
  const given = [...Chart.givenByTemplates()].filter((name) => name in settings)
  assert.sameMembers([...taken, ...given, ...Chart.notTaken], Object.keys(settings))
})

it("what is secret goes into Secrets alone", () => {
  const [, inSecret = ""] = /define "ordinal.secrets"(.*?)\n\{\{- end \}\}/s.exec(file("templates", "_helpers.tpl")) ?? []
  const secrets = Object.entries<Setting<unknown>>(settings)
    .filter(([, { defaultValue }]) => Redacted.isRedacted(defaultValue))
    .map(([name]) => name)
  const given = [...inSecret.matchAll(/^([A-Z_]+):/gm)].map(([, name]) => name!)
  const others = Object.keys(JSON.parse(file("values.schema.json")).properties.secrets.properties)
  assert.sameMembers([...given.filter((name) => name in settings), ...others], secrets)
})
