/**
 * Ends a request that is not answered in time. It takes a timer and no fiber: the request's own fiber is interrupted, and
 * RouterMiddleware, which no interruption reaches, answers with the error that was given for this.
 */
import { Context, type Fiber } from "effect"
import type { OutcomeUnknown } from "../../eventstore/EventStoreErrors.ts"
import type { QueryOverdue } from "../problems/HttpError.ts"

export type Overdue = OutcomeUnknown | QueryOverdue

export interface Deadline {
  /** The request is ended after so many milliseconds, with this error. */
  start(fiber: Fiber.Fiber<unknown, unknown>, millis: number, error: () => Overdue): void
  /** The request was answered, or failed, so that it need not be ended any more. */
  stop(): void
  /** The error of a request that was ended. */
  overdue(): Overdue | undefined
}

/** A timer of Node can't be set for longer; it would go off at once. */
const longest = 2 ** 31 - 1

export const make = (): Deadline => {
  let timer: ReturnType<typeof setTimeout> | undefined
  let overdue: Overdue | undefined
  return {
    start: (fiber, millis, error) => {
      timer = setTimeout(
        () => {
          overdue = error()
          fiber.interruptUnsafe()
        },
        Math.min(millis, longest)
      )
    },
    stop: () => clearTimeout(timer),
    overdue: () => overdue
  }
}

/** RouterMiddleware gives every request one. */
export class RequestDeadline extends Context.Service<RequestDeadline, Deadline>()(
  "ordinal/http/listener/RequestDeadline"
) {}
