/**
 * Ends a request that is not answered in time. It takes a timer and no fiber: the request's own fiber is interrupted, and
 * RouterMiddleware, which no interruption reaches, answers with the error that was given for this.
 */
import { Context, Duration, type Fiber } from "effect"
import type { HttpServerRequest } from "effect/http"
import { OutcomeUnknown } from "../../eventstore/EventStoreErrors.ts"
import { QueryOverdue } from "../problems/HttpError.ts"
import * as HeaderValue from "../wire/HeaderValue.ts"
import type { HttpLimits } from "./HttpLimits.ts"

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
      // A hot route that left the request to its endpoint has started it already.
      clearTimeout(timer)
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

/**
 * Makes a function that ends a request at its deadline, which is `limits.request` from now, plus the seconds that its
 * `Prefer: wait=N` header lets it wait for a view.
 */
const endsWith =
  (error: (seconds: number) => Overdue) =>
  (
    deadline: Deadline,
    fiber: Fiber.Fiber<unknown, unknown>,
    { headers }: HttpServerRequest.HttpServerRequest,
    limits: HttpLimits
  ): void => {
    const seconds = Duration.toSeconds(limits.request) + (HeaderValue.waitOf(headers["prefer"]) ?? 0)
    deadline.start(fiber, seconds * 1000, () => error(seconds))
  }

export const ofCommand = endsWith(() => new OutcomeUnknown({ retryAfter: 1 }))

export const ofQuery = endsWith((seconds) => new QueryOverdue({ seconds, retryAfter: 1 }))
