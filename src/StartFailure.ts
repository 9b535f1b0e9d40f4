/** Why the server did not start, in one sentence for whoever starts it. */
import type { HttpServerError } from "effect/http"
import type { SqlError } from "effect/sql/SqlError"

/** What the operating system or PostgreSQL said, below everything that was wrapped around it. */
const innermost = (error: Error): Error => (error.cause instanceof Error ? innermost(error.cause) : error)

const oneLine = (text: string) => text.trim().replaceAll(/\s+/g, " ")

type Failure = SqlError | HttpServerError.ServeError | (Error & { readonly _tag?: string })

export const sentence = (failure: Failure): string => {
  const said = oneLine(innermost(failure).message)
  switch (failure._tag) {
    case "SqlError":
      return `the database of DATABASE_URL can't be used: ${said}`
    case "ServeError":
      return `HOST and PORT can't be listened on: ${said}`
    default:
      return oneLine(failure.message)
  }
}
