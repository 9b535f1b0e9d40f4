/** Checks the addresses and ports that the settings name, before anything listens on them. */
import { Effect } from "effect"
import { isIP } from "node:net"
import { isLoopback } from "../http/listener/HostNames.ts"
import * as IdentitySettings from "./settings/IdentitySettings.ts"
import type { Port } from "./HeldPorts.ts"
import type { Settings } from "./Settings.ts"
import { UnusableSetting } from "./UnusableSetting.ts"

/** Refuses an address that others can reach where nobody is asked who they are, unless the settings insist. */
export const guard = Effect.fnUntraced(function* (settings: Settings, name: "HOST" | "ADMIN_HOST") {
  const host = settings[name]
  if (isLoopback(host) || IdentitySettings.isOn(settings)) return
  if (!settings.ALLOW_UNAUTHENTICATED) {
    return yield* new UnusableSetting({
      problem:
        `The setting ${name} is "${host}", which others can reach, and nobody is asked who they are. ` +
        "Use 127.0.0.1, set JWT_SECRET or JWKS_URL, or set ALLOW_UNAUTHENTICATED=true if something else guards the port."
    })
  }
  yield* Effect.logWarning(
    `The server listens on ${host} without authentication: everybody who reaches the port is an operator.`
  )
})

/** A name may stand for any address, and `0.0.0.0` and `::` stand for all of them. */
const isOneAddress = (host: string): boolean => isIP(host) !== 0 && !/^[0.:]+$/.test(host)

const areApart = (one: string, other: string): boolean => one !== other && isOneAddress(one) && isOneAddress(other)

/** Chooses the ports of the API and of the operators, which must not be the same. */
export const ports = (
  settings: Pick<Settings, "ADMIN_HOST" | "ADMIN_PORT" | "HOST" | "PORT">,
  isDefault: boolean
): Effect.Effect<{ readonly api: Port; readonly admin: Port }, UnusableSetting> => {
  const { ADMIN_HOST, ADMIN_PORT, HOST, PORT } = settings
  const api: Port = { host: HOST, port: PORT, settings: ["HOST", "PORT"], orAnother: false }
  const admin = (port: number): Port => ({
    host: ADMIN_HOST,
    port,
    settings: ["ADMIN_HOST", "ADMIN_PORT"],
    orAnother: isDefault
  })
  const areDifferent = ADMIN_PORT === 0 || ADMIN_PORT !== PORT || areApart(ADMIN_HOST, HOST)
  if (areDifferent) return Effect.succeed({ api, admin: admin(ADMIN_PORT) })
  if (isDefault) return Effect.succeed({ api, admin: admin(0) })
  const where = ADMIN_HOST === HOST ? "" : `, and HOST ${HOST} and ADMIN_HOST ${ADMIN_HOST} may be the same address`
  const problem = `The settings PORT and ADMIN_PORT are both ${PORT}${where}. Give one of them another value.`
  return Effect.fail(new UnusableSetting({ problem }))
}
