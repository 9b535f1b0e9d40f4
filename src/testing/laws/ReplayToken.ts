/** A text that brings a script back exactly: its commands, encoded and packed, so that it lasts when generation changes. */
import { deflateRawSync, inflateRawSync } from "node:zlib"

export const make = (commands: ReadonlyArray<unknown>): string =>
  deflateRawSync(JSON.stringify(commands)).toString("base64url")

export const read = (token: string): ReadonlyArray<unknown> => {
  try {
    const commands: unknown = JSON.parse(inflateRawSync(Buffer.from(token, "base64url")).toString("utf8"))
    if (Array.isArray(commands)) return commands
  } catch {
    // What follows says it.
  }
  throw new Error("This replay token can't be read. Copy it whole from the message of the law that was broken.")
}
