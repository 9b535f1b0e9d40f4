/** Identifies a command that its caller may send again: two commands with equal identities are one. */
import { createHash, hash } from "node:crypto"
import { canonicalJson } from "../CanonicalJson.ts"

export interface CommandIdentity {
  /** A UUIDv5 made of the scope and the key. */
  readonly commandId: string
  /** The SHA-256 of the decoded request in canonical JSON. */
  readonly fingerprint: string
}

/** Command ids are derived in this namespace. The UUID is arbitrary and must never change. */
const namespace = Buffer.from("5b0a5d6c6a0e4b5f9f4e0d7c1c2a7e11", "hex")

/** Makes a name-based UUID (RFC 9562, section 5.5). */
export const uuidV5 = (name: string): string => {
  const bytes = createHash("sha1").update(namespace).update(name).digest().subarray(0, 16)
  bytes[6] = (bytes[6]! & 0x0f) | 0x50
  bytes[8] = (bytes[8]! & 0x3f) | 0x80
  const hex = bytes.toString("hex")
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-")
}

export const fingerprint = (request: unknown): string => hash("sha256", canonicalJson(request), "base64url")

/** Makes the identity. `scope` names the sender, the command and its target: in another scope the same key is another command. */
export const make = (scope: ReadonlyArray<string>, key: string, request: unknown): CommandIdentity => ({
  commandId: uuidV5(JSON.stringify([...scope, key])),
  fingerprint: fingerprint(request)
})
