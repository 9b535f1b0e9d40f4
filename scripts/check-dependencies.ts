/**
 * Checks that dependencies between the folders of `src` point one way only, and that no script needs a test (run by
 * `npm run check`).
 */
import { readdirSync, readFileSync } from "node:fs"
import { dirname, join, normalize, relative } from "node:path"

const src = join(import.meta.dirname, "..", "src")

/** The parts of the kernel that do nothing: what a domain is written against. */
const pure = ["Decider", "Aggregate", "EventCodec", "Upcaster", "CanonicalJson"].map(
  (file) => `eventsourcing/${file}.ts`
)

/** What each folder may import besides itself: folders, or single files. `.` is what lies in `src` itself. */
const allowed: Readonly<Record<string, ReadonlyArray<string>>> = {
  order: pure,
  catalog: [...pure, "order", "eventsourcing/SendError.ts", "eventsourcing/Aggregates.ts"],
  database: [],
  eventlog: ["database", "telemetry"],
  eventsourcing: ["database", "eventlog", "telemetry"],
  projection: ["database", "eventlog", "telemetry"],
  readmodel: ["database", "eventlog", "projection", "order", "catalog", ...pure],
  telemetry: [],
  http: [
    "order",
    "catalog",
    "readmodel",
    "projection",
    "eventlog",
    "eventsourcing",
    "telemetry",
    "CatalogService.ts",
    "Orders.ts",
    "PlacedOrder.ts",
    "Subscription.ts",
    "ServerUnreachable.ts"
  ],
  admin: ["http", "projection", "eventlog", "eventsourcing", "telemetry", "Settings.ts"],
  testing: ["order", "catalog", "eventlog", "eventsourcing", "projection", "readmodel"],
  ".": [
    "order",
    "catalog",
    "database",
    "eventlog",
    "eventsourcing",
    "projection",
    "readmodel",
    "telemetry",
    "http",
    "admin",
    "."
  ]
}

/** Single files that may import more, each with its reason. */
const exceptions: Readonly<Record<string, ReadonlyArray<string>>> = {}

/** What programs import that only call a server. They must reach none of these, nor Node, when they are loaded. */
const clientCode = ["http/Api.ts", "OrdersClient.ts"]
const serverCode = ["database", "http/Server.ts", "App.ts", "Backend.ts", "InProcessOrders.ts"]
const clientPackage = /^effect(\/|$)/

const files = readdirSync(src, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".ts"))
const folderOf = (file: string) => (file.includes("/") ? file.slice(0, file.indexOf("/")) : ".")
const importsOf = (file: string): ReadonlyArray<string> =>
  [...readFileSync(join(src, file), "utf8").matchAll(/(?:from|import)\s*\(?\s*"(\.{1,2}\/[^"]+)"/g)].map((match) =>
    normalize(join(dirname(file), match[1]!))
  )

/** What is there at run time as soon as the file is: neither types nor what is imported later. */
const loadsOf = (file: string): ReadonlyArray<string> =>
  [...readFileSync(join(src, file), "utf8").matchAll(/^(?:import|export)\s(?:([^"]*?)from\s+)?"([^"]+)"/gm)].flatMap(
    ([, clause = "", from = ""]) => {
      if (clause.startsWith("type ")) return []
      return [from.startsWith(".") ? normalize(join(dirname(file), from)) : from]
    }
  )

const problems: Array<string> = []
const graph = new Map(files.map((file) => [file, importsOf(file)]))

for (const [file, imports] of graph) {
  const folder = folderOf(file)
  const may = new Set([...(allowed[folder] ?? []), ...(exceptions[file] ?? [])])
  if (!(folder in allowed)) problems.push(`${file}: folder ${folder} is not in the list of folders`)
  for (const target of imports) {
    const inside = folderOf(target) === folder
    if (!inside && !may.has(folderOf(target)) && !may.has(target)) problems.push(`${file} must not import ${target}`)
    if (!graph.has(target)) problems.push(`${file} imports ${target}, which does not exist`)
  }
}

const scripts = import.meta.dirname
for (const file of readdirSync(scripts, { recursive: true, encoding: "utf8" })) {
  if (!file.endsWith(".ts")) continue
  const imported = /(?:from|import)\s*\(?\s*"((?:\.\.\/)+test\/[^"]+)"/.exec(readFileSync(join(scripts, file), "utf8"))
  if (imported !== null)
    problems.push(`scripts/${file} must not import ${imported[1]}: tests use scripts, not the other way`)
}

const isServerCode = (file: string) => serverCode.some((server) => file === server || folderOf(file) === server)

for (const start of clientCode.filter((file) => graph.has(file))) {
  const reached = new Set<string>()
  const visit = (file: string, path: ReadonlyArray<string>): void => {
    if (reached.has(file)) return
    reached.add(file)
    const isForbidden = graph.has(file) ? isServerCode(file) : !clientPackage.test(file)
    if (isForbidden) problems.push(`clients would load server code: ${[...path, file].join(" → ")}`)
    if (graph.has(file)) for (const target of loadsOf(file)) visit(target, [...path, file])
  }
  visit(start, [])
}

if (problems.length > 0) {
  console.error(problems.join("\n"))
  process.exit(1)
}
console.log(`dependencies point one way: ${files.length} files in ${relative(process.cwd(), src) || "."}`)
