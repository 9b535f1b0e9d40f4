/** Says in words what an error is about: what the operating system or PostgreSQL said, below all that wraps it. */
import { Predicate } from "effect"
import { inspect } from "node:util"

/** Names the numbers of errors in PGlite's file system, which are those of WebAssembly and not the operating system's. */
const fileSystemErrors: Readonly<Record<number, string>> = {
  2: "permission denied",
  19: "the disk quota is used up",
  29: "input/output error",
  33: "too many open files",
  41: "too many open files in the system",
  51: "no space is left on the disk",
  63: "operation not permitted",
  69: "the file system is read-only"
}

const isText = (value: unknown): value is string => typeof value === "string" && value !== ""

/** Returns the innermost message. What is thrown may be anything: PGlite throws objects that are no errors. */
export const causeText = (error: unknown): string => {
  if (!Predicate.isObject(error)) return String(error)
  // A host name with several addresses fails with one error for each, and no message of its own.
  if (error instanceof AggregateError && error.errors.length > 0) return error.errors.map(causeText).join("; ")
  if (Predicate.isObject(error.cause)) return causeText(error.cause)
  const words = isText(error.message) ? error.message : fileSystemErrors[Number(error.errno)]
  return words ?? inspect(error, { breakLength: Infinity, depth: 1 })
}
