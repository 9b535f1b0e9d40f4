/**
 * One process of the stock campaign, which `StockCampaign` starts: its writers reserve and release, receive and remove items
 * by the example's own functions, and write down what each of them was told.
 */
import { Effect, Layer, Logger, Result } from "effect"
import { writeFile } from "node:fs/promises"
import {
  remove,
  ReservationId,
  Reservations,
  reserve,
  Sku,
  Stock
} from "../../../examples/stock-reservation/src/Stock.ts"
import { AggregateLimits, defaults } from "../../../src/aggregate/AggregateLimits.ts"
import * as EventSourcing from "../../../src/kernel/EventSourcing.ts"
import { patientCommands, patientConnections } from "../../clocks/Patience.ts"
import { seeded } from "../../fixtures/SeededRandom.ts"
import { open } from "../../servers/Sql.ts"
import type { Attempt, Plan, Recording } from "./StockAttempts.ts"

const plan: Plan = JSON.parse(process.argv[2]!)
const sql = open(plan.url)

/** The log's last position, which is read again and again. */
let head = 0
/** These were answered before the next reading begins, which is the end of what they may have seen. */
let answered: Array<(head: number) => void> = []
const watch = async (isOver: () => boolean) => {
  while (!isOver()) {
    const closing = answered
    answered = []
    const [row] = await sql.rows<{ readonly head: number }>(
      `SELECT coalesce(max("position"), 0)::float8 AS head FROM ordinal.events`
    )
    head = row!.head
    for (const close of closing) close(head)
  }
}

/** The example reads what a command is made from once for each time that the command is made. */
let made = 0
const counting = Effect.sync(() => (made += 1))
const items = Layer.merge(
  Layer.effect(
    Stock,
    Effect.map(Stock, (stock) => ({ ...stock, get: (sku) => Effect.andThen(counting, stock.get(sku)) }))
  ).pipe(Layer.provide(Stock.layer)),
  Layer.effect(
    Reservations,
    Effect.map(Reservations, (all) => ({ ...all, get: (sku) => Effect.andThen(counting, all.get(sku)) }))
  ).pipe(Layer.provide(Reservations.layer))
)

type Wish = Pick<Attempt, "kind" | "sku" | "quantity" | "reservation">

const send = Effect.fnUntraced(function* ({ kind, quantity, reservation = "", ...wish }: Wish) {
  const sku = Sku.make(wish.sku)
  switch (kind) {
    case "reserve":
      return yield* reserve(sku, reservation, quantity)
    case "remove":
      return yield* remove(sku, quantity)
    case "receive":
      return yield* (yield* Stock).send(sku, { _tag: "Receive", quantity })
    case "release": {
      const id = ReservationId.make(reservation)
      return yield* (yield* Reservations).send(sku, { _tag: "Release", reservation: id })
    }
  }
})

const attempts: Array<Attempt> = []

const attempt = Effect.fnUntraced(function* (wish: Wish) {
  const before = head
  const result = yield* Effect.result(send(wish))
  const told = Result.isSuccess(result)
    ? {
        outcome: result.success.events.length > 0 ? "stored" : "nothing",
        command: result.success.commandId,
        version: result.success.version
      }
    : { ...result.failure, outcome: result.failure._tag }
  void new Promise<number>((resolve) => answered.push(resolve)).then((after) =>
    attempts.push({ ...wish, ...told, before, after })
  )
  return told.outcome
})

const writer = Effect.fnUntraced(function* (number: number) {
  const next = seeded(plan.seed * 1_000 + number)
  const below = (count: number) => Math.floor(next() * count)
  const reserved: Array<Wish> = []
  const count = Math.ceil(plan.attempts / plan.writers)
  for (let made = 0; made < count; made++) {
    // The first items are wanted more often.
    const sku = `item-${below(1 + below(plan.items))}`
    const dice = next()
    const known = reserved[below(reserved.length)]
    if (dice < 0.08) yield* attempt({ kind: "receive", sku, quantity: 1 + below(20) })
    else if (dice < 0.22) yield* attempt({ kind: "remove", sku, quantity: 1 + below(5) })
    else if (dice < 0.34 && known !== undefined) yield* attempt({ ...known, kind: "release" })
    else if (dice < 0.37 && known !== undefined) yield* attempt(known)
    else {
      const wish: Wish = { kind: "reserve", sku, quantity: 1 + below(5), reservation: crypto.randomUUID() }
      if ((yield* attempt(wish)) === "stored") reserved.push(wish)
    }
  }
})

const program = Effect.gen(function* () {
  let isOver = false
  // The kernel has migrated the database by now, so that there is a log to look at.
  const watching = watch(() => isOver && answered.length === 0)
  const start = performance.now()
  const writers = Array.from({ length: plan.writers }, (_, number) => writer(number))
  yield* Effect.all(writers, { concurrency: "unbounded" })
  const seconds = (performance.now() - start) / 1_000
  isOver = true
  yield* Effect.promise(() => watching)
  const guarded = attempts.filter(({ kind }) => kind === "reserve" || kind === "remove").length
  const recording: Recording = { attempts, moves: made - guarded, seconds }
  yield* Effect.promise(() => writeFile(plan.file, JSON.stringify(recording)))
})

const kernel = EventSourcing.layerPostgres(plan.url, patientConnections).pipe(
  Layer.provideMerge(Layer.succeed(AggregateLimits, { ...defaults, ...patientCommands }))
)
await Effect.runPromise(program.pipe(Effect.provide(items), Effect.provide(kernel), Effect.provide(Logger.layer([]))))
await sql.close()
