/**
 * Signs requests as Standard Webhooks (standardwebhooks.com) says, so that receivers verify them with any of its libraries:
 * HMAC-SHA256 over the id, the time and the body. While a secret is being rotated, there is a signature by each of both.
 */
import { createHmac, randomBytes } from "node:crypto"

const prefix = "whsec_"

/** Makes a secret of 32 random bytes. */
export const makeSecret = (): string => prefix + randomBytes(32).toString("base64")

export interface Signed {
  /** The receiver deduplicates by it: each attempt to deliver an event has the event's id. */
  readonly id: string
  /** Seconds since 1970; the receiver refuses what is too old. */
  readonly timestamp: number
  readonly body: string
}

const signature = (secret: string, { body, id, timestamp }: Signed): string => {
  const key = Buffer.from(secret.slice(prefix.length), "base64")
  return `v1,${createHmac("sha256", key).update(`${id}.${timestamp}.${body}`).digest("base64")}`
}

/** Makes the headers of a request that these secrets sign. */
export const headers = (secrets: ReadonlyArray<string>, signed: Signed) => ({
  "webhook-id": signed.id,
  "webhook-timestamp": String(signed.timestamp),
  "webhook-signature": secrets.map((secret) => signature(secret, signed)).join(" ")
})
