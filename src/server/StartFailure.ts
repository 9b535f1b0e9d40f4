/** Why the server did not start, in one sentence for whoever starts it. */
import type { HttpServerError } from "effect/http"
import type { SqlError } from "effect/sql/SqlError"

/** What the operating system or PostgreSQL said, below everything that was wrapped around it. */
const innermost = (error: Error): Error => (error.cause instanceof Error ? innermost(error.cause) : error)

const oneLine = (text: string) => text.trim().replaceAll(/\s+/g, " ")

export const said = (error: Error): string => oneLine(innermost(error).message)

type Failure = SqlError | HttpServerError.ServeError | (Error & { readonly _tag?: string })

export const sentence = (failure: Failure): string => {
  switch (failure._tag) {
    case "SqlError":
      return `the database of DATABASE_URL can't be used: ${said(failure)}`
    case "ServeError":
      return `HOST and PORT can't be listened on: ${said(failure)}`
    default:
      return oneLine(failure.message)
  }
}
