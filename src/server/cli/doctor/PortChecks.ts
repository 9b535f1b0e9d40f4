/** Looks whether a server could listen on the ports of the settings; one that listens already is told apart from a stranger. */
import { Effect, Result } from "effect"
import * as Addresses from "../../Addresses.ts"
import * as HeldPorts from "../../HeldPorts.ts"
import type { Settings } from "../../Settings.ts"
import * as Health from "../commands/Health.ts"
import { reachable } from "../RunningServer.ts"
import type { Findings } from "./Findings.ts"

/** A server of this program answers so while it lives, under TLS or not. */
const isOrdinal = ({ host, port }: HeldPorts.Port) =>
  Effect.firstSuccessOf(
    ["http", "https"].map((scheme) =>
      Effect.filterOrFail(
        Health.statusAt(`${scheme}://${reachable(host)}:${port}/health/live`),
        (status) => status === 200
      )
    )
  ).pipe(
    Effect.timeout("2 seconds"),
    Effect.as(true),
    Effect.orElseSucceed(() => false)
  )

const at = ({ host, port }: HeldPorts.Port) => (port === 0 ? `a free port of ${host}` : `port ${port} of ${host}`)

export const check = Effect.fnUntraced(function* (findings: Findings, settings: Settings, isDefaultAdminPort: boolean) {
  let runs = false
  const free = (port: HeldPorts.Port) =>
    HeldPorts.tryPort(port).pipe(
      Effect.as(`A server can listen on ${at(port)}.`),
      Effect.catch((error) =>
        Effect.gen(function* () {
          runs ||= yield* isOrdinal(port)
          return runs || port.orAnother ? undefined : yield* Effect.fail(error)
        })
      )
    )
  const look = Effect.fnUntraced(function* (name: string, port: HeldPorts.Port) {
    const found = yield* Effect.result(free(port))
    const [, portSetting] = port.settings
    if (Result.isFailure(found)) yield* findings.check(name, Effect.fail(found.failure))
    else if (found.success !== undefined) yield* findings.check(name, Effect.succeed(found.success))
    else {
      yield* findings.warn(
        name,
        runs
          ? `A server listens on ${at(port)} already; a second one needs another ${portSetting}.`
          : `Port ${port.port} of ${port.host} is in use, so a server takes another one. Set ${portSetting} to choose it.`
      )
    }
  })
  const ports = yield* Effect.result(Addresses.ports(settings, isDefaultAdminPort))
  if (Result.isFailure(ports)) yield* findings.check("ports", Effect.fail(ports.failure))
  else {
    yield* look("port", ports.success.api)
    yield* look("admin port", ports.success.admin)
  }
})
