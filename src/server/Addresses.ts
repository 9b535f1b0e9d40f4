/** Checks the addresses and ports that the settings name, before anything listens on them. */
import { Effect } from "effect"
import { isIP } from "node:net"
import { isLoopback } from "../http/listener/HostNames.ts"
import { type Settings, UnusableSetting } from "./Settings.ts"

/** Refuses an address that others can reach unless the settings insist: there is no authentication yet. */
export const guard = Effect.fnUntraced(function* (settings: Settings, name: "HOST" | "ADMIN_HOST") {
  const host = settings[name]
  if (isLoopback(host)) return
  if (!settings.ALLOW_UNAUTHENTICATED) {
    return yield* new UnusableSetting({
      problem:
        `The setting ${name} is "${host}", which others can reach, and there is no authentication yet. ` +
        "Use 127.0.0.1, or set ALLOW_UNAUTHENTICATED=true if something else guards the port."
    })
  }
  yield* Effect.logWarning(
    `The server listens on ${host} without authentication: everybody who reaches the port is an operator.`
  )
})

export interface AdminPort {
  readonly port: number
  /** Takes another port if this one is in use, because nobody has chosen this one. */
  readonly orAnother: boolean
}

/** A name may stand for any address, and `0.0.0.0` and `::` stand for all of them. */
const isOneAddress = (host: string): boolean => isIP(host) !== 0 && !/^[0.:]+$/.test(host)

const areApart = (one: string, other: string): boolean => one !== other && isOneAddress(one) && isOneAddress(other)

/** Chooses the operators' port, which opens before the API's and must not take it. */
export const adminPort = (
  { ADMIN_HOST, ADMIN_PORT: port, HOST, PORT }: Pick<Settings, "ADMIN_HOST" | "ADMIN_PORT" | "HOST" | "PORT">,
  isDefault: boolean
): Effect.Effect<AdminPort, UnusableSetting> => {
  if (port === 0 || port !== PORT || areApart(ADMIN_HOST, HOST)) return Effect.succeed({ port, orAnother: isDefault })
  if (isDefault) return Effect.succeed({ port: 0, orAnother: true })
  const where = ADMIN_HOST === HOST ? "" : `, and HOST ${HOST} and ADMIN_HOST ${ADMIN_HOST} may be the same address`
  const problem = `The settings PORT and ADMIN_PORT are both ${port}${where}. Give one of them another value.`
  return Effect.fail(new UnusableSetting({ problem }))
}
