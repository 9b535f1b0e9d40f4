/**
 * Explains problem types of the contract that this server does not answer yet, so that clients can be written for them.
 * A type that is answered moves to `Problems`.
 */
import type { Problem } from "./Problem.ts"

type Explanation = Pick<Problem<never>, "slug" | "title" | "status" | "when" | "remedy" | "members">

export const reservedProblems: ReadonlyArray<Explanation> = [
  {
    slug: "unauthorized",
    title: "Unauthorized",
    status: 401,
    when: "The server asks who is calling, and the request has no valid token.",
    remedy: "Send Authorization: Bearer with a token that has not expired.",
    members: []
  },
  {
    slug: "forbidden",
    title: "Forbidden",
    status: 403,
    when: "The caller is known and may not do this. For an order of somebody else, the answer is 404 instead.",
    remedy: "Ask an operator to do it, or send what only concerns yourself.",
    members: []
  },
  {
    slug: "not-acceptable",
    title: "Not acceptable",
    status: 406,
    when: "The request's Accept header takes no form in which the server could answer.",
    remedy: "Accept application/json, or leave the header out.",
    members: []
  }
]
