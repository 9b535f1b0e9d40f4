/**
 * Provides `Orders` to the processes of a cluster (`effect/cluster`): a command on an order is decided in the process that owns
 * the order's slice, so that it meets the actor that has the order in memory. This is for speed alone, as any other process
 * would be right, too.
 *
 * So whenever the owner does not answer at once, the command is decided here, under the same idempotency key: the log tells
 * whether the owner has stored it. A command of an own slice, a new order, a query and a subscription never leave the process.
 */
import { Clock, Effect, Exit, Fiber, Layer, Option } from "effect"
import { EntityId, Sharding } from "effect/cluster"
import type { CommandOptions } from "../aggregate/idempotency/Commands.ts"
import * as UuidV7 from "../eventstore/UuidV7.ts"
import * as CheckedOrders from "../orders/CheckedOrders.ts"
import { Orders } from "../orders/Orders.ts"
import type { Receipt } from "../orders/Receipt.ts"
import { callOn, type Call, type CommandName, commands, OrderSlice, read, sliceOf, answer } from "./OrderSlices.ts"

/** The owner has so many milliseconds to answer. */
const patience = 500

/** An owner that did not answer is asked by one command after so many milliseconds, and by the others once it has answered that. */
const pause = 1_000

const make = Effect.gen(function* () {
  const orders = yield* Orders
  const sharding = yield* Sharding.Sharding
  const client = yield* OrderSlice.client
  const clock = yield* Clock.Clock
  /** The process that answered last for each slice. */
  const owners = new Map<string, string>()
  const pausedUntil = new Map<string, number>()

  const isOwn = (slice: string) => {
    const id = EntityId.make(slice)
    return sharding.hasShardId(sharding.getShardId(id, OrderSlice.getShardGroup(id)))
  }

  /** A slice whose owner is not known yet stands for it. */
  const ownerOf = (slice: string) => owners.get(slice) ?? slice
  const millis = () => Number(clock.monotonicTimeNanosUnsafe() / 1_000_000n)
  const pauseOwner = (slice: string) => pausedUntil.set(ownerOf(slice), millis() + pause)

  /** Does not wait for a request to end that it has given up. */
  const answered = Effect.fnUntraced(function* (slice: string, call: Call) {
    const asking = yield* Effect.forkDetach(client(slice).command({ call: JSON.stringify(call) }))
    const exit = yield* Fiber.await(asking).pipe(
      Effect.timeoutOption(patience),
      Effect.ensuring(Effect.forkDetach(Fiber.interrupt(asking)))
    )
    if (Option.isNone(exit)) return undefined
    if (Exit.isSuccess(exit.value)) return read(exit.value.value)
    yield* Effect.logDebug("The owner of a slice can't be asked.", exit.value.cause)
    return undefined
  })

  const ask = Effect.fnUntraced(function* (slice: string, call: Call) {
    // The first command after a pause is alone in asking.
    if (pausedUntil.has(ownerOf(slice))) pauseOwner(slice)
    const sent = yield* answered(slice, call)
    if (sent?.outcome === undefined) {
      pauseOwner(slice)
      return yield* callOn(orders, call)
    }
    pausedUntil.delete(ownerOf(slice))
    pausedUntil.delete(sent.owner)
    owners.set(slice, sent.owner)
    return yield* sent.outcome
  })

  const routed =
    (name: CommandName, count: number) =>
    (...args: ReadonlyArray<unknown>): Effect.Effect<Receipt, unknown> =>
      Effect.suspend(() => {
        const [id] = args
        const given = args.slice(0, count)
        const options = (args[count] ?? {}) as CommandOptions
        const here = callOn(orders, { name, given, options })
        // The inbox keeps refusals, by a function that can't be sent.
        const isPlain = options.keepRefusal === undefined && options.keepKey === undefined
        if (typeof id !== "string" || !isPlain) return here
        const slice = sliceOf(id)
        if (isOwn(slice) || (pausedUntil.get(ownerOf(slice)) ?? 0) > millis()) return here
        const keyed = { ...options, idempotencyKey: options.idempotencyKey ?? UuidV7.make() }
        return ask(slice, { name, given, options: keyed })
      })

  const methods = Object.fromEntries(
    Object.entries(commands).map(([name, count]) => [name, routed(name as CommandName, count)])
  )
  // Each command takes and gives what the same one of the service here does.
  return { ...orders, ...methods } as Orders["Service"]
})

/** Answers the commands of other processes on slices that this one owns. */
const owner = OrderSlice.toLayer(
  Effect.map(Orders, (orders) => {
    const name = UuidV7.make()
    return {
      command: ({ payload }: { readonly payload: { readonly call: string } }) => answer(orders, name, payload.call)
    }
  }),
  { concurrency: "unbounded", disableFatalDefects: true }
)

/** Sends commands to their owners, and owns no slice. Takes the `Orders` of this process. */
export const layerClientOnly = Layer.effect(Orders, Effect.map(make, CheckedOrders.make))

/** Sends commands to their owners, and owns slices itself. Takes the `Orders` of this process. */
export const layer = Layer.merge(layerClientOnly, owner)
