/**
 * Speaks TLS on the ports of this process, with a certificate and a key that are read from files. New files are taken for new
 * connections within seconds, without a restart; as long as they can't be used, those that were read before stay in use.
 */
import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto"
import { createSecureContext } from "node:tls"
import { readFileSync } from "node:fs"
import { createServer, type Server } from "node:https"
import { Context, type Duration, Effect, Layer, Schema } from "effect"
import * as OutageLog from "../../supervision/OutageLog.ts"
import { supervise } from "../../supervision/Supervisor.ts"
import { seeEach } from "./RequestEvents.ts"

/** Both are in PEM; the certificate is followed by those between it and the root. */
export interface Certificate {
  readonly cert: Buffer
  readonly key: Buffer
}

/** The files of a certificate and its key. */
export type Paths = { readonly [Part in keyof Certificate]: string }

export class UnusableCertificate extends Schema.TaggedError<UnusableCertificate>()("UnusableCertificate", {
  part: Schema.Literals(["cert", "key", "both"]),
  problem: Schema.String
}) {}

/** Browsers are told to call by TLS alone for a year (RFC 6797). */
const hsts = "max-age=31536000"
/** That holds for all ports of a name, and this name is that of everything else on the machine as well. */
const isLocal = (host = ""): boolean => /^localhost(:\d+)?$/i.test(host)

/** There is none unless it is provided; then no port of this process takes anything but TLS. */
export const Tls = Context.Reference<{ readonly server: (options: object) => Server } | undefined>(
  "ordinal/http/transport/Tls",
  { defaultValue: () => undefined }
)

const tried = <A>(part: UnusableCertificate["part"], run: () => A) =>
  Effect.try({
    try: run,
    catch: (cause) =>
      new UnusableCertificate({ part, problem: (cause instanceof Error ? cause.message : String(cause)).trim() })
  })

const read = Effect.fnUntraced(function* (paths: Paths) {
  const cert = yield* tried("cert", () => readFileSync(paths.cert))
  const key = yield* tried("key", () => readFileSync(paths.key))
  const certificate = yield* tried("cert", () => new X509Certificate(cert))
  const privateKey: KeyObject = yield* tried("key", () => createPrivateKey(key))
  if (!certificate.checkPrivateKey(privateKey)) {
    return yield* new UnusableCertificate({ part: "both", problem: "the key is of another certificate" })
  }
  // OpenSSL refuses more than that, such as a chain that is broken and a key that is too short.
  yield* tried("both", () => createSecureContext({ cert, key }))
  return { cert, key }
})

const isSame = (one: Certificate, other: Certificate) => one.cert.equals(other.cert) && one.key.equals(other.key)

/** Fails if the files can't be used, and looks at them that often from then on. */
export const layer = (paths: Paths, lookEvery: Duration.Input) =>
  Layer.effect(
    Tls,
    Effect.gen(function* () {
      let current: Certificate = yield* read(paths)
      const servers = new Set<Server>()
      const outage = OutageLog.make("Reading the certificate of TLS")
      const look = Effect.matchEffect(read(paths), {
        onFailure: ({ problem }) => outage.failed(`${problem}. The one that was read before stays in use.`),
        onSuccess: (found) =>
          Effect.gen(function* () {
            yield* outage.works
            if (isSame(found, current)) return
            current = found
            for (const server of servers) server.setSecureContext(found)
            yield* Effect.logInfo("New connections get the new certificate of TLS.")
          })
      })
      yield* supervise("tls-certificate", Effect.forever(Effect.delay(look, lookEvery)))
      return {
        server: (options) => {
          const server = createServer({ ...options, ...current })
          servers.add(server)
          server.once("close", () => servers.delete(server))
          return seeEach(server, ({ headers }, response) => {
            if (!isLocal(headers.host)) response.setHeader("strict-transport-security", hsts)
          })
        }
      }
    })
  )
