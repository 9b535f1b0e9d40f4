/**
 * Proves that the laws find mistakes: applies each sabotage to a copy of the sources in a temporary directory, loads the copy,
 * and checks the laws that follow from the schemas alone; for the last few, those of orders too. Prints which law found it,
 * after how many scripts or logs, and how many commands or events the smallest one has.
 * Exits with 1 if none did, or if a sabotage does not apply.
 *
 *     npm run mutations                         # all of them
 *     npm run mutations -- --only <text>        # those whose subject and name hold the text
 *     SEED=7 npm run mutations                  # other scripts
 *     npm run mutations -- --harmless           # one that changes nothing, to see that it is not found
 */
import { Effect, Layer, Logger, ManagedRuntime, Redacted, Result } from "effect"
import { SqlClient, type SqlError } from "effect/sql"
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { pathToFileURL } from "node:url"
import type { GiftCards } from "../../examples/gift-card/src/GiftCard.ts"
import type { Customers } from "../../src/catalog/Customer.ts"
import type { Products } from "../../src/catalog/Product.ts"
import type { OrderStreams } from "../../src/order/OrderAggregate.ts"
import * as AggregateLaws from "../../src/testing/laws/AggregateLaws.ts"
import { Database } from "../../src/database/Database.ts"
import * as Migrations from "../../src/database/Migrations.ts"
import type { Projection } from "../../src/projection/Projection.ts"
import * as ProjectionLaws from "../../src/testing/projections/ProjectionLaws.ts"
import { Customers as SoundCustomers } from "../../src/catalog/Customer.ts"
import { Products as SoundProducts } from "../../src/catalog/Product.ts"
import { OrderStreams as SoundOrders } from "../../src/order/OrderAggregate.ts"
import { projectionSabotages } from "./ProjectionSabotages.ts"
import type { LawBroken } from "../../src/testing/laws/LawBroken.ts"
import type { OrderLaw } from "../../src/testing/OrderLaws.ts"
import type { OrderPolicies } from "../../src/order/OrderPolicies.ts"
import { orderSabotages, ownLawSabotages } from "./OrderSabotages.ts"
import { otherSabotages } from "./OtherSabotages.ts"
import { apply, type Sabotage } from "./Sabotage.ts"

const root = join(import.meta.dirname, "..", "..")

/** Copies the sources to a new directory; in it the examples find the package by the link beside them. */
const copied = (place: string): void => {
  for (const part of ["src", "examples", "package.json"])
    cpSync(join(root, part), join(place, part), { recursive: true, verbatimSymlinks: true })
  symlinkSync(join(root, "node_modules"), join(place, "node_modules"))
}

const seed = process.env.SEED ?? "1"

const load = <Module>(place: string, file: string): Promise<Module> => import(pathToFileURL(join(place, file)).href)

const orders = async (place: string, laws: ReadonlyArray<OrderLaw> = []) => {
  const module = await load<{ OrderStreams: typeof OrderStreams }>(place, "src/order/OrderAggregate.ts")
  return AggregateLaws.check(module.OrderStreams, {
    laws,
    seed,
    repeats: "nothing",
    unreached: ["OrderTooLong", "PaymentRequiredBeforeShipment"],
    commands: { ConfirmOrder: 0.3, CancelOrder: 0.5, RemoveLine: 2 }
  })
}

type OrderLaws = { orderLaws: (policies: OrderPolicies) => ReadonlyArray<OrderLaw> }

/** An embedded database in memory, in which the projections of the copies have their tables. */
const database = Layer.effect(
  SqlClient.SqlClient,
  Effect.map(Database, ({ projections }) => projections)
).pipe(
  Layer.provideMerge(Migrations.layer),
  Layer.provide(Database.layer({ url: Redacted.make("pglite:memory") })),
  Layer.provide(Logger.layer([]))
)
const runtime = ManagedRuntime.make(database)

const projection = async (
  place: string,
  file: string,
  name: string,
  from: NonNullable<ProjectionLaws.Options["from"]>
) => {
  const module = await load<Record<string, Projection>>(place, file)
  const checked = Effect.result(ProjectionLaws.check(module[name]!, { from, seed, runs: 3 }))
  return Effect.flatMap(
    Effect.promise(() => runtime.runPromise(checked)),
    Effect.fromResult
  )
}

interface Found {
  readonly law: string
  readonly after: number
  readonly length: number
}

type Check = Effect.Effect<unknown, LawBroken | ProjectionLaws.ProjectionLawBroken | SqlError.SqlError>

/** Each checks the laws of an aggregate or a projection of the copy. */
const subjects: Record<string, (place: string) => Promise<Check>> = {
  "product sales": (place) => projection(place, "examples/TopProducts.ts", "ProductSales", [SoundOrders]),
  "order view": (place) =>
    projection(place, "src/views/order/OrderViewProjection.ts", "OrderViewProjection", [SoundOrders]),
  "catalog view": (place) =>
    projection(place, "src/views/catalog/CatalogViewProjection.ts", "CatalogViewProjection", [
      SoundProducts,
      SoundCustomers
    ]),
  orders,
  "orders, own laws": async (place) => {
    const { orderLaws } = await load<OrderLaws>(place, "src/testing/OrderLaws.ts")
    return orders(place, orderLaws({ autoConfirm: true, shipRequires: "confirmed" }))
  },
  products: async (place) =>
    AggregateLaws.check((await load<{ Products: typeof Products }>(place, "src/catalog/Product.ts")).Products, {
      seed
    }),
  customers: async (place) =>
    AggregateLaws.check((await load<{ Customers: typeof Customers }>(place, "src/catalog/Customer.ts")).Customers, {
      seed
    }),
  "gift cards": async (place) =>
    AggregateLaws.check(
      (await load<{ GiftCards: typeof GiftCards }>(place, "examples/gift-card/src/GiftCard.ts")).GiftCards,
      {
        seed
      }
    )
}

/** Answers the law that was broken; undefined if all hold. */
const check = async (place: string, subject: string): Promise<Found | undefined> => {
  const result = await Effect.runPromise(Effect.result(await subjects[subject]!(place)))
  if (Result.isSuccess(result)) return undefined
  const { failure } = result
  switch (failure._tag) {
    case "LawBroken":
      return { law: failure.law, after: failure.scripts, length: failure.commands.length }
    case "ProjectionLawBroken":
      return { law: failure.law, after: failure.logs, length: failure.events.length }
    case "SqlError":
      throw failure
  }
}

const judge = async (sabotage: Sabotage) => {
  const place = mkdtempSync(join(tmpdir(), "ordinal-mutation-"))
  try {
    copied(place)
    const file = join(place, sabotage.file)
    const text = apply(sabotage, readFileSync(file, "utf8"))
    unlinkSync(file)
    writeFileSync(file, text)
    return await check(place, sabotage.subject)
  } finally {
    rmSync(place, { recursive: true, force: true })
  }
}

const option = process.argv.indexOf("--only")
const only = option < 0 ? "" : (process.argv[option + 1] ?? "")
const harmless: Sabotage = {
  name: "nothing at all",
  subject: "gift cards",
  file: "examples/gift-card/src/GiftCard.ts",
  from: "// Events are the storage format:",
  to: "// Events are what is stored:"
}
const every: ReadonlyArray<Sabotage> = [
  ...otherSabotages,
  ...projectionSabotages,
  ...orderSabotages.map((sabotage) => Object.assign(sabotage, { subject: "orders" })),
  ...ownLawSabotages.map((sabotage) => Object.assign(sabotage, { subject: "orders, own laws" }))
]
const all = process.argv.includes("--harmless") ? [harmless] : every
const sabotages = all.filter(({ name, subject }) => `${subject}: ${name}`.includes(only))
if (sabotages.length === 0) throw new Error(`No sabotage has "${only}" in its name.`)

const row = (...cells: ReadonlyArray<string>) =>
  console.log(
    cells
      .map((cell, index) => cell.padEnd([16, 52, 80, 7][index] ?? 0))
      .join("  ")
      .trimEnd()
  )

const started = performance.now()
for (const subject of new Set(sabotages.map(({ subject }) => subject))) {
  const sound = await check(root, subject)
  if (sound !== undefined) throw new Error(`${subject}: "${sound.law}" must hold without a sabotage.`)
}
let survived = 0
row("subject", "sabotage", "found by the law", "after", "length")
for (const sabotage of sabotages) {
  const found = await judge(sabotage)
  if (found !== undefined) {
    row(sabotage.subject, sabotage.name, found.law, String(found.after), String(found.length))
  } else {
    survived += 1
    row(sabotage.subject, sabotage.name, "NOT FOUND")
  }
}
const seconds = ((performance.now() - started) / 1000).toFixed(0)
console.log(`${sabotages.length - survived} of ${sabotages.length} sabotages were found, in ${seconds} s.`)
if (survived > 0) process.exitCode = 1
await runtime.dispose()
