/**
 * Completes the answers of servers from before orders said what is `returned` and `owed`, so that a new client works with
 * them while they are replaced. Such a server asked for the whole total of every order that is not cancelled.
 */
import { Effect } from "effect"
import { HttpClient, type HttpClientResponse } from "effect/http"

type Members = Readonly<Record<string, unknown>>

const isObject = (value: unknown): value is Members => typeof value === "object" && value !== null

const closedType = "/problems/payment-closed"

/** A payment is closed to the command that the path names. */
const commandOf = (path: string): string => {
  if (path.endsWith("/void")) return "VoidPayment"
  return path.endsWith("/refund") ? "RefundPayment" : "CapturePayment"
}

const completed = (value: unknown, path: string): unknown => {
  if (!isObject(value)) return value
  if (value["type"] === closedType) return { command: commandOf(path), ...value }
  const { status, totals } = value
  if (!isObject(totals)) return value
  return { ...value, totals: { returned: 0, owed: status === "cancelled" ? 0 : totals["total"], ...totals } }
}

const lacks = (text: string, having: string, member: string): boolean =>
  text.includes(having) && !text.includes(`"${member}":`)

const complete = (bytes: ArrayBuffer, path: string): ArrayBuffer => {
  const text = new TextDecoder().decode(bytes)
  if (!lacks(text, `"totals":`, "owed") && !lacks(text, closedType, "command")) return bytes
  const document: unknown = JSON.parse(text, (_, value) => completed(value, path))
  return new TextEncoder().encode(JSON.stringify(document)).buffer
}

/** Reads the answer as it is, but for its body. */
const withBody = (
  response: HttpClientResponse.HttpClientResponse,
  body: HttpClientResponse.HttpClientResponse["arrayBuffer"]
): HttpClientResponse.HttpClientResponse => Object.create(response, { arrayBuffer: { value: body } })

export const understood = (client: HttpClient.HttpClient): HttpClient.HttpClient =>
  HttpClient.transformResponse(
    client,
    Effect.map((response) => {
      const { pathname = "" } = URL.parse(response.request.url) ?? {}
      return withBody(
        response,
        Effect.map(response.arrayBuffer, (bytes) => complete(bytes, pathname))
      )
    })
  )
