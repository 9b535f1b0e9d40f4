/**
 * Checks the design's directions and sizes (run by `npm run check`): every folder of `src` imports only what `allowed`
 * lists, the root imports `server` alone, no file imports itself by way of others or an entry point of the package, orders use
 * nothing of the kernel that the package does not export, clients reach no server code, neither `scripts` nor `harness` needs a test, a folder of `src` holds at most 16 files, its root 6, and
 * nothing depends on the name of the database's schema.
 */
import { readdirSync, readFileSync } from "node:fs"
import { dirname, join, normalize, relative } from "node:path"

const root = join(import.meta.dirname, "..")
const src = join(root, "src")

/** The part of the kernel that a pure domain is written against. */
const decider = ["Aggregate", "EventCodec", "Upcaster", "CanonicalJson"].map((file) => `aggregate/${file}.ts`)

/** What is known of the events of an aggregate, by their types alone. */
const typedEvents = ["aggregate/AggregateService.ts", "aggregate/EventCodec.ts"]

/** These folders make up the service behind `orders`, besides what opens its database. */
const service = ["views", "order", "catalog", "aggregate", "projection", "eventstore", "supervision", "telemetry"]

/** The admin port knows this of webhooks, whose bodies are written as HTTP callers are sent events. */
const webhookPort = ["Webhooks", "WebhookErrors", "EventTypes"].map((file) => `webhooks/${file}.ts`)

/** The folders and single files that each folder may import besides itself. */
const allowed: Readonly<Record<string, ReadonlyArray<string>>> = {
  telemetry: [],
  supervision: ["telemetry"],
  database: ["telemetry"],
  eventstore: ["database", "supervision", "telemetry"],
  aggregate: ["database", "eventstore", "supervision", "telemetry"],
  projection: ["database", "eventstore", "supervision", "telemetry", "aggregate/CanonicalJson.ts", ...typedEvents],
  kernel: ["aggregate", "database", "eventstore", "projection"],
  order: decider,
  catalog: [...decider, "order", "aggregate/CommandErrors.ts", "eventstore/EventStore.ts"],
  views: ["database", "eventstore", "projection", "supervision", "telemetry", "order", "catalog", ...decider],
  cache: ["views", "order", "projection", "eventstore", "database", "supervision", "telemetry"],
  orders: ["cache", "kernel", "database", ...service],
  identity: ["database", "order/OrderId.ts", "supervision"],
  http: ["identity", "orders", ...service, "database/DatabaseErrors.ts", "database/YieldToIo.ts", ...webhookPort],
  webhooks: ["http/wire/PushMessage.ts", "orders", ...service, "database"],
  transfer: ["database", "eventstore", "projection"],
  cluster: ["http/problems/Problems.ts", "orders", ...service],
  bus: ["http", "orders", ...service, "database/DatabaseErrors.ts"],
  mongodb: ["orders/OrdersLayers.ts", "order", "views", "projection", "eventstore", "database", "telemetry"],
  server: [
    "identity",
    "transfer",
    "mongodb",
    "cache",
    "bus",
    "webhooks",
    "http",
    "orders",
    "kernel",
    "database",
    ...service
  ],
  testing: ["order", "catalog", "aggregate", "eventstore", "projection", "views", "supervision", "database"],
  ".": ["server"]
}

/** Single files that may import more, each with its reason. */
const exceptions: Readonly<Record<string, ReadonlyArray<string>>> = {
  // The SQL function is read where the append is explained, and is installed where all of the schema is.
  "database/migrations/0001_log.ts": ["eventstore/append/AppendFunction.ts"],
  "database/migrations/0010_append_batch.ts": ["eventstore/append/AppendBatchFunction.ts"],
  // Who serves the operators' API of this entry point provides webhooks to it.
  "http/index.ts": ["webhooks"]
}

/** The package's entry points, which are `index.ts` files. */
const entryPoints: ReadonlyArray<string> = Object.values<{ readonly "ordinal-source": string }>(
  JSON.parse(readFileSync(join(root, "package.json"), "utf8")).exports
).map((conditions) => conditions["ordinal-source"].slice("./src/".length))

/** What an entry point exports of other folders besides its own, since those have no entry point. */
const alsoExported: Readonly<Record<string, ReadonlyArray<string>>> = {
  "orders/index.ts": ["views", "projection/view/ViewQuery.ts"],
  "kernel/index.ts": ["database", "aggregate"],
  "http/index.ts": ["webhooks", "identity"],
  "http/client/index.ts": ["http/api", "http/aggregate/AggregateApi.ts", "orders/Orders.ts"]
}

/** Programs that only call a server load these, and must reach neither `serverCode` nor Node by them. */
const clientCode = ["aggregate/index.ts", "http/api/Api.ts", "http/client/index.ts"]
const serverCode = [
  "database/Database.ts",
  "database/Migrations.ts",
  "database/pglite",
  "database/Postgres.ts",
  "database/SqlFailure.ts",
  "server",
  "kernel",
  "http/listener",
  "http/handlers",
  "http/guard",
  "identity/Identities.ts",
  "orders/OrdersLayers.ts",
  "orders/OrdersLocal.ts"
]
const clientPackage = /^effect(\/|$)/

const filesBelow = (folder: string) =>
  readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".ts"))
const files = filesBelow(src)
const folderOf = (file: string) => (file.includes("/") ? file.slice(0, file.indexOf("/")) : ".")
const importsOf = (file: string): ReadonlyArray<string> =>
  [...readFileSync(join(src, file), "utf8").matchAll(/(?:from|import)\s*\(?\s*"(\.{1,2}\/[^"]+)"/g)].map((match) =>
    normalize(join(dirname(file), match[1]!))
  )

/** The imports that run as soon as the file is loaded: neither types nor what is imported later. */
const loadsOf = (file: string): ReadonlyArray<string> =>
  [...readFileSync(join(src, file), "utf8").matchAll(/^(?:import|export)\s(?:([^"]*?)from\s+)?"([^"]+)"/gm)].flatMap(
    ([, clause = "", from = ""]) => {
      if (clause.startsWith("type ")) return []
      return [from.startsWith(".") ? normalize(join(dirname(file), from)) : from]
    }
  )

const problems: Array<string> = []
const graph = new Map(files.map((file) => [file, importsOf(file)]))

const isWithin = (file: string, place: string) => file === place || file.startsWith(`${place}/`)

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

/** Only programs that use the package import an entry point; nothing inside the package does. */
for (const [file, imports] of graph) {
  const isEntryPoint = entryPoints.includes(file)
  if (file.endsWith("index.ts") && !isEntryPoint) problems.push(`package.json does not export ${file}`)
  const exportable = [dirname(file), ...(alsoExported[file] ?? [])]
  for (const target of imports) {
    if (target.endsWith("index.ts")) problems.push(`${file} must not import the entry point ${target}`)
    if (isEntryPoint && !exportable.some((place) => isWithin(target, place))) {
      problems.push(`the entry point ${file} must not export ${target}`)
    }
  }
}
for (const file of entryPoints)
  if (!graph.has(file)) problems.push(`package.json exports ${file}, which does not exist`)

/** The names that a file takes from another one: of a namespace, the members that its text mentions. */
const namesTaken = (file: string): ReadonlyArray<readonly [target: string, name: string]> => {
  const text = readFileSync(join(src, file), "utf8")
  const clauses = text.matchAll(/^(?:im|ex)port\s+(?:type\s+)?(\*(?: as \w+)?|\{[^}]*\})\s+from\s+"(\.[^"]+)"/gm)
  return [...clauses].flatMap(([, clause = "", from = ""]) => {
    const [, namespace] = /^\* as (\w+)/.exec(clause) ?? []
    const listed = clause.replace(/^\{|\}$|\btype\s/g, "").split(",")
    const names =
      namespace === undefined || entryPoints.includes(file)
        ? listed.map((name) => name.trim().split(/\s+as\s+/)[0]!).filter((name) => name !== "")
        : [...text.matchAll(new RegExp(`(?<![/\\w])${namespace}\\.(\\w+)`, "g"))].map(([, name = ""]) => name)
    return names.map((name) => [normalize(join(dirname(file), from)), name] as const)
  })
}

/** Orders are built on what every program may import: of the kernel's files, on the names that an entry point exports. */
const kernelFolders = new Set(["aggregate", "eventstore", "projection", "kernel"])
const exported = new Set(entryPoints.flatMap(namesTaken).map(([file, name]) => `${file} ${name}`))
for (const file of files.filter((file) => ["order", "orders", "catalog", "views"].includes(folderOf(file)))) {
  for (const [target, name] of namesTaken(file)) {
    if (!kernelFolders.has(folderOf(target))) continue
    if (exported.has(`${target} *`) || exported.has(`${target} ${name}`)) continue
    problems.push(`${file} must not use ${name} of ${target}, which no entry point of the package exports`)
  }
}

/** The first circle found from each file on, types included: none is needed, since what two files share can have a third. */
const settled = new Set<string>()
const findCircle = (file: string, path: ReadonlyArray<string>): void => {
  if (path.includes(file)) problems.push(`a circle: ${[...path.slice(path.indexOf(file)), file].join(" → ")}`)
  if (path.includes(file) || settled.has(file)) return
  for (const target of graph.get(file) ?? []) findCircle(target, [...path, file])
  settled.add(file)
}
for (const file of files) findCircle(file, [])

/** A folder that holds more files than one can take in at a glance lacks a sub-folder. */
const counts = new Map<string, number>()
for (const file of files) counts.set(dirname(file), (counts.get(dirname(file)) ?? 0) + 1)
for (const [folder, count] of counts) {
  const most = folder === "." ? 6 : 16
  if (count > most)
    problems.push(`src/${folder} holds ${count} files, more than ${most}: cut it in two by a word of the glossary`)
}

for (const folder of ["scripts", "harness"]) {
  for (const file of filesBelow(join(root, folder))) {
    const text = readFileSync(join(root, folder, file), "utf8")
    const imported = /(?:from|import)\s*\(?\s*"((?:\.\.\/)+test\/[^"]+)"/.exec(text)
    if (imported !== null)
      problems.push(`${folder}/${file} must not import ${imported[1]}: tests use ${folder}, not the other way`)
  }
}

/**
 * `SchemaName` replaces the schema's name in the texts of statements, where a dot follows it, and in nothing else: neither in
 * values, nor in statements of a client that was made elsewhere.
 */
const makesClients = new Set(["database/Postgres.ts", "database/pglite/Pglite.ts", "database/SchemaName.ts"])
const fixedNames = [
  [
    /(?<!`)\bordinal(?![./-]|"[,)])|\bordinal_|\$\{["'`]+ordinal\b|(?<!name: |table: |tableName\(sql, )"ordinal\.|to_reg\w+\(\$\{/,
    "the schema's name where no client replaces it"
  ],
  [/\bPgClient\.(make|layer)(?!Compiler)/, "a client of its own, which doesn't replace the schema's name"]
] as const
const withoutComments = (text: string) => text.replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, "")
for (const file of files.filter((file) => !makesClients.has(file))) {
  const code = withoutComments(readFileSync(join(src, file), "utf8")).replace("'ordinal'::regnamespace", "")
  for (const [pattern, problem] of fixedNames) {
    const found = pattern.exec(code)
    if (found !== null) problems.push(`${file} has ${problem} (${found[0]}): see database/SchemaName.ts`)
  }
}

const isServerCode = (file: string) => serverCode.some((place) => isWithin(file, place))

for (const start of clientCode) {
  if (!graph.has(start)) problems.push(`${start} is listed as client code and does not exist`)
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
