import { assert, describe, it } from "@effect/vitest"
import { Result, Schema } from "effect"
import { Aggregate } from "ordinal/aggregate"

const event = Schema.TaggedUnion({ Opened: {} })

const define = (change: {
  readonly state?: Schema.Codec<unknown, unknown>
  readonly field?: Schema.Codec<unknown, unknown>
}) =>
  Aggregate.fromDefinition("box", {
    id: Schema.String,
    command: Schema.TaggedUnion({ Open: {} }),
    event: change.field === undefined ? event : Schema.TaggedUnion({ Opened: { at: change.field } }),
    state: change.state ?? Schema.Null,
    initial: null,
    decide: () => Result.succeed([]),
    evolve: () => null
  })

class Point extends Schema.Class<Point>("Point")({ x: Schema.Int }) {}

const hint = "give that an encoding, as Schema.DateFromString has."

describe("a definition whose events or states are no JSON is refused", () => {
  const refused: Readonly<Record<string, readonly [Schema.Codec<unknown, unknown>, string]>> = {
    "a date": [Schema.Date, "is a valid Date"],
    "an instance of a class without an encoding": [
      Schema.instanceOf(Error),
      "is an instance of a class, or a function,"
    ],
    "a function": [
      Schema.declare((value): value is () => void => typeof value === "function"),
      "is an instance of a class, or a function,"
    ],
    "a map": [Schema.ReadonlyMap(Schema.String, Schema.Int), "is ReadonlyMap"],
    "a bigint": [Schema.BigInt, "is a bigint"],
    "a symbol": [Schema.Symbol, "is a symbol"],
    "a member that may be undefined": [Schema.UndefinedOr(Schema.String), "may be undefined, and is not optional"]
  }
  for (const [what, [schema, problem]] of Object.entries(refused)) {
    it(`${what}, wherever it is`, () => {
      const refusal = (part: string, at: string) =>
        `The ${part} of box can't be stored as JSON, since ${at} ${problem}; ${hint}`
      assert.throws(() => define({ field: schema }), TypeError, refusal("event", "at"))
      assert.throws(() => define({ state: schema }), TypeError, refusal("state", "it"))
      const nested = Schema.Struct({
        list: Schema.Array(Schema.Record(Schema.String, Schema.Struct({ deep: schema })))
      })
      assert.throws(() => define({ state: nested }), TypeError, refusal("state", "list[][].deep"))
    })
  }
})

describe("a definition is accepted", () => {
  interface Tree {
    readonly children: ReadonlyArray<Tree>
  }
  const Tree: Schema.Codec<Tree> = Schema.Struct({ children: Schema.Array(Schema.suspend(() => Tree)) })
  const accepted: Readonly<Record<string, Schema.Codec<unknown, unknown>>> = {
    "with classes that have an encoding": Schema.Struct({ point: Point, at: Schema.DateFromString }),
    "with numbers that are stored as text": Schema.BigIntFromString,
    "with optional members": Schema.Struct({ a: Schema.optional(Schema.String), b: Schema.optionalKey(Schema.Int) }),
    "with any JSON": Schema.Struct({ json: Schema.Json, unknown: Schema.Unknown, nothing: Schema.Null }),
    "with a schema that holds itself": Tree
  }
  for (const [what, schema] of Object.entries(accepted)) {
    it(what, () => {
      assert.strictEqual(define({ state: schema }).category, "box")
      assert.strictEqual(define({ field: schema }).category, "box")
    })
  }
})
