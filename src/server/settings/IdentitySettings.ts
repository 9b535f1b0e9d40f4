/**
 * The settings that have the server ask who is calling, and the layer that finds it out: nothing without `JWT_SECRET` or
 * `JWKS_URL`. The library that verifies tokens is loaded only with one of them.
 */
import { Effect, Layer, Redacted, Schema } from "effect"
import * as ApiKeys from "../../identity/ApiKeys.ts"
import * as Identities from "../../identity/Identities.ts"
import { Identity } from "../../identity/Identity.ts"
import { Unauthorized } from "../../identity/IdentityErrors.ts"
import { isLoopback } from "../../http/listener/HostNames.ts"
import { type Kind, setting, text, type Values } from "../SettingKinds.ts"
import { UnusableSetting } from "../UnusableSetting.ts"

const leastBytes = 32
const bytesOf = (secret: string): number => new TextEncoder().encode(secret).length

const signingSecret: Kind<Redacted.Redacted> = {
  schema: Schema.Redacted(
    Schema.String.check(Schema.makeFilter((secret: string) => secret === "" || bytesOf(secret) >= leastBytes))
  ),
  placeholder: "text",
  expected: `a text of at least ${leastBytes} bytes that nobody guesses, as \`openssl rand -base64 32\` makes, or nothing`
}

/** Whoever could change the keys on their way would decide who is an admin. */
const keysUrl = text(
  "url",
  "an https URL such as https://issuer.example/jwks.json, or an http one of this machine, or nothing",
  /^(https:\/\/[^\s]+|http:\/\/(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?(\/[^\s]*)?)?$/
)

export const identitySettings = {
  JWT_SECRET: setting(
    Redacted.make(""),
    signingSecret,
    "signs the tokens of callers (HS256), who are asked for one then; without it and JWKS_URL everybody is an operator"
  ),
  JWKS_URL: setting("", keysUrl, "where the issuer of tokens publishes the keys that it signs with"),
  JWT_ISSUER: setting("", text("text", "text", /^.*$/), "what the iss of a token must be; JWKS_URL needs it"),
  JWT_AUDIENCE: setting("", text("text", "text", /^.*$/), "what the aud of a token must be or hold; JWKS_URL needs it")
} satisfies Record<string, unknown>

export type IdentitySettings = Values<typeof identitySettings>

/** Tells whether callers have to say who they are. */
export const isOn = ({ JWKS_URL, JWT_SECRET }: IdentitySettings): boolean =>
  JWKS_URL !== "" || Redacted.value(JWT_SECRET) !== ""

/** Refuses settings that would accept tokens which were made for others, or none. */
export const check = Effect.fnUntraced(function* (
  settings: IdentitySettings,
  isGiven: (name: "JWT_SECRET" | "JWKS_URL") => boolean
) {
  const { JWKS_URL, JWT_AUDIENCE, JWT_ISSUER, JWT_SECRET } = settings
  const refuse = (problem: string) => new UnusableSetting({ problem })
  // A variable of the shell or a secret of the cluster that is missing must not open the server to everybody.
  const empty = isGiven("JWT_SECRET") && Redacted.value(JWT_SECRET) === "" ? "JWT_SECRET" : "JWKS_URL"
  if (isGiven(empty) && (empty === "JWT_SECRET" || JWKS_URL === "")) {
    return yield* refuse(
      `${empty} is set, but to nothing: everybody would be an operator. Give it a value, or unset it if that is meant.`
    )
  }
  if (!isOn(settings)) {
    if (JWT_ISSUER === "" && JWT_AUDIENCE === "") return
    return yield* refuse(
      "JWT_ISSUER and JWT_AUDIENCE do nothing without JWT_SECRET or JWKS_URL. Set one of these, too."
    )
  }
  if (JWKS_URL === "") return
  if (Redacted.value(JWT_SECRET) !== "") {
    return yield* refuse("JWT_SECRET and JWKS_URL are both set, but tokens are signed in one way. Unset one of them.")
  }
  if (JWT_ISSUER === "" || JWT_AUDIENCE === "") {
    return yield* refuse(
      "JWKS_URL is set, but an issuer signs tokens for many. Set JWT_ISSUER and JWT_AUDIENCE to those of this server."
    )
  }
})

/** Loads what verifies tokens. */
const adapter = Effect.tryPromise({
  try: () => Promise.all([import("../../identity/JsonWebTokens.ts"), import("../../identity/SigningKeys.ts")]),
  catch: (cause) => new UnusableSetting({ problem: `What verifies tokens can't be loaded: ${cause}` })
})

const noKeys = () => Effect.fail(new Unauthorized({ reason: "invalid" }))

const identity = (settings: IdentitySettings & { readonly ADMIN_HOST: string }) => {
  const { ADMIN_HOST, JWKS_URL, JWT_AUDIENCE, JWT_ISSUER, JWT_SECRET } = settings
  return Layer.effect(
    Identity,
    Effect.gen(function* () {
      const [tokens, keys] = yield* adapter
      const token = tokens.make({
        keys: JWKS_URL === "" ? keys.ofSecret(JWT_SECRET) : yield* keys.published(JWKS_URL),
        ...(JWT_ISSUER === "" ? {} : { issuer: JWT_ISSUER }),
        ...(JWT_AUDIENCE === "" ? {} : { audience: JWT_AUDIENCE })
      })
      const key = (yield* ApiKeys.ApiKeys)?.identify ?? noKeys
      return Identities.make({ token, key }, isLoopback(ADMIN_HOST) ? ["metrics:read"] : [])
    })
  )
}

/** Keeps API keys, and has the server know its callers. Whoever reaches the operators' port on loopback may read the metrics. */
export const layer = (settings: IdentitySettings & { readonly ADMIN_HOST: string }) =>
  Layer.provideMerge(isOn(settings) ? identity(settings) : Layer.empty, ApiKeys.layer)
