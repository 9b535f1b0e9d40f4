import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { OrderStreams } from "../../../../src/order/OrderAggregate.ts"
import { dice } from "../../../../src/testing/laws/Dice.ts"
import * as RandomLog from "../../../../src/testing/projections/RandomLog.ts"

type Log = ReturnType<typeof RandomLog.make>

const log = RandomLog.make([OrderStreams], { streams: 4, length: 12, seed: "1" })
const streams = Map.groupBy(log, ({ streamId }) => streamId)

const withoutLastOf = (log: Log, streamId: string) => {
  const last = log.findLastIndex((event) => event.streamId === streamId)
  return log.filter((_, index) => index !== last)
}

it.effect("a log is shrunk to what breaks the law", () =>
  Effect.gen(function* () {
    const [first, second] = [...streams].flatMap(([streamId, events]) => (events.length > 2 ? [streamId] : []))
    const isNeeded = ({ streamId, version }: Log[number]) =>
      (streamId === first && version <= 3) || (streamId === second && version === 1)
    const needed = log.filter(isNeeded)
    assert.lengthOf(needed, 4)
    const breaks = (tried: Log) => Effect.succeed(needed.every((event) => tried.includes(event)))
    assert.deepStrictEqual(yield* RandomLog.shrink(log, breaks), needed)
  })
)

it.effect("of a shrunk log, no stream's last event can be left out, whatever breaks the law", () =>
  Effect.gen(function* () {
    for (let seed = 0; seed < 200; seed++) {
      const isBroken = (tried: Log) =>
        tried === log || dice(`${seed} ${tried.map(({ position }) => position).join()}`).chance(0.3)
      const smallest = yield* RandomLog.shrink(log, (tried) => Effect.sync(() => isBroken(tried)))
      assert.isTrue(isBroken(smallest))
      for (const streamId of new Set(smallest.map((event) => event.streamId))) {
        const smaller = withoutLastOf(smallest, streamId)
        assert.isTrue(smaller.length === 0 || !isBroken(smaller), `seed ${seed}`)
      }
    }
  })
)
