/**
 * Says in headers what a browser may do with a page of this server: nobody frames it, it loads nothing from elsewhere, sends
 * nothing elsewhere, and runs the scripts that are in it and no others (Content Security Policy, level 3).
 */
import { createHash } from "node:crypto"
import { type HttpBody, HttpServerResponse } from "effect/http"

/** For HTML that is not one of this server's own pages. */
export const ofHtml: Readonly<Record<string, string>> = {
  "content-security-policy": "frame-ancestors 'none'",
  "referrer-policy": "no-referrer",
  "x-frame-options": "DENY"
}

/** Pages never change while the process runs, so the scripts of each are hashed once. */
const known = new WeakMap<HttpBody.Uint8Array, string>()

const policyOf = (body: HttpBody.Uint8Array): string => {
  const found = known.get(body)
  if (found !== undefined) return found
  const page = body.text ?? new TextDecoder().decode(body.body)
  // No script can hold its own end tag, so this finds them whole.
  const scripts = Array.from(page.matchAll(/<script>(.*?)<\/script>/gs), ([, script = ""]) => {
    return `'sha256-${createHash("sha256").update(script).digest("base64")}'`
  })
  const policy = [
    "default-src 'none'",
    `script-src ${scripts.length === 0 ? "'none'" : scripts.join(" ")}`,
    "style-src 'unsafe-inline'",
    "img-src 'self' data: blob:",
    "font-src 'self' data:",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'"
  ].join("; ")
  known.set(body, policy)
  return policy
}

export const isHtml = ({ headers }: HttpServerResponse.HttpServerResponse): boolean =>
  headers["content-type"]?.startsWith("text/html") === true

/** Adds the policy of one of this server's own pages. */
export const withPolicy = (page: HttpServerResponse.HttpServerResponse): HttpServerResponse.HttpServerResponse =>
  isHtml(page) && page.body._tag === "Uint8Array"
    ? HttpServerResponse.setHeader(page, "content-security-policy", policyOf(page.body))
    : page
