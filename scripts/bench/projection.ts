/**
 * Events per second with which the order view catches up with a log, and with which it is rebuilt beside what serves,
 * next to one `INSERT … SELECT` of the same finished rows into a table with the same indexes; and the rate of writes of one
 * process, which must never be more than what the view can catch up with. Reports; judges nothing.
 */
import { Context, Effect, Layer, Redacted } from "effect"
import { Database } from "../../src/database/Database.ts"
import * as Migrations from "../../src/database/Migrations.ts"
import { LogTail } from "../../src/eventstore/tail/LogTail.ts"
import * as SqlEventStore from "../../src/eventstore/SqlEventStore.ts"
import * as SqlProjectionStore from "../../src/projection/store/SqlProjectionStore.ts"
import { ProjectionProgress } from "../../src/projection/consistency/ProjectionProgress.ts"
import { Rebuilds } from "../../src/projection/rebuild/Rebuilds.ts"
import { OrderViewProjection } from "../../src/views/order/OrderViewProjection.ts"
import { connect, fresh } from "../../harness/servers/FreshDatabase.ts"
import * as BenchDatabase from "../../harness/bench/BenchDatabase.ts"
import * as Measurement from "../../harness/bench/Measurement.ts"
import * as OrderLog from "../../harness/bench/OrderLog.ts"
import { unaudited } from "../../harness/views/ViewLayer.ts"
import * as WriteRates from "../../harness/bench/WriteRates.ts"

const sizes = {
  full: { events: 300_000, turns: 3, writes: { callers: 256, seconds: 3 } },
  quick: { events: 60_000, turns: 2, writes: { callers: 256, seconds: 1 } },
  tiny: { events: 2_500, turns: 1, writes: { callers: 4, seconds: 0.1 } }
}
export type Size = keyof typeof sizes

const { name } = OrderViewProjection

const timed = Effect.fnUntraced(function* <E, R>(one: Effect.Effect<unknown, E, R>) {
  const start = performance.now()
  const cpu = process.cpuUsage()
  yield* one
  const { system, user } = process.cpuUsage(cpu)
  return { seconds: (performance.now() - start) / 1_000, cpuMicros: user + system }
})

const logAndTail = (url: string) =>
  Layer.merge(LogTail.layer, ProjectionProgress.layer).pipe(
    Layer.provideMerge(SqlProjectionStore.layer),
    Layer.provideMerge(SqlEventStore.layer),
    Layer.provideMerge(Migrations.layer),
    Layer.provideMerge(Database.layer({ url: Redacted.make(url) }))
  )

export const run = Effect.fnUntraced(function* (size: Size) {
  const { events, turns, writes } = sizes[size]
  const server = yield* BenchDatabase.server
  const url = yield* fresh(server.url)
  const ranOn = yield* BenchDatabase.facts(server)
  const admin = yield* connect(url)
  const catchUps: Array<Measurement.Round> = []
  const rebuildRounds: Array<Measurement.Round> = []
  const inserts: Array<Measurement.Round> = []
  const head = yield* OrderLog.fill(events).pipe(Effect.provide(logAndTail(url)), Effect.scoped)
  const writeRates = yield* WriteRates.make(server.url, writes)
  const count = Number(head)
  const orders = count / OrderLog.eventsPerOrder
  const round = (things: number, { cpuMicros, seconds }: { readonly seconds: number; readonly cpuMicros: number }) => ({
    perSecond: things / seconds,
    cpuMicros: cpuMicros / things
  })

  const startAndCatchUp = Effect.gen(function* () {
    const operated = unaudited([OrderViewProjection])
    const services = yield* Layer.build(operated.pipe(Layer.provideMerge(logAndTail(url))))
    yield* Context.get(services, ProjectionProgress).awaitPosition(OrderViewProjection, head)
    return Context.get(services, Rebuilds)
  })
  const rebuild = Effect.fnUntraced(function* (rebuilds: Rebuilds["Service"]) {
    const { id } = yield* rebuilds.start(name, { compare: 0 })
    const { state } = yield* rebuilds
      .get(id)
      .pipe(Effect.delay("20 millis"), Effect.repeat({ until: ({ state }) => state !== "running" }))
    if (state !== "completed") return yield* Effect.die(new Error(`the rebuild is ${state}`))
  })

  for (let turn = 0; turn < turns; turn++) {
    yield* admin`TRUNCATE ordinal.order_view`
    yield* admin`DELETE FROM ordinal.checkpoints`
    yield* admin`CREATE TABLE copied (LIKE ordinal.order_view INCLUDING ALL)`
    yield* Effect.gen(function* () {
      let rebuilds: Rebuilds["Service"] | undefined
      catchUps.push(round(count, yield* timed(Effect.map(startAndCatchUp, (started) => void (rebuilds = started)))))
      if (rebuilds !== undefined) rebuildRounds.push(round(count, yield* timed(rebuild(rebuilds))))
    }).pipe(Effect.scoped)
    inserts.push(
      round(orders, yield* timed(admin`INSERT INTO copied SELECT * FROM ordinal.order_view ORDER BY order_id`))
    )
    yield* admin`DROP TABLE copied`
    yield* writeRates.round
    console.log(`turn ${turn + 1} of ${turns} is done`)
  }

  const catchUp = Measurement.summary(catchUps)
  const written = writeRates.summary()
  const result = {
    bench: "projection",
    size,
    ranOn,
    events: count,
    orders,
    catchUp,
    rebuild: Measurement.summary(rebuildRounds),
    insertSelectRows: Measurement.summary(inserts),
    writes: written,
    catchUpToWrites: Number((catchUp.perSecond.median / written.withoutView.perSecond.median).toPrecision(3))
  }
  const line = (what: string, { median, min, max }: Measurement.Spread) =>
    console.log(`${what.padEnd(34)}${[median, min, max].map((value) => value.toFixed(0).padStart(10)).join("")}`)
  console.log(`\n${count} events of ${orders} orders; per second: median, min, max`)
  line("catch-up, events", result.catchUp.perSecond)
  line("rebuild, events", result.rebuild.perSecond)
  line("INSERT … SELECT, finished rows", result.insertSelectRows.perSecond)
  line("writes without the view, events", written.withoutView.perSecond)
  line("writes with the view", written.withView.perSecond)
  line("writes until the view has them", written.sustained.perSecond)
  console.log(`the view can catch up with ${result.catchUpToWrites} times what is written without it\n`)
  return result
}, Effect.scoped)
