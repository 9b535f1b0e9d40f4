/**
 * The entity of the cluster by which commands are sent to the process that owns their order: a slice, of which there are
 * 1,024 for ever, and not an order. It keeps nothing: the order's actor does, in the process that answers. What is sent is
 * a call of `Orders` as text, and what comes back is its receipt or its error.
 */
import { Cause, Effect, Exit, Option, Schema } from "effect"
import { Entity } from "effect/cluster"
import { Rpc } from "effect/rpc"
import { isUnavailable } from "../aggregate/CommandErrors.ts"
import type { CommandOptions } from "../aggregate/idempotency/Commands.ts"
import { Problems } from "../http/problems/Problems.ts"
import type { Orders } from "../orders/Orders.ts"
import type { Receipt } from "../orders/Receipt.ts"

/** The number of arguments of each command that come before its options; the first one is the order's id. */
export const commands = {
  addLine: 2,
  changeLineQuantity: 3,
  removeLine: 2,
  changeShippingAddress: 2,
  confirm: 1,
  cancel: 2,
  cancelItems: 2,
  ship: 2,
  deliver: 2,
  returnItems: 2,
  authorizePayment: 2,
  capturePayment: 3,
  voidPayment: 2,
  refundPayment: 3
} as const satisfies Partial<Record<keyof Orders["Service"], number>>

export type CommandName = keyof typeof commands

export interface Call {
  readonly name: CommandName
  readonly given: ReadonlyArray<unknown>
  readonly options: CommandOptions
}

export const OrderSlice = Entity.make("ordinal/OrderSlice", [
  Rpc.make("command", { payload: { call: Schema.String }, success: Schema.String })
])

export const slices = 1_024

/** FNV-1a. */
export const sliceOf = (orderId: string): string => {
  let hash = 0x811c9dc5
  for (let index = 0; index < orderId.length; index++) hash = Math.imul(hash ^ orderId.charCodeAt(index), 0x01000193)
  return String((hash >>> 0) % slices)
}

type Command = (...given: ReadonlyArray<unknown>) => Effect.Effect<Receipt, unknown>

/** Calls the service in this process, which checks what it is given. */
export const callOn = (orders: Orders["Service"], { given, name, options }: Call): Effect.Effect<Receipt, unknown> =>
  (orders[name] as Command)(...given, options)

const isKnown = (tag: unknown): tag is keyof typeof Problems => typeof tag === "string" && Object.hasOwn(Problems, tag)

type AnyProblem = Schema.Codec<unknown, unknown>

/**
 * What is sent back; neither a receipt nor an error means that the process that asked should do it, as when the owner shuts
 * down or has lost its database. Under the same key that is safe whatever has become of it here.
 */
interface Sent {
  /** Names the process that answers. */
  readonly owner: string
  readonly receipt?: Omit<Receipt, "position"> & { readonly position: string }
  readonly error?: { readonly tag: keyof typeof Problems; readonly problem: unknown }
}

const sentOf = (exit: Exit.Exit<Receipt, unknown>): Omit<Sent, "owner"> => {
  if (Exit.isSuccess(exit)) return { receipt: { ...exit.value, position: String(exit.value.position) } }
  const error = Option.getOrUndefined(Cause.findErrorOption(exit.cause))
  const tag: unknown = typeof error === "object" && error !== null && "_tag" in error ? error._tag : undefined
  if (!isKnown(tag) || isUnavailable(error)) return {}
  return { error: { tag, problem: Schema.encodeUnknownSync(Problems[tag] as AnyProblem)(error) } }
}

/** Answers the calls of other processes, as the one of this name. */
export const answer = (orders: Orders["Service"], owner: string, text: string): Effect.Effect<string> =>
  Effect.map(Effect.exit(callOn(orders, JSON.parse(text))), (exit) => JSON.stringify({ owner, ...sentOf(exit) }))

interface Answered {
  readonly owner: string
  /** Is absent if the process that asked should do it. */
  readonly outcome?: Exit.Exit<Receipt, unknown>
}

/** Reads what was sent back. */
export const read = (text: string): Answered => {
  const { error, owner, receipt }: Sent = JSON.parse(text)
  if (receipt !== undefined) {
    return { owner, outcome: Exit.succeed({ ...receipt, position: BigInt(receipt.position) }) }
  }
  if (error === undefined) return { owner }
  return { owner, outcome: Exit.fail(Schema.decodeUnknownSync(Problems[error.tag] as AnyProblem)(error.problem)) }
}
