import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Tracer } from "effect"
import * as Span from "../../../src/telemetry/Span.ts"

const parent = Effect.withFiber(({ context }) => Effect.succeed(Context.getOrUndefined(context, Tracer.ParentSpan)))

const recorder = () => {
  const names: Array<string> = []
  const tracer = Tracer.make({
    span: (options) => {
      names.push(options.name)
      return new Tracer.NativeSpan(options)
    }
  })
  return { names, tracer }
}

describe("a span", () => {
  const add = Span.fn("add")(function* (one: number, other: number) {
    assert.strictEqual((yield* parent)?._tag, "Span")
    return one + other
  })

  it.effect("is made where a tracer keeps it", () => {
    const { names, tracer } = recorder()
    return Effect.gen(function* () {
      assert.strictEqual(yield* add(1, 2), 3)
      assert.isDefined(yield* Span.use("used", (span) => Effect.succeed(span)))
      assert.isDefined(yield* parent.pipe(Span.within("within", () => ({ attributes: { one: 1 } }))))
      assert.deepStrictEqual(names, ["add", "used", "within"])
    }).pipe(Effect.withTracer(tracer))
  })

  it.effect("is not made where nobody would see it, and its options are not either", () =>
    Effect.gen(function* () {
      assert.isUndefined(yield* Span.use("used", (span) => Effect.succeed(span)))
      const options = (): never => assert.fail("nobody needs options")
      assert.isUndefined(yield* parent.pipe(Span.within("within", options)))
    })
  )
})
