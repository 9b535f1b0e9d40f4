/** Tests how `EventStore.append` judges guards: the versions of other streams that an entry depends on. */
import { assert } from "@effect/vitest"
import { Effect } from "effect"
import { EventStore } from "../eventstore/EventStore.ts"
import { append, entry, equal, event, newStream, readWholeStream, tags, uuid } from "./EventStoreEntries.ts"

/** Each case has the sentence as its key that it proves. */
export const guardCases: Record<string, Effect.Effect<unknown, unknown, EventStore>> = {
  "stores an entry only if its guarded streams are at their versions": Effect.gen(function* () {
    const [product, customer, order] = [newStream(), newStream(), newStream()]
    yield* append(entry(product, 0, { events: 2 }))
    const guards = [
      { streamId: product, version: 2 },
      { streamId: customer, version: 0 }
    ]
    equal(tags(yield* append(entry(order, 0, { guards }))), ["Accepted"])
    yield* append(entry(product, 2))
    const moved = { _tag: "GuardMoved", streamId: product, version: 3 }
    equal(yield* append(entry(order, 1, { guards })), [moved])
    equal(yield* append(entry(order, 1, { guards, events: 0, fingerprint: "a" })), [moved])
    const elsewhere = [{ streamId: order, version: 4 }, ...guards]
    equal(yield* append(entry(newStream(), 0, { guards: elsewhere })), [
      { _tag: "GuardMoved", streamId: order, version: 1 }
    ])
    assert.lengthOf(yield* readWholeStream(order), 1)
  }),

  "compares guards with what earlier entries of the same append left": Effect.gen(function* () {
    const [product, first, second] = [newStream(), newStream(), newStream()]
    const at = (version: number) => ({ guards: [{ streamId: product, version }] })
    const outcomes = yield* append(
      entry(first, 0, at(0)),
      entry(product, 0),
      entry(second, 0, at(1)),
      entry(newStream(), 0, at(0)),
      entry(product, 1, { events: 2 }),
      entry(second, 1, at(3)),
      entry(product, 7),
      entry(first, 1, at(3))
    )
    equal(tags(outcomes), [
      "Accepted",
      "Accepted",
      "Accepted",
      "GuardMoved",
      "Accepted",
      "Accepted",
      "Conflict",
      "Accepted"
    ])
    equal(outcomes[3], { _tag: "GuardMoved", streamId: product, version: 1 })
  }),

  "compares a guard with a stream that the same append begins": Effect.gen(function* () {
    const [product, first, second] = [newStream(), newStream(), newStream()]
    const guards = [{ streamId: product, version: 0 }]
    const outcomes = yield* append(entry(first, 0, { guards }), entry(product, 0), entry(second, 0, { guards }))
    equal(tags(outcomes), ["Accepted", "Accepted", "GuardMoved"])
  }),

  "takes a guard of the entry's own stream for its version before the entry": Effect.gen(function* () {
    const stream = newStream()
    const at = (version: number) => ({ guards: [{ streamId: stream, version }] })
    const outcomes = yield* append(entry(stream, 0, at(0)), entry(stream, 1, at(1)), entry(stream, 2, at(3)))
    equal(tags(outcomes), ["Accepted", "Accepted", "GuardMoved"])
  }),

  "gives the entries after one whose guard moved a conflict, on the same stream alone": Effect.gen(function* () {
    const [stream, product] = [newStream(), newStream()]
    const outcomes = yield* append(
      entry(stream, 0, { guards: [{ streamId: product, version: 1 }] }),
      entry(newStream(), 0),
      entry(stream, 1),
      entry(stream, 0)
    )
    equal(outcomes[0], { _tag: "GuardMoved", streamId: product, version: 0 })
    equal(tags(outcomes), ["GuardMoved", "Accepted", "Conflict", "Conflict"])
  }),

  "answers a conflict before a moved guard": Effect.gen(function* () {
    const stream = newStream()
    const guards = [{ streamId: newStream(), version: 1 }]
    equal(yield* append(entry(stream, 3, { guards })), [{ _tag: "Conflict", version: 0 }])
  }),

  "answers what is stored already as a duplicate, whatever its guards say now": Effect.gen(function* () {
    const [product, stream, keyed] = [newStream(), newStream(), newStream()]
    const guards = [{ streamId: product, version: 0 }]
    const commandId = uuid()
    const entries = [entry(stream, 0, { guards }), entry(keyed, 0, { guards, commandId, fingerprint: "a" })]
    equal(tags(yield* append(...entries)), ["Accepted", "Accepted"])
    yield* append(entry(product, 0))
    equal(tags(yield* append(...entries)), ["Duplicate", "Duplicate"])
    equal(tags(yield* append(entry(keyed, 1, { guards, commandId, fingerprint: "b" }))), ["Reused"])
    equal(tags(yield* append(...entries, entry(newStream(), 0, { guards }))), ["Duplicate", "Duplicate", "GuardMoved"])
  }),

  "judges many guarded entries of many streams in one append": Effect.gen(function* () {
    const products = Array.from({ length: 40 }, newStream)
    yield* append(...products.map((product, index) => entry(product, 0, { events: 1 + (index % 3) })))
    const guardsOf = (index: number) =>
      Array.from({ length: 5 }, (_, offset) => {
        const number = (index + offset) % products.length
        return { streamId: products[number]!, version: 1 + (number % 3) }
      })
    const orders = Array.from({ length: 300 }, (_, index) => entry(newStream(), 0, { guards: guardsOf(index) }))
    equal(new Set(tags(yield* append(...orders))), new Set(["Accepted"]))
    yield* append(entry(products[7]!, 2))
    const again = Array.from({ length: 80 }, (_, index) => entry(newStream(), 0, { guards: guardsOf(index) }))
    equal(
      tags(yield* append(...again)),
      again.map(({ guards }) =>
        guards?.some(({ streamId }) => streamId === products[7]) === true ? "GuardMoved" : "Accepted"
      )
    )
  }),

  "judges guards when a neighbour's data can't be stored": Effect.gen(function* () {
    const [product, bad, stream] = [newStream(), newStream(), newStream()]
    const outcomes = yield* append(
      entry(product, 0),
      entry(bad, 0, { events: [event({ text: "\u0000" })] }),
      entry(stream, 0, { guards: [{ streamId: product, version: 1 }] }),
      entry(stream, 1, { guards: [{ streamId: bad, version: 1 }] }),
      entry(stream, 2)
    )
    equal(tags(outcomes), ["Accepted", "Refused", "Accepted", "GuardMoved", "Conflict"])
  })
}
