/** Asks the server that these settings describe whether it is ready, as a container's health check does: `ordinal health`. */
import { Console, Effect, Struct } from "effect"
import { Command } from "effect/cli"
import { get, type IncomingMessage } from "node:http"
import { get as getOverTls } from "node:https"
import { causeText } from "../../../database/CauseText.ts"
import * as Settings from "../../Settings.ts"
import { UnusableSetting } from "../../UnusableSetting.ts"
import { reachable } from "../RunningServer.ts"
import * as SettingFlags from "../SettingFlags.ts"

/**
 * Returns the status of the answer. Unlike `fetch`, Node's client asks at any port, and of a server under TLS that has a
 * certificate for another name than this address.
 */
export const statusAt = (url: string) =>
  Effect.callback<number | undefined, UnusableSetting>((resume) => {
    const answered = (response: IncomingMessage) => {
      response.resume()
      resume(Effect.succeed(response.statusCode))
    }
    const request = url.startsWith("https:")
      ? getOverTls(url, { rejectUnauthorized: false }, answered)
      : get(url, answered)
    request.once("error", (error) => {
      const problem = `${url} can't be reached: ${causeText(error)}.`
      resume(Effect.fail(new UnusableSetting({ problem })))
    })
    return Effect.sync(() => request.destroy())
  })

/** Fails with a sentence if the server can't be reached or is not ready. */
const check = Effect.gen(function* () {
  const {
    settings: { HOST, PORT, TLS_CERT }
  } = yield* Settings.load
  if (PORT === 0) {
    return yield* new UnusableSetting({
      problem: "PORT is 0, any free port. Set PORT to the one that the server took."
    })
  }
  const url = `${TLS_CERT === "" ? "http" : "https"}://${reachable(HOST)}:${PORT}/health/ready`
  const status = yield* statusAt(url)
  if (status !== 200) return yield* new UnusableSetting({ problem: `${url} answered ${status}.` })
  yield* Console.log(`Ready: ${url}`)
})

const flags = Struct.pick(SettingFlags.flags, ["HOST", "PORT", "TLS_CERT"])

export const command = Command.make("health", flags, SettingFlags.command("Ordinal is not ready.", check)).pipe(
  Command.withDescription(
    "Asks the server at HOST and PORT whether it is ready. Exits with 0 if so, and with 1 if not."
  )
)
