/** Sends hostile requests to a server and judges every answer by the contract alone: the server is only known by its URL. */
import { Agent, type IncomingHttpHeaders, request as httpRequest } from "node:http"
import { isListed, operationsOf, problemFault } from "../../judges/AnswerJudge.ts"
import { placement } from "../../fixtures/Shop.ts"
import { call, fillCatalog, inParallel, orderId } from "../../clients/HttpClient.ts"
import { seeded } from "../../fixtures/SeededRandom.ts"
import { type HostileRequest, make, type Operation } from "./HostileRequests.ts"

export interface Plan {
  readonly url: string
  readonly requests: number
  readonly seed: number
  readonly concurrency: number
}

interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
}

interface OpenApi {
  readonly paths: Readonly<Record<string, Readonly<Record<string, { readonly responses: object }>>>>
}

const patience = 60_000

/** Sends by `node:http`, which leaves paths and headers as they are. */
export const send = (agent: Agent, url: string, { body, headers, method, path }: HostileRequest) =>
  new Promise<Answer>((resolve, reject) => {
    const { hostname: host, port } = new URL(url)
    // Node sends the body of a DELETE without its length, and the server would read it as the next request.
    const length = body === undefined ? {} : { "content-length": Buffer.byteLength(body) }
    const sending = httpRequest(
      { agent, host, port, method, path, headers: { ...headers, ...length }, timeout: patience },
      (response) => {
        // An event stream has no end: that it was opened is the answer.
        if (response.headers["content-type"]?.startsWith("text/event-stream") === true) {
          resolve({ status: response.statusCode ?? 0, headers: response.headers, text: "" })
          return void response.destroy()
        }
        const chunks: Array<Buffer> = []
        response.on("data", (chunk: Buffer) => chunks.push(chunk))
        response.once("error", reject)
        response.once("end", () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            text: Buffer.concat(chunks).toString("utf8")
          })
        )
      }
    )
    sending.once("timeout", () => sending.destroy(new Error(`no answer in ${patience} ms`)))
    sending.once("error", reject)
    sending.end(body)
  })

const parse = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

export const run = async ({ concurrency, requests, seed, url }: Plan) => {
  const openapi = (await call(url, "GET", "/openapi.json")).body as OpenApi
  const operations = Object.entries(openapi.paths).flatMap(([path, item]) =>
    Object.keys(item).map((method): Operation => ({ method: method.toUpperCase(), path }))
  )
  const operationOf = operationsOf(openapi.paths)
  const orders = [orderId()]
  await call(url, "POST", "/orders", { body: placement({ orderId: orders[0], confirm: false }) })
  const opaque: Array<string> = []
  const remember = ({ headers, status, text }: Answer) => {
    const body = parse(text)
    if (status >= 300 || typeof body !== "object" || body === null) return
    const token = headers["consistency-token"]
    if (typeof token === "string") opaque.push(token)
    const { orderId, page } = body as { readonly orderId?: string; readonly page?: { readonly next?: string } }
    if (page?.next !== undefined) opaque.push(page.next)
    if (orderId !== undefined) orders.push(orderId)
    for (const list of [orders, opaque]) if (list.length > 200) list.shift()
  }
  const next = make(seeded(seed), operations, () => ({ orders, opaque }))
  const agent = new Agent({ keepAlive: true, maxSockets: concurrency })
  const faults: Array<string> = []
  const statuses = new Map<number, number>()
  const problems = new Map<string, number>()
  let longest = 0

  const one = async (number: number) => {
    // Some of the requests withdraw what orders are made of.
    if (number % 100 === 0) await fillCatalog(url)
    const sent = next()
    const fault = (what: string) =>
      faults.push(`SEED=${seed} #${number} ${what}: ${JSON.stringify(sent).slice(0, 1_500)}`)
    const start = performance.now()
    const answer = await send(agent, url, sent).catch((error: unknown) => String(error))
    longest = Math.max(longest, performance.now() - start)
    if (typeof answer === "string") return void fault(answer)
    const { headers, status, text } = answer
    statuses.set(status, (statuses.get(status) ?? 0) + 1)
    if (status >= 500) fault(`${status} ${text}`)
    if (!headers["x-request-id"]) fault("no X-Request-Id")
    if (!isListed(operationOf(sent.method, sent.path), status)) fault(`undocumented ${status}`)
    if (status < 400) return remember(answer)
    if (sent.method === "HEAD") return
    const problem = problemFault({ status, header: (name) => headers[name], body: parse(text) })
    if (problem !== undefined) fault(`${status} is no problem document (${problem}): ${text.slice(0, 300)}`)
    const type = /"type":"\/problems\/([a-z-]+)"/.exec(text)?.[1] ?? "about:blank"
    problems.set(type, (problems.get(type) ?? 0) + 1)
  }
  const began = performance.now()
  await inParallel(Array(requests).keys(), concurrency, one)
  const seconds = (performance.now() - began) / 1000
  agent.destroy()
  await fillCatalog(url)
  const after = await call(url, "POST", "/orders", { body: placement(), headers: { prefer: "wait=30" } })
  if (after.status !== 201) faults.push(`afterwards an order could not be placed: ${after.status}`)
  const sorted = <K>(counts: ReadonlyMap<K, number>) =>
    Object.fromEntries([...counts].sort(([, left], [, right]) => right - left))
  return {
    faults,
    statuses: sorted(statuses),
    problems: sorted(problems),
    longestMillis: Math.round(longest),
    perSecond: Math.round(requests / seconds)
  }
}
