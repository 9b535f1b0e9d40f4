/**
 * Tests an aggregate's rules by example, without a kernel or an event store: given these events, when this command comes,
 * then these events or this rejection follow. (Given-when-then for event-sourced aggregates, after Greg Young.) A test that
 * fails throws an error that shows all of it, so any runner and any assertion library will do.
 */
import { Equal, Result, type Schema } from "effect"
import type { Decider } from "../aggregate/Aggregate.ts"
import type { Definition } from "../aggregate/AggregateService.ts"
import { block, shown } from "./Shown.ts"

/**
 * Gives the time (ISO 8601, UTC) of the event with this index in a test: events are one second apart, from 2026-01-01
 * on.
 */
export const timeOf = (index: number): string => new Date(Date.UTC(2026, 0, 1) + index * 1000).toISOString()

/**
 * Folds events into the state that they lead to, each at its `timeOf`.
 *
 * ```ts
 * import { fold } from "ordinal/testing"
 * import { OrderDecider } from "ordinal/order"
 *
 * const absent = fold(OrderDecider, []) // => OrderDecider.initialState
 * ```
 */
export const fold = <State, Event>(
  decider: Pick<Decider<State, never, Event, unknown>, "evolve" | "initialState">,
  events: ReadonlyArray<Event>
): State => events.reduce((state, event, index) => decider.evolve(state, event, timeOf(index)), decider.initialState)

type TagOf<A> = A extends { readonly _tag: infer Tag extends string } ? Tag : never
type FieldsOf<A, Tag> = Partial<Omit<Extract<A, { readonly _tag: Tag }>, "_tag" | keyof Error>>

/** Says what must follow. Each of these throws an error if something else does. */
export interface Decided<State, Event, Rejection> {
  readonly decision: Result.Result<ReadonlyArray<Event>, Rejection>
  /** The state that the command leads to. */
  readonly state: State
  /** The command stores exactly these events. */
  then(events: ReadonlyArray<Event>): void
  /** There is nothing to do: the command is accepted, and stores no event. */
  thenNothing(): void
  /** The command is refused with this rejection, which has at least these fields. */
  thenRejects<Tag extends TagOf<Rejection>>(tag: Tag, fields?: FieldsOf<Rejection, Tag>): void
}

export interface Given<State, Command, Event, Rejection> {
  /** The given events lead to this state. */
  readonly state: State
  /** Decides a command on that state. */
  when(command: Command): Decided<State, Event, Rejection>
}

const outcome = (decision: Result.Result<ReadonlyArray<unknown>, unknown>): ReadonlyArray<string> => {
  if (Result.isFailure(decision)) return [`rejected with ${shown(decision.failure)}`]
  return decision.success.length === 0 ? ["nothing to do"] : decision.success.map((event) => shown(event))
}

const hasFields = (rejection: unknown, expected: object): boolean =>
  typeof rejection === "object" &&
  rejection !== null &&
  Object.entries(expected).every(([name, value]) => Equal.equals(Reflect.get(rejection, name), value))

/** Writes a script with what its last command led to. */
export const told = (
  given: ReadonlyArray<unknown>,
  when: unknown,
  then: ReadonlyArray<readonly [string, ReadonlyArray<string>]>
): string =>
  [
    block(
      "given",
      given.map((event) => shown(event)),
      "nothing"
    ),
    block("when", [shown(when)], ""),
    ...then.map(([heading, items]) => block(heading, items, "nothing"))
  ].join("\n")

/**
 * Begins an example with the events that have happened so far. The aggregate is the class that `Aggregate.Service` makes.
 *
 * ```ts
 * import { given, orderId } from "ordinal/testing"
 * import { OrderStreams } from "ordinal/order"
 *
 * given(OrderStreams, []).when({ _tag: "ConfirmOrder", orderId }).thenRejects("OrderNotFound")
 * ```
 */
export const given = <
  Id extends Schema.Codec<string, string>,
  State extends Schema.Codec<unknown, unknown>,
  Command extends Schema.Codec<{ readonly _tag: string }, { readonly _tag: string }>,
  Event extends Schema.Codec<{ readonly _tag: string }, { readonly _tag: string }>,
  Rejection extends Schema.Codec<unknown, unknown>
>(
  aggregate: { readonly definition: Definition<Id, State, Command, Event, Rejection> },
  events: ReadonlyArray<Event["Type"]>
): Given<State["Type"], Command["Type"], Event["Type"], Rejection["Type"]> => {
  const { decide, evolve, initial: initialState } = aggregate.definition
  const state = fold({ evolve, initialState }, events)
  return {
    state,
    when: (command) => {
      const decision = decide(command, state)
      const insist = (holds: boolean, expected: ReadonlyArray<string>): void => {
        if (holds) return
        const then = [["expected", expected] as const, ["got", outcome(decision)] as const]
        throw new Error(`another decision was expected\n\n${told(events, command, then)}\n`)
      }
      const stored = Result.getOrElse(decision, (): ReadonlyArray<Event["Type"]> => [])
      return {
        decision,
        state: stored.reduce((to, event, index) => evolve(to, event, timeOf(events.length + index)), state),
        // oxlint-disable-next-line unicorn/no-thenable -- the word of given, when, then; what awaits it is told so
        then: (expected) => {
          if (!Array.isArray(expected)) throw new TypeError("A test neither awaits nor returns what `when` gives.")
          insist(Result.isSuccess(decision) && Equal.equals(stored, expected), outcome(Result.succeed(expected)))
        },
        thenNothing: () => insist(Result.isSuccess(decision) && stored.length === 0, ["nothing to do"]),
        thenRejects: (tag, fields = {}) =>
          insist(Result.isFailure(decision) && hasFields(decision.failure, { _tag: tag, ...fields }), [
            `rejected with ${shown({ _tag: tag, ...fields })}`
          ])
      }
    }
  }
}
