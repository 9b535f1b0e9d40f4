/**
 * Refuses environment variables that this program is going to read in a later version, or that it reads by another name:
 * whoever sets one believes that it does something. An entry goes when its setting is built.
 */
import { Config, Effect, Option } from "effect"
import { UnusableSetting } from "./UnusableSetting.ts"

const views = "the setting VIEWS names the MongoDB of the order view"
const cache = "the cache is named by CACHE=redis://…"

/** This text says what this version does instead; it follows "The environment variable … is set, but". */
const unbuilt: Readonly<Record<string, string>> = {
  MONGODB_URL: views,
  REDIS_URL: cache
}

export const names = Object.keys(unbuilt)

/** Fails with a sentence about the first such variable that is set to something. */
export const refuse = Effect.forEach(
  Object.entries(unbuilt),
  Effect.fnUntraced(function* ([name, instead]) {
    const value = Option.getOrElse(yield* Config.option(Config.String(name)), () => "")
    if (value === "") return
    const problem = `The environment variable ${name} is set, but ${instead}. Unset it to start without.`
    return yield* new UnusableSetting({ problem })
  }),
  { discard: true }
)
