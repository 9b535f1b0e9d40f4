/**
 * Clients of two Services: some send commands, each with an Idempotency-Key and again until it is answered, the others read
 * what was acknowledged. Each client keeps its connection or opens one for each request, in turn. Counts what failed, which
 * nothing may while pods come and go in good order.
 */
import { Agent, request as send } from "node:http"
import { randomUUID } from "node:crypto"
import { setTimeout as sleep } from "node:timers/promises"
import { orderId, type Receipt } from "../../clients/HttpClient.ts"
import { type Operation, request } from "../../clients/Operation.ts"
import { untilSo } from "../../clocks/Until.ts"

export interface Plan {
  readonly commandUrl: string
  readonly queryUrl: string
  /** So many clients send commands, and as many read. */
  readonly clients: number
  /** Each client waits so many milliseconds between two requests. */
  readonly pause: number
}

export interface Tally {
  readonly commands: number
  readonly queries: number
  /** Requests that got no answer, or one of 5xx. A command is sent again then. */
  readonly failed: number
}

export interface ServiceLoad {
  readonly acknowledged: ReadonlyArray<Receipt>
  readonly tally: () => Tally
  /** Why requests failed, each with the moment. */
  readonly failures: ReadonlyArray<string>
  /** What no answer may be: refusals, and reads that are older than their token. */
  readonly faults: ReadonlyArray<string>
  /** Waits until each client has had one more answer to a request that it sends from now on. */
  readonly round: () => Promise<void>
  /** Changes the pause between requests. */
  readonly pace: (pause: number) => void
  /** Resolves when every client has its last answer. */
  readonly stop: () => Promise<void>
}

/** A connection to a pod that is gone may never say so. */
const timeout = 15_000

interface Answer {
  readonly status: number
  readonly token: string
  readonly body: string
}

const ask = (url: string, method: string, path: string, agent: Agent, headers: object, body?: unknown) =>
  new Promise<Answer>((resolve, reject) => {
    const text = body === undefined ? undefined : JSON.stringify(body)
    const type =
      text === undefined ? {} : { "content-type": "application/json", "content-length": Buffer.byteLength(text) }
    const asked = send(url + path, { method, agent, timeout, headers: { ...type, ...headers } }, (response) => {
      let answer = ""
      response.setEncoding("utf8")
      response.on("data", (part: string) => (answer += part))
      response.on("error", reject)
      response.on("end", () =>
        resolve({
          status: response.statusCode ?? 0,
          token: String(response.headers["consistency-token"] ?? ""),
          body: answer
        })
      )
    })
    asked.on("timeout", () => asked.destroy(new Error(`no answer within ${timeout} ms`)))
    asked.on("error", reject)
    asked.end(text)
  })

const lines = [{ productId: "mug", quantity: 2, lineId: "a" }]

const life: ReadonlyArray<Operation> = [
  { kind: "place", lines, confirm: true },
  { kind: "authorize", paymentId: "p1", amount: 2_500 },
  { kind: "ship", shipmentId: "s1" },
  { kind: "deliver", shipmentId: "s1" }
]

export const start = ({ clients, commandUrl, pause: first, queryUrl }: Plan): ServiceLoad => {
  const acknowledged: Array<Receipt> = []
  /** The newest receipts with their tokens, for those who read. */
  const recent: Array<{ readonly receipt: Receipt; readonly token: string }> = []
  const failures: Array<string> = []
  const faults: Array<string> = []
  const rounds = Array.from({ length: 2 * clients }, () => 0)
  let [commands, queries, failed, pause] = [0, 0, 0, first]
  const over = new AbortController()

  /** Gives the answer, or undefined if there was none or it was 5xx. */
  const attempt = async (what: string, asking: Promise<Answer>): Promise<Answer | undefined> => {
    const answer = await asking.catch((cause: unknown) => String(cause))
    if (typeof answer !== "string" && answer.status < 500) return answer
    failed += 1
    const why = typeof answer === "string" ? answer : `${answer.status} ${answer.body.slice(0, 200)}`
    failures.push(`${new Date().toISOString()} ${what}: ${why}`)
    return undefined
  }

  const agentOf = (client: number) => new Agent({ keepAlive: client % 2 === 0, maxSockets: 1 })

  const command = async (agent: Agent, order: string, operation: Operation) => {
    const { body, method, path } = request(order, operation)
    const headers = { "idempotency-key": randomUUID() }
    for (;;) {
      const answer = await attempt(operation.kind, ask(commandUrl, method, path, agent, headers, body))
      if (answer === undefined) {
        await sleep(100)
        continue
      }
      commands += 1
      if (answer.status === 202) {
        const receipt: Receipt = JSON.parse(answer.body)
        acknowledged.push(receipt)
        recent.push({ receipt, token: answer.token })
        if (recent.length > 100) recent.shift()
      } else faults.push(`${order} ${operation.kind}: answered ${answer.status} ${answer.body.slice(0, 300)}`)
      return
    }
  }

  const sender = async (client: number) => {
    const agent = agentOf(client)
    while (!over.signal.aborted) {
      const order = orderId()
      for (const operation of life) {
        await command(agent, order, operation)
        rounds[client]! += 1
        await sleep(pause)
      }
    }
    agent.destroy()
  }

  const reader = async (client: number) => {
    const agent = agentOf(client)
    while (!over.signal.aborted) {
      const newest = recent[Math.floor(Math.random() * recent.length)]
      if (newest !== undefined) {
        const { receipt, token } = newest
        const headers = { "consistency-token": token, prefer: "wait=10" }
        const answer = await attempt("read", ask(queryUrl, "GET", `/orders/${receipt.orderId}`, agent, headers))
        if (answer !== undefined) {
          queries += 1
          const version = answer.status === 200 ? Number(JSON.parse(answer.body).version) : -1
          if (version < receipt.version) {
            faults.push(`a read of ${receipt.orderId} at ${receipt.version}: ${answer.status}, version ${version}`)
          }
          rounds[client]! += 1
        }
      }
      await sleep(pause)
    }
    agent.destroy()
  }

  const running = Promise.all([
    ...Array.from({ length: clients }, (_, client) => sender(client)),
    ...Array.from({ length: clients }, (_, client) => reader(clients + client))
  ])

  return {
    acknowledged,
    failures,
    faults,
    tally: () => ({ commands, queries, failed }),
    round: async () => {
      // The request that is open now may have been sent before.
      const wanted = rounds.map((count) => count + 2)
      await untilSo(() => wanted.every((count, client) => rounds[client]! >= count), {
        what: "An answer to each client"
      })
    },
    pace: (next) => {
      pause = next
    },
    stop: async () => {
      over.abort()
      await running
    }
  }
}
