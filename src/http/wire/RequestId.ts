/** Gives every request an id: the caller's `X-Request-Id` is echoed, and a UUID stands in problems, logs and events. */
import { Context } from "effect"
import * as UuidV7 from "../../eventstore/UuidV7.ts"

export interface RequestIds {
  /** The answer has this value as `X-Request-Id`. */
  readonly echo: string
  /** This is the caller's own id if that is a UUID, else a new one. */
  readonly uuid: string
}

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i
const printable = /^[\x20-\x7e]{1,128}$/

export const isUuid = (text: string): boolean => uuid.test(text)

export const make = (header: string | undefined): RequestIds => {
  if (header !== undefined && isUuid(header)) return { echo: header, uuid: header.toLowerCase() }
  const own = UuidV7.make()
  return { echo: header !== undefined && printable.test(header) ? header : own, uuid: own }
}

export const RequestId = Context.Reference<RequestIds>("ordinal/http/wire/RequestId", {
  defaultValue: () => make(undefined)
})
