/**
 * Commands per second, of one event each, straight to the kernel: while nobody makes the order view, and while the same
 * process makes it. What the process sustains is what was written by the time the view has it.
 */
import { Effect } from "effect"
import { fresh } from "../servers/FreshDatabase.ts"
import * as CommandPaths from "./CommandPaths.ts"
import * as Measurement from "./Measurement.ts"

export interface Size {
  readonly callers: number
  readonly seconds: number
}

export const make = Effect.fnUntraced(function* (serverUrl: string, { callers, seconds }: Size) {
  const bare = yield* CommandPaths.make(yield* fresh(serverUrl), { view: false })
  const viewed = yield* CommandPaths.make(yield* fresh(serverUrl), { view: true })
  const alone: Array<Measurement.Round> = []
  const withView: Array<Measurement.Round> = []
  const sustained: Array<Measurement.Round> = []
  const behindSeconds: Array<number> = []
  const drive = ({ send }: typeof bare, seconds: number) => Measurement.drive(Measurement.times(callers, send), seconds)

  yield* drive(bare, seconds / 2)
  yield* drive(viewed, seconds / 2)
  yield* viewed.viewIsThere
  return {
    /** One of each. */
    round: Effect.gen(function* () {
      alone.push(yield* drive(bare, seconds))
      const start = performance.now()
      const cpu = process.cpuUsage()
      const round = yield* drive(viewed, seconds)
      const took = performance.now() - start
      yield* viewed.viewIsThere
      const untilThere = performance.now() - start
      const { system, user } = process.cpuUsage(cpu)
      const written = (round.perSecond * took) / 1_000
      withView.push(round)
      sustained.push({ perSecond: (written * 1_000) / untilThere, cpuMicros: (system + user) / written })
      behindSeconds.push((untilThere - took) / 1_000)
    }),
    summary: () => ({
      callers,
      withoutView: Measurement.summary(alone),
      withView: Measurement.summary(withView),
      sustained: Measurement.summary(sustained),
      behindSeconds: Measurement.spread(behindSeconds)
    })
  }
})
