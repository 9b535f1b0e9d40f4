import { assert, describe, it } from "@effect/vitest"
import { DateTime, Effect, Result, Schema } from "effect"
import * as Arbitrary from "effect/Arbitrary"
import { GiftCards } from "../../../../examples/gift-card/src/GiftCard.ts"
import * as Aggregate from "../../../../src/aggregate/Aggregate.ts"
import * as AggregateLaws from "../../../../src/testing/laws/AggregateLaws.ts"
import * as Reach from "../../../../src/testing/laws/Reach.ts"

const Cents = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 10_000 }))
const Balance = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 1_000_000 }))

class TooMuch extends Schema.TaggedError<TooMuch>()("TooMuch", { left: Balance }) {}

/** Payments with ids of their own, so that a repeat is known. */
class Wallets extends Aggregate.Service<Wallets>()("wallet", {
  id: Schema.String.check(Schema.isPattern(/^[a-z]{1,8}$/)),
  command: Schema.TaggedUnion({
    Pay: { paymentId: Schema.String, cents: Cents, note: Schema.optionalKey(Schema.String) },
    Spend: { cents: Cents }
  }),
  event: Schema.TaggedUnion({
    Paid: { paymentId: Schema.String, cents: Cents, note: Schema.optionalKey(Schema.String) },
    Spent: { cents: Cents }
  }),
  state: Schema.Struct({
    version: Schema.Int,
    balance: Balance,
    payments: Schema.Array(Schema.Struct({ paymentId: Schema.String, at: Schema.String }))
  }),
  rejection: TooMuch,
  initial: { version: 0, balance: 0, payments: [] },
  decide: (command, { balance, payments }) => {
    switch (command._tag) {
      case "Pay":
        return payments.some(({ paymentId }) => paymentId === command.paymentId)
          ? Aggregate.accept()
          : Aggregate.accept({ ...command, _tag: "Paid" })
      case "Spend":
        return command.cents > balance
          ? Aggregate.reject(new TooMuch({ left: balance }))
          : Aggregate.accept({ _tag: "Spent", cents: command.cents })
    }
  },
  evolve: ({ balance, payments, version }, event, at) => {
    switch (event._tag) {
      case "Paid":
        return {
          version: version + 1,
          balance: balance + event.cents,
          payments: [...payments, { paymentId: event.paymentId, at }]
        }
      case "Spent":
        return { version: version + 1, balance: balance - event.cents, payments }
    }
  }
}) {}

class Expired extends Schema.TaggedError<Expired>()("Expired", { until: Schema.DateTimeUtcFromString }) {}

/** Vouchers hold until a moment, and that one is too late. */
class Vouchers extends Aggregate.Service<Vouchers>()("voucher", {
  id: Schema.String.check(Schema.isPattern(/^[a-z]{1,8}$/)),
  command: Schema.TaggedUnion({
    Issue: { until: Schema.DateTimeUtcFromString },
    Redeem: { at: Schema.DateTimeUtcFromString }
  }),
  event: Schema.TaggedUnion({
    Issued: { until: Schema.DateTimeUtcFromString },
    Redeemed: { at: Schema.DateTimeUtcFromString }
  }),
  state: Schema.Struct({ until: Schema.NullOr(Schema.DateTimeUtcFromString), redeemed: Schema.Int }),
  rejection: Expired,
  initial: { until: null, redeemed: 0 },
  decide: (command, { until }) => {
    if (command._tag === "Issue") {
      return until === null ? Aggregate.accept({ _tag: "Issued", until: command.until }) : Aggregate.accept()
    }
    if (until === null) return Aggregate.accept()
    return DateTime.isGreaterThanOrEqualTo(command.at, until)
      ? Aggregate.reject(new Expired({ until }))
      : Aggregate.accept({ _tag: "Redeemed", at: command.at })
  },
  evolve: ({ redeemed, until }, event) =>
    event._tag === "Issued" ? { until: event.until, redeemed } : { until, redeemed: redeemed + 1 }
}) {}

const { definition } = Wallets
const { decide, evolve } = definition
type Definition = typeof definition

const changed = (change: Partial<Definition>) => ({ category: "wallet", definition: { ...definition, ...change } })

const brokenBy = (
  change: Partial<Definition>,
  options: Parameters<
    typeof AggregateLaws.check<
      Definition["id"],
      Definition["state"],
      Definition["command"],
      Definition["event"],
      typeof TooMuch
    >
  >[1] = {}
) => {
  const result = Effect.runSync(Effect.result(AggregateLaws.check(changed(change), options)))
  return Result.isFailure(result) ? result.failure : assert.fail("no law was broken")
}

/** A year from now, the laws say, is another time for rules that look at the clock. */
const soon = Date.now() + 100 * 86_400_000

/** Each change breaks the rules in one way, which the law of this name is to find. */
const sabotages: Record<string, Partial<Definition>> = {
  "decide never throws": {
    decide: (command, state) => {
      if (command._tag === "Spend" && command.cents === state.balance) throw new Error("nothing would be left")
      return decide(command, state)
    }
  },
  "evolve is total on what decide emits": {
    evolve: (state, event, at) => {
      if (event._tag === "Spent" && state.payments.length > 1) throw new Error("more than one payment")
      return evolve(state, event, at)
    }
  },
  "decide is deterministic: no clock, no chance, no memory": {
    decide: (command, state) =>
      command._tag === "Pay" && new Date().getTime() > soon ? Aggregate.accept() : decide(command, state)
  },
  "evolve is deterministic: no clock, no chance, no memory": {
    evolve: (state, event, at) =>
      Date.now() > soon ? { ...evolve(state, event, at), balance: 0 } : evolve(state, event, at)
  },
  "no decision depends on when an event was recorded": {
    decide: (command, state) =>
      state.payments.some(({ at }) => at < "2026-01-05") && command._tag === "Spend"
        ? Aggregate.reject(new TooMuch({ left: 0 }))
        : decide(command, state)
  },
  "every event is valid by its schema": {
    decide: (command, state) =>
      Result.map(decide(command, state), (events) =>
        events.map((event) => (event._tag === "Paid" ? { ...event, cents: event.cents + 10_000 } : event))
      )
  },
  "every state is valid by its schema": {
    decide: (command, state) =>
      command._tag === "Spend" ? Aggregate.accept({ _tag: "Spent", cents: command.cents }) : decide(command, state)
  },
  "every rejection is valid by its schema, and the same after encoding": {
    decide: (command, state) =>
      Result.mapError(decide(command, state), (rejection) => Object.assign(rejection, { left: -1 }))
  },
  "a snapshot at every version leads on as the events do": {
    evolve: (state, event, at) => Object.assign({ ...evolve(state, event, at) }, { last: event._tag })
  },
  "a version in the state counts the events": {
    evolve: (state, event, at) => ({
      ...evolve(state, event, at),
      version: event._tag === "Spent" ? state.version : state.version + 1
    })
  },
  "every event changes the state": {
    evolve: (state, event, at) =>
      event._tag === "Spent" ? { ...state, version: state.version + 1 } : evolve(state, event, at)
  },
  "a command that brings an id has no effect a second time": {
    decide: (command, state) =>
      command._tag === "Pay" ? Aggregate.accept({ ...command, _tag: "Paid" }) : decide(command, state)
  }
}

describe("the laws of an aggregate", () => {
  it("hold for one that keeps them, and say how far its scripts got", () => {
    const reach = Effect.runSync(AggregateLaws.check(Wallets))
    assert.strictEqual(reach.scripts, 200)
    assert.match(
      Reach.table(reach),
      /^command  stored  nothing to do  rejected\nPay      \d+ +\d+\nSpend    \d+ +0 +TooMuch \d+$/
    )
    assert.isAbove(reach.commands.get("Spend")?.accepted ?? 0, 200)
  })

  for (const [law, change] of Object.entries(sabotages)) {
    it(`"${law}" is broken by rules that break it`, () => assert.strictEqual(brokenBy(change).law, law))
  }

  it("shows the smallest script, and replays exactly that", () => {
    const change: Partial<Definition> = sabotages["every state is valid by its schema"] ?? {}
    const found = brokenBy(change)
    assert.deepStrictEqual(found.commands, [{ _tag: "Spend", cents: 1 }])
    assert.strictEqual(
      found.message,
      `The law "every state is valid by its schema" does not hold for wallet (script ${found.scripts}, ${/\d+ commands, of which 1 are left/.exec(found.message)?.[0]}).

  given     nothing

  when      Spend { cents: 1 }
  then      Spent { cents: 1 }
  state     { version: 1, balance: -1, payments: [] }

Expected a value between 0 and 1000000
  at ["balance"]
{ version: 1, balance: -1, payments: [] }

To run exactly this again: replay: "${found.replay}"`.replace("nothing\n\n", "nothing\n")
    )
    const again = brokenBy(change, { replay: found.replay, seed: "another" })
    assert.deepStrictEqual([again.commands, again.replay], [found.commands, found.replay])
    // Once the rules are right, the same script is right.
    const { scripts } = Effect.runSync(AggregateLaws.check(Wallets, { replay: found.replay }))
    assert.strictEqual(scripts, 1)
  })

  it("is deterministic: the same seed finds the same script, another seed others", () => {
    const change: Partial<Definition> = sabotages["decide never throws"] ?? {}
    assert.strictEqual(brokenBy(change).message, brokenBy(change).message)
    for (const seed of ["2", "3", "4"]) assert.strictEqual(brokenBy(change, { seed }).law, "decide never throws")
  })

  it("may be exempted from by name, where the aggregate means it so", () => {
    const repeatable = changed(sabotages["a command that brings an id has no effect a second time"] ?? {})
    Effect.runSync(AggregateLaws.check(repeatable, { repeatable: ["Pay"] }))
    const unobserved = changed({
      ...sabotages["every event changes the state"],
      decide: (command, state) =>
        command._tag === "Spend" && command.cents === 1
          ? Aggregate.reject(new TooMuch({ left: 0 }))
          : decide(command, state)
    })
    Effect.runSync(AggregateLaws.check(unobserved, { unobserved: ["Spent"] }))
  })

  it("may be more: invariants, and laws on whole scripts", () => {
    const holds = ({ balance, payments }: { balance: number; payments: ReadonlyArray<unknown> }) =>
      payments.length > 0 || balance === 0
    Effect.runSync(AggregateLaws.check(Wallets, { invariants: { "money comes from payments": holds } }))
    const found = brokenBy({}, { invariants: { "is never empty twice": ({ balance }) => balance < 5_000 } })
    assert.strictEqual(found.law, "is never empty twice")
    assert.lengthOf(found.commands, 1)
    const law = {
      name: "no script is longer than two",
      check: ({ steps }: { steps: ReadonlyArray<unknown> }) => {
        if (steps.length > 2) throw new Error("longer")
      }
    }
    assert.lengthOf(brokenBy({}, { laws: [law] }).commands, 3)
  })

  it("meet the very moment from which a rule says something else", () => {
    const { definition } = Vouchers
    type Rules = typeof definition
    const tooLate: Rules["decide"] = (command, state) =>
      command._tag === "Redeem" && state.until !== null && DateTime.Equivalence(command.at, state.until)
        ? Aggregate.accept({ _tag: "Redeemed", at: command.at })
        : definition.decide(command, state)
    const checked = (decide: Rules["decide"]) =>
      Effect.runSync(
        AggregateLaws.check(
          { category: "voucher", definition: { ...definition, decide } },
          {
            laws: [
              {
                name: "what is redeemed still holds",
                check: ({ steps }) => {
                  for (const { before, command, decision } of steps) {
                    if (command._tag !== "Redeem" || before.until === null || !Result.isSuccess(decision)) continue
                    if (DateTime.isGreaterThanOrEqualTo(command.at, before.until)) throw new Error("redeemed too late")
                  }
                }
              }
            ]
          }
        )
      )
    checked(definition.decide)
    assert.throws(() => checked(tooLate), /what is redeemed still holds[^]*when {6}Redeem { at: [-+\d]+T[\d:.]+Z }/)
  })

  it("want every command accepted, and every event and rejection seen", () => {
    const found = brokenBy({
      decide: (command, state) =>
        command._tag === "Spend" ? Aggregate.reject(new TooMuch({ left: 0 })) : decide(command, state)
    })
    assert.include(found.message, "No Spend stored an event in 200 scripts (")
    assert.include(found.message, "No event Spent was stored.")
    assert.include(found.message, "or name it in `unreached`")
    const decideAll: Definition["decide"] = (command, state) =>
      command._tag === "Spend" && command.cents > state.balance ? Aggregate.accept() : decide(command, state)
    assert.strictEqual(brokenBy({ decide: decideAll }).message.split("\n")[0], "No command was rejected as TooMuch.")
    Effect.runSync(AggregateLaws.check(changed({ decide: decideAll }), { unreached: ["TooMuch"] }))
  })

  it("take hints: weights, or commands of one's own", () => {
    const spends = { weights: { Pay: 1, Spend: 0 }, unreached: ["Spend", "Spent", "TooMuch"] }
    const { commands } = Effect.runSync(
      AggregateLaws.check(Wallets, { commands: spends.weights, unreached: spends.unreached })
    )
    assert.strictEqual(commands.get("Spend")?.accepted, 0)
    assert.isAbove(commands.get("Pay")?.accepted ?? 0, 200)
    const only = Arbitrary.map(Arbitrary.schema(Cents), (cents) => ({ _tag: "Spend" as const, cents }))
    const reach = Effect.runSync(
      AggregateLaws.check(Wallets, { commands: only, unreached: ["Pay", "Paid", "Spend", "Spent"] })
    )
    assert.strictEqual(reach.commands.get("Pay")?.accepted, 0)
    assert.isAbove(reach.rejections.get("TooMuch") ?? 0, 100)
  })

  it("say which check keeps commands from being generated", () => {
    const id = Schema.String.check(Schema.makeFilter((text: string) => text === "the only one"))
    const run = () =>
      Effect.runSync(
        AggregateLaws.check({
          category: "giftcard",
          definition: {
            ...GiftCards.definition,
            command: Schema.TaggedUnion({ Issue: { id, cents: Cents }, Redeem: { cents: Cents, till: Schema.String } })
          }
        })
      )
    assert.throws(run, /No commands of giftcard can be generated .*none of Issue .*arbitraryConstraint/s)
  })
})
