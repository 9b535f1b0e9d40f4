/**
 * Lets a command ask a running server, at its public URL or at that of its port for operators, with a token if it has one.
 * What the server refuses becomes a failure with the sentence of its problem document.
 */
import { Config, Effect, Option, Redacted, Schema } from "effect"
import { Flag } from "effect/cli"
import { FetchHttpClient, HttpClient, HttpClientRequest, type HttpMethod } from "effect/http"
import { isIPv6 } from "node:net"
import { causeText } from "../../database/CauseText.ts"

/** The server can't be asked, or it refused. */
export class ServerRefused extends Schema.TaggedError<ServerRefused>()("ServerRefused", { problem: Schema.String }) {
  override get message() {
    return this.problem
  }
}

const isUrl = (text: string) => /^https?:$/.test(URL.parse(text)?.protocol ?? "")

const url = (name: string, meaning: string) =>
  Flag.String(name).pipe(
    Flag.withMetavar("url"),
    Flag.withDescription(meaning),
    Flag.filter(isUrl, (text) => `"${text}" is no URL such as http://127.0.0.1:3000`),
    Flag.optional
  )

const token = Flag.Redacted("token").pipe(
  Flag.withMetavar("text"),
  Flag.withDescription("the token or API key to call with (ORDINAL_TOKEN)"),
  Flag.optional
)

export const publicFlags = {
  url: url("url", "the server (ORDINAL_URL, default that of HOST and PORT)"),
  token
}

export const adminFlags = {
  adminUrl: url(
    "admin-url",
    "the server's port for operators (ORDINAL_ADMIN_URL, default that of ADMIN_HOST and ADMIN_PORT)"
  ),
  token
}

interface Place {
  readonly flag: string
  readonly variable: string
  readonly host: string
  readonly port: readonly [setting: string, standard: number]
}

const publicPlace: Place = { flag: "--url", variable: "ORDINAL_URL", host: "HOST", port: ["PORT", 3000] }
const adminPlace: Place = {
  flag: "--admin-url",
  variable: "ORDINAL_ADMIN_URL",
  host: "ADMIN_HOST",
  port: ["ADMIN_PORT", 3001]
}

/** A server that listens on all addresses is asked on this machine's own. */
export const reachable = (host: string): string => {
  if (host === "0.0.0.0") return "127.0.0.1"
  if (host === "::") return "[::1]"
  return isIPv6(host) ? `[${host}]` : host
}

const read = (name: string, standard: string) =>
  Config.option(Config.String(name)).pipe(
    Effect.map((value) =>
      Option.getOrElse(
        Option.filter(value, (text) => text !== ""),
        () => standard
      )
    ),
    Effect.mapError(({ message }) => new ServerRefused({ problem: message }))
  )

const baseUrl = Effect.fnUntraced(function* (given: Option.Option<string>, { flag, host, port, variable }: Place) {
  const [portSetting, standard] = port
  const scheme = (yield* read("TLS_CERT", "")) === "" ? "http" : "https"
  const local = `${scheme}://${reachable(yield* read(host, "127.0.0.1"))}:${yield* read(portSetting, String(standard))}`
  const base = Option.isSome(given) ? given.value : yield* read(variable, local)
  if (isUrl(base)) return base.replace(/\/+$/, "")
  return yield* new ServerRefused({
    problem: `The server's URL is "${base}", which is none. Give one by ${flag} or ${variable}.`
  })
})

/** Sends the token with each request. */
const clientWith = Effect.fnUntraced(function* (given: Option.Option<Redacted.Redacted>) {
  const token = Option.isSome(given) ? Redacted.value(given.value) : yield* read("ORDINAL_TOKEN", "")
  const client = yield* HttpClient.HttpClient
  return token === "" ? client : HttpClient.mapRequest(client, HttpClientRequest.bearerToken(token))
}, Effect.provide(FetchHttpClient.layer))

const parsed = (text: string): unknown => {
  try {
    return text === "" ? undefined : JSON.parse(text)
  } catch {
    return undefined
  }
}

const decodeProblem = Schema.decodeUnknownOption(Schema.Struct({ detail: Schema.String }))

const refusal = (status: number, text: string, url: string): ServerRefused => {
  const detail = Option.map(decodeProblem(parsed(text)), ({ detail }) => detail)
  const hint = status === 401 ? " Give a token by --token or ORDINAL_TOKEN." : ""
  return new ServerRefused({ problem: Option.getOrElse(detail, () => `${url} answered ${status}.`) + hint })
}

export interface Request {
  readonly body?: string
  readonly headers?: Readonly<Record<string, string>>
}

const trust = " If the authority of its certificate is not a public one, name its file in NODE_EXTRA_CA_CERTS."

const serverAt = Effect.fnUntraced(function* (
  given: Option.Option<string>,
  token: Option.Option<Redacted.Redacted>,
  place: Place
) {
  const base = yield* baseUrl(given, place)
  const client = yield* clientWith(token)

  const unreachable = (cause: unknown) =>
    new ServerRefused({
      problem:
        `No server answers at ${base} (${causeText(cause)}). Start one by \`ordinal serve\`, or name another one by ` +
        `${place.flag} or ${place.variable}.${base.startsWith("https:") ? trust : ""}`
    })

  /** Sends the request and returns the JSON of its answer. */
  const ask = Effect.fnUntraced(function* (method: HttpMethod.HttpMethod, path: string, request: Request = {}) {
    const bare = HttpClientRequest.make(method)(base + path).pipe(
      HttpClientRequest.setHeaders({ accept: "application/json", ...request.headers })
    )
    const { body } = request
    const whole = body === undefined ? bare : HttpClientRequest.bodyText(bare, body, "application/json")
    const response = yield* Effect.mapError(client.execute(whole), unreachable)
    const text = yield* Effect.mapError(response.text, unreachable)
    if (response.status >= 400) return yield* refusal(response.status, text, base + path)
    const json = parsed(text)
    if (json === undefined && text !== "") {
      return yield* new ServerRefused({ problem: `${base}${path} answered something that is no JSON: is it Ordinal?` })
    }
    return json
  })

  return { base, client, ask }
})

export interface RunningServer {
  readonly base: string
  readonly client: HttpClient.HttpClient
  readonly ask: (
    method: HttpMethod.HttpMethod,
    path: string,
    request?: Request
  ) => Effect.Effect<unknown, ServerRefused>
}

interface Token {
  readonly token: Option.Option<Redacted.Redacted>
}

export const atPublic = (
  given: Token & { readonly url: Option.Option<string> }
): Effect.Effect<RunningServer, ServerRefused> => serverAt(given.url, given.token, publicPlace)

export const atAdmin = (
  given: Token & { readonly adminUrl: Option.Option<string> }
): Effect.Effect<RunningServer, ServerRefused> => serverAt(given.adminUrl, given.token, adminPlace)

/** Reads an answer by its schema, so that a server of another kind is told from this program's. */
export const understood =
  <A>(schema: Schema.Codec<A, unknown>) =>
  (json: unknown): Effect.Effect<A, ServerRefused> =>
    Effect.mapError(
      Schema.decodeUnknownEffect(schema)(json),
      ({ message }) => new ServerRefused({ problem: `The server's answer can't be read by this version: ${message}` })
    )
