/**
 * Writes the answer to a command as a CloudEvent: its receipt, or a problem document as HTTP has it. The id of an answer is
 * made of its command's, so whoever gets it twice knows; of several answers under one id the first one counts.
 */
import { Clock, Effect, Schema, Struct } from "effect"
import { canonicalJson } from "../../aggregate/CanonicalJson.ts"
import { uuidV5 } from "../../aggregate/idempotency/CommandIdentity.ts"
import { Problems } from "../../http/problems/Problems.ts"
import { InternalError } from "../../http/problems/HttpError.ts"
import type { Receipt } from "../../orders/Receipt.ts"
import type { BrokerRecord } from "../Broker.ts"
import { contentType } from "../EventPublisher.ts"

/** An answer names its command by these. */
export interface Answered {
  /** These are of the command; where it could not be read, the record's place takes their part. */
  readonly id: string
  readonly source: string
  readonly subject?: string | undefined
  /** The record's key, which the answer has if the order is not known. */
  readonly key: string
}

const encoder = new TextEncoder()

const isKnown = (tag: unknown): tag is keyof typeof Problems => typeof tag === "string" && Object.hasOwn(Problems, tag)

/** Makes the problem document of an error; of one that nobody expects, that of an internal error. */
export const problemOf = (error: unknown): unknown => {
  const tag: unknown = typeof error === "object" && error !== null && "_tag" in error ? error._tag : undefined
  const [problem, known] = isKnown(tag) ? [Problems[tag], error] : [Problems.InternalError, new InternalError()]
  return Schema.encodeUnknownSync(problem as Schema.Codec<unknown, unknown>)(known)
}

const make = Effect.fnUntraced(function* (
  { id, key, source, subject }: Answered,
  kind: string,
  datacontenttype: string,
  data: unknown
) {
  const reply = {
    specversion: "1.0",
    id: uuidV5(JSON.stringify(["reply", source, id])),
    source: "/orders",
    type: `order.command-${kind}.v1`,
    ...(subject === undefined ? {} : { subject }),
    time: new Date(yield* Clock.currentTimeMillis).toISOString(),
    /** The command's own id and source. */
    commandid: id,
    commandsource: source,
    datacontenttype,
    // The database gives the members of a stored answer back in another order than the first one had.
    data: JSON.parse(canonicalJson(data))
  }
  return {
    key: subject ?? key,
    value: encoder.encode(JSON.stringify(reply)),
    headers: { "content-type": contentType }
  } satisfies BrokerRecord
})

export const accepted = (answered: Answered, receipt: Receipt) =>
  make({ ...answered, subject: receipt.orderId }, "accepted", "application/json", {
    ...Struct.omit(receipt, ["replayed"]),
    position: Number(receipt.position)
  })

export const refused = (answered: Answered, problem: unknown) =>
  make(answered, "refused", "application/problem+json", problem)
