/** Looks whether the keys that callers' tokens are checked with can be fetched from JWKS_URL. */
import { Config, Effect, Option } from "effect"
import { causeText } from "../../../database/CauseText.ts"
import { Broken, type Findings } from "./Findings.ts"

const keysOf = (body: unknown): number | undefined =>
  typeof body === "object" && body !== null && "keys" in body && Array.isArray(body.keys) ? body.keys.length : undefined

const fetched = (url: string) =>
  Effect.tryPromise({
    try: async (signal) => {
      const response = await fetch(url, { signal })
      const text = await response.text()
      if (!response.ok) throw new Error(`it answered ${response.status}`)
      const count = keysOf(JSON.parse(text))
      if (count === undefined) throw new Error("it answered no set of keys")
      return `${count} keys come from JWKS_URL.`
    },
    catch: causeText
  }).pipe(
    Effect.timeoutOrElse({ duration: "5 seconds", orElse: () => Effect.fail("no answer within 5 s") }),
    Effect.mapError(
      (reason) =>
        new Broken({
          problem: `The keys of JWKS_URL can't be fetched (${reason}), so no token can be checked. Mend the URL, or let this machine reach it.`
        })
    )
  )

export const check = Effect.fnUntraced(function* (findings: Findings) {
  const url = Option.getOrElse(
    yield* Effect.orElseSucceed(Config.option(Config.String("JWKS_URL")), Option.none),
    () => ""
  )
  if (url !== "") yield* findings.check("keys", fetched(url))
})
