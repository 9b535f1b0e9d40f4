/**
 * Refuses what a web page of another site has a browser send here, on every path of both ports. Programs send neither
 * `Origin` nor `Sec-Fetch-Site`, and pass.
 *
 * The `Host` is checked because an attacker can point a name of their own to this machine, which makes their page one
 * of the same origin (DNS rebinding). Addresses pass: rebinding needs a name.
 */
import { isIP } from "node:net"
import { Option } from "effect"
import { HttpMiddleware, type HttpServerRequest, type HttpServerResponse } from "effect/http"
import { isTrusted } from "../admission/ClientAddress.ts"
import { ForeignHost, ForeignOrigin } from "../problems/HttpError.ts"
import * as ProblemResponse from "../problems/ProblemResponse.ts"
import { Problems } from "../problems/Problems.ts"
import type { AllowedSites } from "./AllowedSites.ts"
import { hostName, isSameHost } from "./HostNames.ts"

type Request = HttpServerRequest.HttpServerRequest
type Response = HttpServerResponse.HttpServerResponse

const shown = (value: string): string => value.slice(0, 200).toWellFormed()

const isServed = (host: string, allowed: AllowedSites["hosts"]): boolean => {
  if (allowed === "any") return true
  const name = hostName(host)
  return name === "localhost" || isIP(name) !== 0 || allowed.some((one) => one.toLowerCase() === name)
}

const changesNothing = ({ headers, method }: Request): boolean =>
  ["GET", "HEAD", "OPTIONS"].includes(method) && headers["upgrade"] === undefined

/** A page can't send these without a preflight, which only allowed origins pass. */
const hasCredentials = ({ headers }: Request): boolean =>
  headers["x-api-key"] !== undefined || /^bearer /i.test(headers["authorization"] ?? "")

/** Tells whether somebody followed a link: the page that held it neither sees the answer nor frames it. */
const isLink = ({ headers, method }: Request): boolean =>
  method === "GET" &&
  headers["sec-fetch-mode"] === "navigate" &&
  (headers["sec-fetch-dest"] ?? "document") === "document"

/** Makes the function that answers a foreign request, and gives nothing for a request that may pass. */
export const refuse = (
  { hosts, origins, proxies }: AllowedSites,
  /** Foreign pages may not even read; otherwise only what changes something is refused. */
  mayRead: boolean
): ((request: Request) => Response | undefined) => {
  const trusts = isTrusted(proxies)
  /** The last name that was served; most requests have it. */
  let served: string | undefined

  const isOurs = (origin: string, { headers, remoteAddress }: Request): boolean => {
    if (origins.includes(origin) || isSameHost(origin, headers["host"])) return true
    const forwarded = headers["x-forwarded-host"]?.split(",", 1)[0]?.trim()
    return isSameHost(origin, forwarded) && Option.exists(remoteAddress, trusts)
  }

  const foreign = (request: Request): ForeignOrigin | undefined => {
    const { origin, "sec-fetch-site": site } = request.headers
    if (origin === undefined && site === undefined) return undefined
    if (hasCredentials(request) || site === "same-origin" || site === "none") return undefined
    if (changesNothing(request) && (mayRead || (origin === undefined && isLink(request)))) return undefined
    if (origin !== undefined) {
      return isOurs(origin, request) ? undefined : new ForeignOrigin({ header: "origin", value: shown(origin) })
    }
    return new ForeignOrigin({ header: "sec-fetch-site", value: shown(site ?? "") })
  }

  return (request) => {
    const { host = "" } = request.headers
    if (host !== served) {
      if (!isServed(host, hosts)) {
        return ProblemResponse.of(Problems.ForeignHost, new ForeignHost({ host: shown(host) }))
      }
      served = host
    }
    const error = foreign(request)
    return error === undefined ? undefined : ProblemResponse.of(Problems.ForeignOrigin, error)
  }
}

const exposedHeaders = [
  "Allow",
  "Consistency-Token",
  "ETag",
  "Freshness",
  "Idempotent-Replayed",
  "Link",
  "Location",
  "Preference-Applied",
  "RateLimit",
  "RateLimit-Policy",
  "Retry-After",
  "traceparent",
  "WWW-Authenticate",
  "X-Request-Id"
]

/** Lets pages of allowed origins read answers, and answers their preflights (CORS); does nothing if there are none. */
export const admit = ({ origins }: AllowedSites): typeof HttpMiddleware.logger =>
  origins.length === 0
    ? (httpEffect) => httpEffect
    : HttpMiddleware.cors({ allowedOrigins: (origin) => origins.includes(origin), exposedHeaders, maxAge: 600 })
