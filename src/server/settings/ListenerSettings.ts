/** The settings of the ports themselves: TLS, and how much they let in. */
import { Duration, Effect, Layer, Redacted } from "effect"
import * as LoadShedding from "../../http/admission/LoadShedding.ts"
import * as RateLimits from "../../http/admission/RateLimits.ts"
import * as RateLimitStore from "../../http/admission/RateLimitStore.ts"
import { defaults } from "../../http/listener/HttpLimits.ts"
import * as Tls from "../../http/transport/Tls.ts"
import { duration, integer, listed, setting, text, type Values } from "../SettingKinds.ts"
import type { CacheSettings } from "./CacheSettings.ts"
import { UnusableSetting } from "../UnusableSetting.ts"

const path = text("path", "the path of a file, or nothing", /^[^\0\r\n]*$/)

const quota = integer(0, 1_000_000_000)

export const listenerSettings = {
  TLS_CERT: setting(
    "",
    path,
    "a file with a certificate (PEM, followed by those between it and the root), to speak TLS on both ports; none without it"
  ),
  TLS_KEY: setting("", path, "the file with the key of TLS_CERT (PEM, not encrypted)"),
  CONNECTIONS: setting(
    defaults.connections,
    integer(1, 1_000_000),
    "connections open at the same time on each port; further ones are closed at once"
  ),
  SHED_AFTER: setting(
    Duration.millis(500),
    duration("0 millis", "1 minute"),
    "requests that would have to wait for longer are refused at once with 503; 0 millis for never"
  ),
  RATE_LIMIT: setting(
    0,
    quota,
    "requests that one caller may send in RATE_LIMIT_WINDOW (one address, where callers are not known); 0 for any number"
  ),
  RATE_LIMIT_ADDRESS: setting(0, quota, "requests that may come from one address in that time; 0 for any number"),
  RATE_LIMIT_FAILURES: setting(
    600,
    quota,
    "requests from one address in that time that may be answered 401, before all from there are refused; 0 for any number"
  ),
  RATE_LIMIT_WINDOW: setting(Duration.minutes(1), duration("1 second", "1 day"), "the time of those three")
} satisfies Record<string, unknown>

export type ListenerSettings = Values<typeof listenerSettings>

/** New files are taken within this time. */
const lookEvery = "10 seconds"

const names = { cert: "TLS_CERT", key: "TLS_KEY", both: "TLS_CERT and TLS_KEY" } as const

/** Provides TLS if there is a certificate. */
export const tls = ({ TLS_CERT: cert, TLS_KEY: key }: ListenerSettings) => {
  if (cert === "" && key === "") return Layer.empty
  if (cert === "" || key === "") {
    const [given, missing] = cert === "" ? ["TLS_KEY", "TLS_CERT"] : ["TLS_CERT", "TLS_KEY"]
    const problem = `The setting ${given} is set and ${missing} is not. TLS needs both; set ${missing}, or unset ${given}.`
    return Layer.effectContext(Effect.fail(new UnusableSetting({ problem })))
  }
  return Layer.catchTag(Tls.layer({ cert, key }, lookEvery), "UnusableCertificate", ({ part, problem }) =>
    Layer.effectContext(
      Effect.fail(
        new UnusableSetting({
          problem: `TLS can't be spoken with ${names[part]} (${part === "key" ? key : cert}): ${problem}. Name a certificate and its own key, both in PEM.`
        })
      )
    )
  )
}

type Given = ListenerSettings &
  Pick<CacheSettings, "CACHE"> & { readonly TRUSTED_PROXIES: string; readonly ALLOWED_ORIGINS: string }

/** Counts in the memory of this process, or in the Redis that processes share, whose client is loaded only then. */
const store = ({ CACHE: url, RATE_LIMIT, RATE_LIMIT_ADDRESS }: Given) => {
  if (Redacted.value(url) === "" || RATE_LIMIT + RATE_LIMIT_ADDRESS === 0) return RateLimitStore.layerMemory()
  const adapter = Effect.promise(() => import("../../cache/redis/RedisRateLimits.ts"))
  return Layer.provide(Layer.unwrap(Effect.map(adapter, ({ layer }) => layer(url))), RateLimitStore.layerMemory())
}

/** Provides what bounds the requests that are let in. */
export const admission = (settings: Given, findsCallers: boolean) => {
  const { RATE_LIMIT: caller, RATE_LIMIT_ADDRESS: address } = settings
  // Where nobody is asked who they are, nobody fails to say it, and no request pays for being counted.
  const failures = findsCallers ? settings.RATE_LIMIT_FAILURES : 0
  const limits = RateLimits.layer(
    { caller, address, failures, window: settings.RATE_LIMIT_WINDOW, findsCallers },
    listed(settings.TRUSTED_PROXIES)
  )
  return Layer.merge(
    caller + address + failures === 0 ? Layer.empty : Layer.provide(limits, store(settings)),
    Duration.isZero(settings.SHED_AFTER)
      ? Layer.empty
      : LoadShedding.layer(settings.SHED_AFTER, listed(settings.ALLOWED_ORIGINS))
  )
}
