import { execFile } from "node:child_process"
import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { promisify } from "node:util"
import { assert, describe, it } from "vitest"
import { asText, type Setting } from "../../src/server/SettingKinds.ts"
import { settings } from "../../src/server/Settings.ts"
import { blocks, missing, root, steps, text } from "../../harness/fixtures/Readme.ts"
import { compiled, output } from "../../harness/fixtures/Programs.ts"
import { embeddedDatabase, freshDatabase, server } from "../../harness/servers/Resources.ts"

const run = promisify(execFile)

it("the README has at most 200 lines and says where the former packages of Effect went", () => {
  assert.isAtMost(text.trimEnd().split("\n").length, 200)
  for (const former of ["@effect/schema", "@effect/platform", "@effect/sql"]) assert.include(text, `\`${former}\``)
})

it("the README and docs/operating.md list every setting with its default and meaning", async () => {
  const operating = await readFile(join(root, "docs", "operating.md"), "utf8")
  const rows = [...`${text}${operating}`.matchAll(/^\| `([A-Z_]+)` \| (none|`.+`) \| (.*) \|$/gm)].map(
    ([, ...row]) => row
  )
  const expected = Object.entries<Setting<unknown>>(settings).map(([name, { defaultValue, meaning }]) => [
    name,
    asText(defaultValue) === "" ? "none" : `\`${asText(defaultValue)}\``,
    meaning
  ])
  assert.deepStrictEqual(rows, expected)
})

/** A PostgreSQL has no demo catalog: the README's own commands make what it needs. */
const databases = { PGlite: embeddedDatabase, PostgreSQL: freshDatabase }

it.each(["PGlite", "PostgreSQL"] as const)(
  "the README's curl commands give the answers that it shows, on %s",
  async (kind) => {
    const { url } = await server({ DATABASE_URL: await databases[kind]() })
    const separator = "~~~ the next step ~~~"
    const script = steps
      // A busy machine may need longer for a view than the README's five seconds.
      .map((step) => step.commands.replaceAll("localhost:3000", url).replaceAll("Prefer: wait=5", "Prefer: wait=30"))
      .join(`\necho; echo '${separator}'\n`)
    assert.isAtLeast(steps.length, 4)
    for (let round = 1; round <= 3; round++) {
      const { stdout } = await run("bash", ["-euo", "pipefail", "-c", script])
      const outputs = stdout.split(separator)
      steps.forEach((step, index) => {
        assert.isEmpty(
          missing(step, outputs[index] ?? ""),
          `round ${round}, ${step.commands} answered ${outputs[index]}`
        )
      })
    }
  }
)

it("the comparison notices an answer that differs from the one shown", () => {
  const placing = steps.find(({ commands }) => commands.startsWith("placed="))
  const answer = (body: object) => `HTTP/1.1 202 Accepted\r\nlocation: /orders/ord_1\r\n\r\n${JSON.stringify(body)}`
  const events = ["order.placed.v1", "order.confirmed.v1"]
  const right = { orderId: "ord_1", version: 2, position: 9, status: "confirmed", events }
  assert.isEmpty(missing(placing!, answer(right)))
  assert.lengthOf(missing(placing!, answer({ ...right, status: "placed" })), 1)
  assert.lengthOf(missing(placing!, answer({ ...right, events: events.slice(1) })), 1)
  assert.lengthOf(missing(placing!, answer(right).replace("202", "200")), 1)
})

it("docs/embedding.md lists the entry points of the package", async () => {
  const manifest = JSON.parse(await readFile(join(root, "package.json"), "utf8"))
  const listed = [
    ...(await readFile(join(root, "docs", "embedding.md"), "utf8")).matchAll(/^\| `(ordinal[a-z/]*)` \|/gm)
  ]
  const entryPoints = Object.keys(manifest.exports).map((path) => `ordinal${path.slice(1)}`)
  assert.sameMembers(
    listed.map(([, entryPoint]) => entryPoint),
    entryPoints
  )
  assert.isAtMost(entryPoints.length, 12)
})

describe("the README's programs", () => {
  it("compile and print what the README says", async () => {
    const programs = blocks.filter(({ language }) => language === "ts")
    assert.lengthOf(programs, 2)
    const files = await compiled(programs.map(({ code }) => code))
    const [embedded, tested] = await Promise.all(files.map((file) => output(file)))
    assert.strictEqual(embedded, "Ada Lovelace's order is shipped, 2975 cents\n")
    assert.include(tested, "OrderNotFound")
  })
})
