/**
 * Tries to be somebody else: sends forged tokens and keys over every route of both ports, then good tokens of another
 * customer, and measures whether another's order takes longer to be not found than one that does not exist.
 */
import { attempted, inParallel, orderId, slug } from "../../clients/HttpClient.ts"
import { ada, mug, placement } from "../../fixtures/Shop.ts"
import { kinds } from "../../identity/BadCredentials.ts"
import { guarded, guardedAdmin, type Route } from "../../identity/Routes.ts"
import * as Tokens from "../../identity/Tokens.ts"

export interface Plan {
  readonly url: string
  readonly adminUrl: string
  readonly credentials: number
  /** Another's order and a missing one are each asked for so often. */
  readonly pairs: number
  readonly concurrency: number
}

const roles = ["customer", "operator", "admin"] as const
type Ids = Parameters<Route["path"]>[0]

const ask = (url: string, route: Route, ids: Ids, headers: Record<string, string>) =>
  attempted(url, route.method, route.path(ids), { headers, ...(route.body === undefined ? {} : { body: route.body }) })

const median = (values: ReadonlyArray<number>): number => values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0

export const run = async ({ adminUrl, concurrency, credentials, pairs, url }: Plan) => {
  const faults: Array<string> = []
  const statuses = new Map<string, number>()
  const count = (what: string) => statuses.set(what, (statuses.get(what) ?? 0) + 1)
  const [operator, adas, bobs] = [await Tokens.operator(), await Tokens.customer("ada"), await Tokens.customer("bob")]

  const must = async (token: string, method: string, path: string, body: object) => {
    const answer = await attempted(url, method, path, { body, headers: { ...Tokens.bearer(token), prefer: "wait=30" } })
    if (answer.status >= 300 || answer.status === 0) throw new Error(`${method} ${path} answered ${answer.status}`)
    return answer.body
  }
  await must(operator, "PUT", "/products/mug", mug)
  for (const id of ["ada", "bob"]) await must(operator, "PUT", `/customers/${id}`, ada)
  const hers: string = (await must(adas, "POST", "/orders", placement())).orderId
  const before = JSON.stringify((await attempted(url, "GET", `/orders/${hers}`, { headers: Tokens.bearer(adas) })).body)

  const targets = [
    ...guarded.map((route) => ({ route, url })),
    ...guardedAdmin.map((route) => ({ route, url: adminUrl }))
  ]
  const makers = Object.entries(kinds)
  const ids = { orderId: hers, customerId: "ada" }
  const turns = Array.from({ length: credentials }, (_, turn) => turn)
  await inParallel(turns, concurrency, async (turn) => {
    const [kind, make] = makers[turn % makers.length]!
    // The number of kinds and that of routes may have a divisor in common, so a round shifts by one.
    const { route, url } = targets[(turn + Math.floor(turn / makers.length)) % targets.length]!
    const credential = await make(turn, roles[Math.floor(turn / 7) % roles.length]!)
    const headers = turn % 3 === 0 ? { "x-api-key": credential } : Tokens.bearer(credential)
    const answer = await ask(url, route, ids, headers)
    count(`forged ${answer.status}`)
    if (answer.status !== 401) faults.push(`${kind} on ${route.name} answered ${answer.status} ${slug(answer)}`)
  })

  for (const { route, url } of targets) {
    if (route.name.startsWith("GET /events")) continue
    const { status } = await ask(url, route, ids, Tokens.bearer(bobs))
    count(`another's ${status}`)
    const isOfOrder = route.name.includes("/orders/{id}")
    const expected = !route.who.includes("customer") ? [403] : isOfOrder ? [404] : undefined
    if (expected !== undefined && !expected.includes(status)) {
      faults.push(`another customer got ${status} on ${route.name}`)
    }
    if (status >= 500) faults.push(`another customer got ${status} on ${route.name}`)
  }
  const after = JSON.stringify((await attempted(url, "GET", `/orders/${hers}`, { headers: Tokens.bearer(adas) })).body)
  if (before !== after) faults.push("another customer, or a forged token, changed the order")

  const timed: Record<string, readonly [another: number, missing: number]> = {}
  for (const path of ["", "/events", "/versions/1"]) {
    const another: Array<number> = []
    const missing: Array<number> = []
    for (let pair = 0; pair < pairs; pair++) {
      for (const [id, times] of pair % 2 === 0
        ? ([
            [hers, another],
            [orderId(), missing]
          ] as const)
        : ([
            [orderId(), missing],
            [hers, another]
          ] as const)) {
        const start = performance.now()
        const { status } = await attempted(url, "GET", `/orders/${id}${path}`, { headers: Tokens.bearer(bobs) })
        times.push(performance.now() - start)
        if (status !== 404) faults.push(`/orders/{id}${path} answered ${status}`)
      }
    }
    timed[`GET /orders/{id}${path}`] = [median(another), median(missing)]
  }
  return { statuses: Object.fromEntries(statuses), medianMillis: timed, faults }
}

/** Tells whether the medians are so far apart that one could learn from them; on a busy machine they may be by chance. */
export const apart = (timed: Awaited<ReturnType<typeof run>>["medianMillis"]): ReadonlyArray<string> =>
  Object.entries(timed).flatMap(([route, [another, missing]]) =>
    Math.abs(another - missing) > 0.1 * missing
      ? [`${route}: another's order took ${another.toFixed(2)} ms, a missing one ${missing.toFixed(2)} ms`]
      : []
  )
