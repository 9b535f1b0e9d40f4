import { assert, it } from "@effect/vitest"
import { Effect, Layer, Tracer } from "effect"
import * as MemoryEventStore from "../../../../src/eventstore/MemoryEventStore.ts"
import { Commands } from "../../../../src/aggregate/idempotency/Commands.ts"
import { add, Counter, registry } from "../../../../harness/aggregates/Counter.ts"

const spans: Array<Tracer.NativeSpan> = []
const tracer = Tracer.make({
  span: (options) => {
    const span = new Tracer.NativeSpan(options)
    spans.push(span)
    return span
  }
})

it.effect("shows each station on the way of a command once, in one trace", () =>
  Effect.gen(function* () {
    const commands = yield* Commands
    yield* commands.submit({
      aggregate: Counter,
      idOf: () => "a",
      scope: ["Add", "a"],
      request: 1,
      options: { idempotencyKey: "key" },
      command: Effect.succeed(add()),
      receipt: ({ count }) => ({ count })
    })
    const stations = spans.map(({ name, parent }) => [
      name,
      parent._tag === "Some" && spans.findIndex(({ spanId }) => spanId === parent.value.spanId)
    ])
    assert.deepStrictEqual(stations, [
      ["KeyedCommands.once", false],
      ["Aggregates.send", 0],
      ["AggregateActor.activate", 1],
      ["AggregateActor.drain", 1],
      ["AggregateActor.decide", 3]
    ])
  }).pipe(
    Effect.provide(Commands.layer.pipe(Layer.provideMerge(registry()), Layer.provide(MemoryEventStore.layer()))),
    Effect.withTracer(tracer)
  )
)

it.effect("records the spans of what makes the command where its caller's are recorded", () =>
  Effect.gen(function* () {
    const commands = yield* Commands
    const mine: Array<Tracer.NativeSpan> = []
    const tracer = Tracer.make({
      span: (options) => {
        const span = new Tracer.NativeSpan(options)
        mine.push(span)
        return span
      }
    })
    const submit = commands.submit({
      aggregate: Counter,
      idOf: () => "a",
      scope: ["Add", "a"],
      request: 1,
      options: { idempotencyKey: "key" },
      command: Effect.succeed(add()).pipe(Effect.withSpan("Catalog.quote")),
      receipt: ({ count }) => ({ count })
    })
    yield* Effect.provideService(submit, Tracer.Tracer, tracer)
    const parents = new Map(mine.map(({ name, parent }) => [name, parent._tag === "Some" && parent.value.spanId]))
    const once = mine.find(({ name }) => name === "KeyedCommands.once")
    assert.isDefined(once)
    assert.strictEqual(parents.get("Catalog.quote"), once.spanId)
    assert.strictEqual(parents.get("Aggregates.send"), once.spanId)
  }).pipe(Effect.provide(Commands.layer.pipe(Layer.provideMerge(registry()), Layer.provide(MemoryEventStore.layer()))))
)
