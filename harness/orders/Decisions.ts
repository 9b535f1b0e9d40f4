import { assert } from "@effect/vitest"
import { Result } from "effect"
import type { OrderCommand } from "../../src/order/OrderCommand.ts"
import { OrderDecider } from "../../src/order/OrderDecider.ts"
import type { OrderEvent } from "../../src/order/OrderEvent.ts"
import type { OrderRejection } from "../../src/order/OrderRejection.ts"
import { fold } from "../../src/testing/Given.ts"
import { eventsOf } from "./OrderHistory.ts"

/** Decides `command` after `commands` were accepted, by the same decider. */
const decision = (commands: ReadonlyArray<OrderCommand>, command: OrderCommand, decider = OrderDecider) =>
  decider.decide(command, fold(decider, eventsOf(commands, decider)))

export const recorded = (
  commands: ReadonlyArray<OrderCommand>,
  command: OrderCommand,
  decider = OrderDecider
): ReadonlyArray<OrderEvent> => Result.getOrThrow(decision(commands, command, decider))

export const rejected = (
  commands: ReadonlyArray<OrderCommand>,
  command: OrderCommand,
  decider = OrderDecider
): OrderRejection => Result.getOrThrow(Result.flip(decision(commands, command, decider)))

/** Accepted, but there is nothing to do. */
export const assertNothing = (commands: ReadonlyArray<OrderCommand>, command: OrderCommand): void =>
  assert.deepStrictEqual(recorded(commands, command), [])

/** Rejected with this tag and at least these fields. */
export const assertRejected = (
  commands: ReadonlyArray<OrderCommand>,
  command: OrderCommand,
  expected: Partial<OrderRejection> & Pick<OrderRejection, "_tag"> & Record<string, unknown>,
  decider = OrderDecider
): void => assert.deepInclude(rejected(commands, command, decider), expected)
