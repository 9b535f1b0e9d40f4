/** A rule answers with the events to record (none if there is nothing to do), or with a rejection. */
import { Result } from "effect"
import type { Item } from "../Line.ts"
import { allowed } from "./OrderAllowed.ts"
import type { CommandName } from "../OrderCommand.ts"
import type { OrderEvent } from "../OrderEvent.ts"
import type { OrderPolicies } from "../OrderPolicies.ts"
import * as Rejection from "../OrderRejection.ts"
import type { Order } from "../OrderState.ts"
import { status } from "../OrderStatus.ts"

export type Decision = Result.Result<ReadonlyArray<OrderEvent>, Rejection.OrderRejection>

export const record = (...events: ReadonlyArray<OrderEvent>): Decision => Result.succeed(events)

/** Accepts a command that leaves nothing to do. */
export const nothing: Decision = Result.succeed([])

export const reject = (rejection: Rejection.OrderRejection): Decision => Result.fail(rejection)

/**
 * Answers a command whose id is known: with the same content there is nothing to do, with other content it is refused.
 */
export const repeat = (order: Order, kind: Rejection.IdReused["kind"], id: string, isSame: boolean): Decision =>
  isSame ? nothing : reject(new Rejection.IdReused({ orderId: order.id, kind, id }))

/** Rejects a command that the order's status forbids. */
export const notNow = (order: Order, command: CommandName, policies: OrderPolicies): Decision =>
  reject(
    new Rejection.InvalidTransition({
      orderId: order.id,
      orderStatus: status(order),
      command,
      allowed: allowed(order, policies)
    })
  )

export const isSameItems = (left: ReadonlyArray<Item>, right: ReadonlyArray<Item>): boolean =>
  left.length === right.length &&
  left.every((item) => right.some((other) => other.lineId === item.lineId && other.quantity === item.quantity))
