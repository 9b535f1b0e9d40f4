/** The identity of a command that its caller may send again: two equal ones are one command. */
import { createHash } from "node:crypto"
import { canonicalJson } from "../CanonicalJson.ts"

export interface CommandIdentity {
  /** UUIDv5 of who sends what to where under which key. */
  readonly commandId: string
  /** SHA-256 of the request as it was decoded, in canonical JSON. */
  readonly fingerprint: string
}

/** Any UUID, for ever the same. */
const namespace = Buffer.from("5b0a5d6c6a0e4b5f9f4e0d7c1c2a7e11", "hex")

/** RFC 9562, section 5.5: a name-based UUID. */
export const uuidV5 = (name: string): string => {
  const bytes = createHash("sha1").update(namespace).update(name).digest().subarray(0, 16)
  bytes[6] = (bytes[6]! & 0x0f) | 0x50
  bytes[8] = (bytes[8]! & 0x3f) | 0x80
  const hex = bytes.toString("hex")
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-")
}

export const fingerprint = (request: unknown): string =>
  createHash("sha256").update(canonicalJson(request)).digest("base64url")

/** `scope` says who sends which command to whom: the same key elsewhere is another command. */
export const make = (scope: ReadonlyArray<string>, key: string, request: unknown): CommandIdentity => ({
  commandId: uuidV5(JSON.stringify([...scope, key])),
  fingerprint: fingerprint(request)
})
