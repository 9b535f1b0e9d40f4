/**
 * Explains problem types of the contract that this server does not answer yet, so that clients can be written for them.
 * A type that is answered moves to `Problems`.
 */
import type { Problem } from "./Problem.ts"

type Explanation = Pick<Problem<never>, "slug" | "title" | "status" | "when" | "remedy" | "members">

export const reservedProblems: ReadonlyArray<Explanation> = [
  {
    slug: "not-acceptable",
    title: "Not acceptable",
    status: 406,
    when: "The request's Accept header takes no form in which the server could answer.",
    remedy: "Accept application/json, or leave the header out.",
    members: []
  }
]
