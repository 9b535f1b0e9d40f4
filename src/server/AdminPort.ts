/** Which port operators get. */
import { Effect } from "effect"
import { isIP } from "node:net"
import { InvalidSetting } from "./Setting.ts"
import type { Settings } from "./Settings.ts"

export interface AdminPort {
  readonly port: number
  /** Nobody has chosen it, so another one will do. */
  readonly orAnother: boolean
}

/** A name may stand for any address, and `0.0.0.0` and `::` for all of them. */
const isOneAddress = (host: string): boolean => isIP(host) !== 0 && !/^[0.:]+$/.test(host)

const areApart = (one: string, other: string): boolean => one !== other && isOneAddress(one) && isOneAddress(other)

/** It must not take the port of the API, which is opened later. */
export const choose = (
  { ADMIN_HOST, ADMIN_PORT: port, HOST, PORT }: Pick<Settings, "ADMIN_HOST" | "ADMIN_PORT" | "HOST" | "PORT">,
  isDefault: boolean
): Effect.Effect<AdminPort, InvalidSetting> => {
  if (port === 0 || port !== PORT || areApart(ADMIN_HOST, HOST)) return Effect.succeed({ port, orAnother: isDefault })
  if (isDefault) return Effect.succeed({ port: 0, orAnother: true })
  const where = ADMIN_HOST === HOST ? "" : `, and HOST ${HOST} and ADMIN_HOST ${ADMIN_HOST} may be the same address`
  const problem = `the settings PORT and ADMIN_PORT are both ${port}${where}; give one of them another`
  return Effect.fail(new InvalidSetting({ problem }))
}
