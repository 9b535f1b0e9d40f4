/**
 * Keeps web pages away from the admin port: a page in an operator's browser can send requests to loopback, too.
 *
 * Programs send neither `Origin` nor `Sec-Fetch-Site`, and pass. The `Host` is checked because an attacker can point a
 * name of their own to 127.0.0.1, which makes their page one of the same origin (DNS rebinding).
 */
import { HttpServerRequest, HttpServerResponse } from "effect/http"
import { ForeignRequest } from "../problems/HttpError.ts"
import { isLoopback, isSameOrigin } from "../listener/HostNames.ts"
import * as ProblemResponse from "../problems/ProblemResponse.ts"
import { AdminProblems } from "../problems/AdminProblems.ts"

const shown = (value: string): string => value.slice(0, 200).toWellFormed()

const hostName = (host: string): string => host.replace(/:\d*$/, "").replace(/^\[(.*)\]$/, "$1")

/** Tells whether somebody followed a link: the page that held it neither sees the answer nor frames it. */
const isLink = ({ headers, method }: HttpServerRequest.HttpServerRequest): boolean =>
  method === "GET" &&
  headers["sec-fetch-mode"] === "navigate" &&
  (headers["sec-fetch-dest"] ?? "document") === "document"

const foreign = (request: HttpServerRequest.HttpServerRequest, isLocalOnly: boolean): ForeignRequest | undefined => {
  const { headers } = request
  const { host = "", origin } = headers
  const site = headers["sec-fetch-site"]
  if (isLocalOnly && !isLoopback(hostName(host))) return new ForeignRequest({ header: "host", value: shown(host) })
  if (origin !== undefined && !isSameOrigin(origin, host)) {
    return new ForeignRequest({ header: "origin", value: shown(origin) })
  }
  return site === "cross-site" && !isLink(request)
    ? new ForeignRequest({ header: "sec-fetch-site", value: site })
    : undefined
}

/** Gives the answer to a foreign page; undefined for a request that may pass. `host` is what the port listens on. */
export const refuse =
  (host: string) =>
  (request: HttpServerRequest.HttpServerRequest): HttpServerResponse.HttpServerResponse | undefined => {
    const error = foreign(request, isLoopback(host))
    return error === undefined ? undefined : ProblemResponse.of(AdminProblems.ForeignRequest, error)
  }
