import { assert, it } from "@effect/vitest"
import { Clock, Effect } from "effect"
import { program, settings } from "../../../harness/simulation/KernelProgram.ts"
import { Counter, type CounterCommand } from "../../../harness/aggregates/Counter.ts"
import * as Simulation from "../../../src/testing/simulation/Simulation.ts"

it.effect("a simulation of the kernel finds nothing", () =>
  Effect.gen(function* () {
    const { events, requests } = yield* Simulation.check(program, { ...settings, seeds: 60 })
    assert.isAbove(requests, 60 * 10)
    assert.isAbove(events, 60 * 5)
  })
)

it("a seed brings exactly the same run back, and another seed is another run", () => {
  const traceOf = (seed: number) => {
    const trace: Array<string> = []
    const { hash } = Simulation.run(program, seed, settings, (line) => trace.push(line))
    return { hash, trace }
  }
  assert.deepStrictEqual(traceOf(11), traceOf(11))
  assert.notStrictEqual(traceOf(11).hash, traceOf(12).hash)
})

it.effect("what a program finds is told with its seed, a small run and how to replay it", () =>
  Effect.gen(function* () {
    const command = (random: () => number): CounterCommand =>
      random() < 0.2 ? { _tag: "Throw" } : { _tag: "Add", amount: 1 }
    const failing = Simulation.commands([Simulation.subject(Counter, command)])
    const failed = yield* Effect.flip(Simulation.check(failing))
    assert.isTrue(failed.findings.some((finding) => finding.includes("died: Error: decide is broken")))
    const { seed, settings } = failed
    // How small a run can be made hangs on what its seed draws.
    assert.isBelow(settings.requests, Simulation.run(failing, seed, Simulation.defaults).requests)
    assert.include(failed.message, failed.trace.join("\n"))
    const replay = `seed: ${seed}, nodes: ${settings.nodes}, clients: ${settings.clients}, requests: ${settings.requests},`
    assert.include(failed.message, `Simulation.check(program, { seeds: 1, ${replay}`)
    const trace: Array<string> = []
    const again = Simulation.run(failing, seed, settings, (line) => trace.push(line))
    assert.deepStrictEqual([again.findings, trace], [failed.findings, failed.trace])
  })
)

it.effect("a program that another clock or other random numbers drive is found out", () =>
  Effect.gen(function* () {
    let run = 0
    const notSimulated = Effect.andThen(
      Effect.suspend(() => Effect.sleep((run += 1))),
      program
    )
    const failed = yield* Effect.flip(Simulation.check(notSimulated, { seed: 50, seeds: 1 }))
    assert.match(failed.message, /two runs of this seed differ/)
  })
)

it.effect("time passes only in the simulated world", () =>
  Effect.gen(function* () {
    yield* Simulation.check(Effect.sleep("5 minutes"), { seeds: 1 })
    assert.strictEqual(yield* Clock.currentTimeMillis, 0)
  })
)
