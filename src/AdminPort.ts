/** Which port operators get. */
import { Effect } from "effect"
import { InvalidSetting } from "./Setting.ts"
import type { Settings } from "./Settings.ts"

export interface AdminPort {
  readonly port: number
  /** Nobody has chosen it, so another one will do. */
  readonly orAnother: boolean
}

/** It must not take the port of the API, which is opened later. */
export const choose = (
  { ADMIN_HOST, ADMIN_PORT: port, HOST, PORT }: Pick<Settings, "ADMIN_HOST" | "ADMIN_PORT" | "HOST" | "PORT">,
  isDefault: boolean
): Effect.Effect<AdminPort, InvalidSetting> => {
  if (port === 0 || port !== PORT || ADMIN_HOST !== HOST) return Effect.succeed({ port, orAnother: isDefault })
  if (isDefault) return Effect.succeed({ port: 0, orAnother: true })
  const problem = `the settings PORT and ADMIN_PORT are both ${port}; give one of them another`
  return Effect.fail(new InvalidSetting({ problem }))
}
