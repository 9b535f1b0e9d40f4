/** Defines the cases of `ProblemCases`, and the steps that lead up to a problem. */
import { assert } from "@effect/vitest"
import { type Answer } from "../clients/HttpClient.ts"
import { placement } from "../fixtures/Shop.ts"
import type * as Servers from "../servers/FaultyServer.ts"

export interface Case {
  readonly slug: string
  readonly status: number
  /** The document has members of these names; a value that is given must be equal. */
  readonly members: Readonly<Record<string, unknown>>
  readonly trouble?: Servers.Trouble
  readonly provoke: (server: Servers.ProblemServer) => Promise<Answer>
}

/** Stands for a member that must be there, whatever its value. */
export const any = Symbol("any")

export const lines = [{ productId: "mug", quantity: 2, lineId: "a" }]
export const items = (quantity: number, lineId = "a") => ({ items: [{ lineId, quantity }] })

/** Places an order of two mugs and returns its path. */
export const place = async (server: Servers.ProblemServer, extra: object = {}): Promise<string> => {
  const { body, text } = await server.send("POST", "/orders", placement({ lines, ...extra }))
  assert.isString(body.orderId, text)
  return `/orders/${body.orderId}`
}

/** Sends the last request after the others, all on a new order. */
export const after =
  (
    before: ReadonlyArray<readonly [method: string, path: string, body?: object]>,
    [method, path, body, headers]: readonly [string, string, object?, Record<string, string>?],
    extra: object = {}
  ) =>
  async (server: Servers.ProblemServer) => {
    const at = await place(server, extra)
    for (const [method, path, body] of before) {
      const { status, text } = await server.send(method, at + path, body)
      assert.strictEqual(status, 202, text)
    }
    return server.send(method, at + path, body, headers)
  }

export const simply =
  (method: string, path: string, body?: unknown, headers?: Record<string, string>) => (server: Servers.ProblemServer) =>
    server.send(method, path, body, headers)

/** Sends a command while the log is in trouble. */
export const inTrouble = async (server: Servers.ProblemServer) => {
  const at = await place(server)
  server.breakIt()
  return server.send("POST", `${at}/shipments`, {})
}

export const keyed = { "idempotency-key": "k" }
export const payment = { amount: 1_000, paymentId: "p" }

/** Returns the only answer that comes soon to requests that were sent at once and may arrive in any order. */
export const only = async (server: Servers.ProblemServer, sent: ReadonlyArray<Promise<Answer>>) => {
  const answers: Array<Answer> = []
  const kept = sent.map((one) => one.then((answer) => void answers.push(answer)))
  await Promise.race(kept)
  // Any other answer of the same time has arrived by then.
  await server.get("/health/live")
  const [one, ...others] = answers
  assert.isEmpty(others)
  return one!
}
