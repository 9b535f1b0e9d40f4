/**
 * Tests what every implementation of `Broker` must do: `brokerContract("memory", layer)`. Each case uses topics of its own,
 * so it can be run against a broker that others use.
 */
import { assert, describe, layer as withLayer } from "@effect/vitest"
import { Duration, Effect, Fiber, type Layer, Queue } from "effect"
import { Broker, type BrokerRecord, differences, type StoredRecord } from "../../src/bus/Broker.ts"
import { partitionOf } from "../../src/bus/Murmur2.ts"

const decoder = new TextDecoder()
const encoder = new TextEncoder()

export const record = (key: string, text: string, headers: Record<string, string> = {}): BrokerRecord => ({
  key,
  value: encoder.encode(text),
  headers
})

export const textOf = ({ value }: StoredRecord): string => decoder.decode(value)

const topic = Effect.fnUntraced(function* (partitions = 4) {
  const broker = yield* Broker
  const name = `contract-${crypto.randomUUID()}`
  return yield* broker.topic({ name, partitions, replicationFactor: 1 })
})

const byKey = (records: ReadonlyArray<StoredRecord>, key: string) =>
  records.filter((record) => record.key === key).map(textOf)

/** Consumes in the background, and gives a queue of what was handled. */
const consuming = Effect.fnUntraced(function* (name: string, group: string) {
  const broker = yield* Broker
  const seen = yield* Queue.unbounded<StoredRecord>()
  const fiber = yield* Effect.forkChild(broker.consume(name, group, (records) => Queue.offerAll(seen, records)))
  return { seen, fiber }
})

const cases: Record<string, Effect.Effect<unknown, unknown, Broker>> = {
  "makes a topic once, and never changes it": Effect.gen(function* () {
    const broker = yield* Broker
    const { name, ...made } = yield* topic(3)
    assert.strictEqual(made.partitions, 3)
    assert.isTrue(Duration.isGreaterThan(made.retention, Duration.hours(1)))
    const asked = { name, partitions: 5, replicationFactor: 1 }
    const found = yield* broker.topic(asked)
    assert.deepStrictEqual(found, { name, ...made })
    assert.lengthOf(differences(asked, found), 1)
    assert.match(differences(asked, found)[0]!, /has 3 partitions, not 5 as the settings say; it is used as it is/)
    assert.deepStrictEqual(differences({ ...asked, partitions: 3 }, found), [])
  }),

  "keeps the records of a key in one partition, in order, where Java's client puts them": Effect.gen(function* () {
    const broker = yield* Broker
    const { name } = yield* topic()
    const keys = Array.from({ length: 20 }, (_, index) => `ord_${index}é`)
    for (let round = 0; round < 3; round++) {
      yield* broker.send(
        name,
        keys.flatMap((key) => [record(key, `${round}a`), record(key, `${round}b`)])
      )
    }
    const all = yield* broker.last(name, 1_000)
    assert.lengthOf(all, 120)
    for (const key of keys) {
      assert.deepStrictEqual(byKey(all, key), ["0a", "0b", "1a", "1b", "2a", "2b"])
      const partitions = new Set(all.filter((record) => record.key === key).map(({ partition }) => partition))
      assert.deepStrictEqual([...partitions], [partitionOf(key, 4)])
    }
  }),

  "gives back the last records of each partition, with their headers": Effect.gen(function* () {
    const broker = yield* Broker
    const { name } = yield* topic(2)
    assert.deepStrictEqual(yield* broker.last(name, 10), [])
    for (let index = 0; index < 30; index++) {
      yield* broker.send(name, [record("one", String(index), { "content-type": "text/plain", número: "ñ" })])
    }
    const last = yield* broker.last(name, 7)
    assert.deepStrictEqual(last.map(textOf), ["23", "24", "25", "26", "27", "28", "29"])
    assert.deepStrictEqual(last[0]?.headers, { "content-type": "text/plain", número: "ñ" })
    assert.deepStrictEqual(
      last.map(({ offset }) => offset),
      [23n, 24n, 25n, 26n, 27n, 28n, 29n]
    )
  }),

  "sends more than one request may hold": Effect.gen(function* () {
    const broker = yield* Broker
    const { name } = yield* topic(1)
    const large = "x".repeat(100_000)
    yield* broker.send(
      name,
      Array.from({ length: 40 }, (_, index) => record("one", `${index} ${large}`))
    )
    const all = yield* broker.last(name, 100)
    assert.deepStrictEqual(
      all.map((record) => parseInt(textOf(record))),
      Array.from({ length: 40 }, (_, index) => index)
    )
  }),

  "refuses a record that is too large, and goes on with others": Effect.gen(function* () {
    const broker = yield* Broker
    const { name } = yield* topic(1)
    const error = yield* Effect.flip(broker.send(name, [record("big", "x".repeat(2_000_000))]))
    assert.strictEqual(error._tag, "RecordRefused")
    assert.match(error.message, /^The broker refused the record of the key big: .*[a-z]\.$/)
    yield* broker.send(name, [record("small", "fits")])
    assert.deepStrictEqual((yield* broker.last(name, 10)).map(textOf), ["fits"])
  }),

  "says that a topic is not there": Effect.gen(function* () {
    const broker = yield* Broker
    const error = yield* Effect.flip(broker.send(`none-${crypto.randomUUID()}`, [record("one", "lost")]))
    assert.strictEqual(error._tag, "BrokerUnavailable")
  }),

  "gives a group every record from the topic's beginning, and goes on after what it has committed": Effect.gen(
    function* () {
      const broker = yield* Broker
      const { name } = yield* topic()
      const sent = Array.from({ length: 50 }, (_, index) => record(`key${index % 7}`, String(index)))
      yield* broker.send(name, sent.slice(0, 20))
      const { fiber, seen } = yield* consuming(name, `group-${name}`)
      const first = yield* Effect.replicateEffect(Queue.take(seen), 20)
      yield* broker.send(name, sent.slice(20, 40))
      const all = [...first, ...(yield* Effect.replicateEffect(Queue.take(seen), 20))]
      for (let key = 0; key < 7; key++) {
        const expected = sent.slice(0, 40).filter((record) => record.key === `key${key}`)
        assert.deepStrictEqual(
          byKey(all, `key${key}`),
          expected.map(({ value }) => decoder.decode(value))
        )
      }
      const committed = broker
        .lag(name, `group-${name}`)
        .pipe(Effect.map((lags) => lags.every(({ lag }) => lag === 0n)))
      yield* Effect.repeat(committed, { until: (isCommitted) => isCommitted })
      yield* Fiber.interrupt(fiber)
      yield* broker.send(name, sent.slice(40))
      const lags = yield* broker.lag(name, `group-${name}`)
      assert.strictEqual(
        lags.reduce((sum, { lag }) => sum + lag, 0n),
        10n
      )
      const again = yield* consuming(name, `group-${name}`)
      const rest = yield* Effect.replicateEffect(Queue.take(again.seen), 10)
      assert.deepStrictEqual(
        rest.map((record) => Number(textOf(record))).sort((a, b) => a - b),
        [40, 41, 42, 43, 44, 45, 46, 47, 48, 49]
      )
      yield* Fiber.interrupt(again.fiber)
    }
  ),

  "commits nothing that was not handled, and shares a topic between groups": Effect.gen(function* () {
    const broker = yield* Broker
    const { name } = yield* topic(1)
    yield* broker.send(name, [record("one", "1"), record("one", "2")])
    const failed = yield* Effect.flip(broker.consume(name, `a-${name}`, () => Effect.fail("not handled" as const)))
    assert.strictEqual(failed, "not handled")
    for (const group of [`a-${name}`, `b-${name}`]) {
      const { fiber, seen } = yield* consuming(name, group)
      const all = yield* Effect.replicateEffect(Queue.take(seen), 2)
      assert.deepStrictEqual(all.map(textOf), ["1", "2"])
      yield* Fiber.interrupt(fiber)
    }
  })
}

export const brokerContract = <E>(name: string, layer: Layer.Layer<Broker, E>): void => {
  describe(`Broker contract: ${name}`, () => {
    withLayer(layer, { excludeTestServices: true, timeout: "60 seconds" })((it) => {
      for (const [behaviour, effect] of Object.entries(cases)) it.effect(behaviour, () => effect)
    })
  })
}
