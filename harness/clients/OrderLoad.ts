/**
 * A steady load of commands over HTTP on several servers, by clients who bear that a server is gone or says "later":
 * they give the order up then and begin with another one. Remembers what was acknowledged.
 */
import { setTimeout as pause } from "node:timers/promises"
import { type Answer, call, fillCatalog, orderId, type Receipt, slug } from "./HttpClient.ts"
import { type Operation, request } from "./Operation.ts"
import { now } from "../clocks/RunningTime.ts"

export interface LoadOptions {
  /** These are the servers that commands can be sent to now. */
  readonly urls: () => ReadonlyArray<string>
  readonly clients: number
  /** Each client waits so many milliseconds between an answer and its next command. */
  readonly pause: number
}

export interface Acknowledged extends Receipt {
  /** When the answer was there, by `RunningTime`. */
  readonly at: number
}

export interface Load {
  /** These are receipts of all commands answered 202. */
  readonly acknowledged: ReadonlyArray<Acknowledged>
  /** So many commands were answered 503, and so many got no answer, or that of a gateway which has lost its server's. */
  readonly later: () => number
  readonly unanswered: () => number
  /** This is the longest that any command took, in milliseconds. */
  readonly longest: () => number
  /** This is the greatest token of all answers. */
  readonly token: () => string
  readonly faults: ReadonlyArray<string>
  /** This waits for a command that is sent from now on and answered 202. */
  readonly nextAcknowledged: () => Promise<Acknowledged>
  /** Resolves when every client has its last answer. */
  readonly stop: () => Promise<void>
}

const customers = ["ada", "bob", "cid"]
export const customer = customers[1]!

export const fill = async (url: string): Promise<void> => {
  await fillCatalog(url)
  for (const id of customers.slice(1)) {
    await call(url, "PUT", `/customers/${id}`, { body: { name: id, email: `${id}@example.org` } })
  }
}

const lines = [{ productId: "mug", quantity: 2, lineId: "a" }]

const lives: ReadonlyArray<ReadonlyArray<Operation>> = [
  [
    { kind: "place", lines, confirm: true },
    { kind: "authorize", paymentId: "p1", amount: 2_500 },
    { kind: "ship", shipmentId: "s1" },
    { kind: "deliver", shipmentId: "s1" }
  ],
  [{ kind: "place", lines, confirm: false }, { kind: "changeQuantity", lineId: "a", quantity: 5 }, { kind: "cancel" }],
  [{ kind: "place", lines, confirm: true }]
]

export const start = ({ clients, pause: between, urls }: LoadOptions): Load => {
  const acknowledged: Array<Acknowledged> = []
  const faults: Array<string> = []
  const waiting = new Set<{ readonly since: number; readonly resolve: (receipt: Acknowledged) => void }>()
  const over = new AbortController()
  let [later, unanswered, longest, turn, token] = [0, 0, 0, 0, ""]

  const send = async (url: string, order: string, operation: Operation, customerId: string): Promise<boolean> => {
    const { body, method, path } = request(order, operation)
    const [sent, began] = [performance.now(), now()]
    const given = operation.kind === "place" ? { ...(body as object), customerId } : body
    const answer = await call(url, method, path, given === undefined ? {} : { body: given }).catch(() => undefined)
    longest = Math.max(longest, now() - began)
    if (answer === undefined || [502, 504].includes(answer.status)) unanswered += 1
    else if (answer.status === 503) later += 1
    else if (answer.status === 202) acknowledge(answer, sent)
    else faults.push(`${order} ${operation.kind}: answered ${answer.status} ${slug(answer)}`)
    return answer?.status === 202
  }

  const acknowledge = ({ body, headers }: Answer, sent: number) => {
    const receipt = { ...(body as Receipt), at: now() }
    acknowledged.push(receipt)
    const given = headers.get("consistency-token") ?? ""
    if (Number.parseInt(given, 10) > (Number.parseInt(token, 10) || 0)) token = given
    for (const wait of waiting) {
      if (wait.since > sent) continue
      waiting.delete(wait)
      wait.resolve(receipt)
    }
  }

  const client = async () => {
    while (!over.signal.aborted) {
      const number = turn++
      const order = orderId()
      for (const operation of lives[number % lives.length]!) {
        const open = urls()
        const url = open[turn % open.length]
        const isDone = url !== undefined && (await send(url, order, operation, customers[number % customers.length]!))
        await pause(isDone ? between : Math.max(between, 20))
        if (!isDone || over.signal.aborted) break
      }
    }
  }
  const running = Promise.all(Array.from({ length: clients }, client))

  return {
    acknowledged,
    later: () => later,
    unanswered: () => unanswered,
    longest: () => Math.round(longest),
    token: () => token,
    faults,
    nextAcknowledged: () =>
      new Promise((resolve) => {
        waiting.add({ since: performance.now(), resolve })
      }),
    stop: async () => {
      over.abort()
      await running
    }
  }
}
