/** Measures how long it takes until commands, the view and pushes are back, at each server, and until a view is taken over. */
import { placement } from "../fixtures/Shop.ts"
import { call, orderId, type Receipt } from "../clients/HttpClient.ts"
import type { ResumingFollower } from "../streams/ResumingFollower.ts"
import { now } from "../clocks/RunningTime.ts"
import type { Sql } from "../servers/Sql.ts"
import * as ViewJudge from "../judges/ViewJudge.ts"
import { until, untilSo } from "../clocks/Until.ts"
import { makerAmong } from "../campaigns/ProjectorKills.ts"
import type { ServersUnderLoad } from "./ServersUnderLoad.ts"

/** A request is given up after so many milliseconds, so that one that hangs is not the end. */
const hanging = 15_000

const acceptedBy = async (url: string, patience: { readonly patience?: number }): Promise<Receipt> => {
  const signal = () => AbortSignal.timeout(hanging)
  const place = () =>
    call(url, "POST", "/orders", { body: placement({ orderId: orderId() }), signal: signal() }).catch(() => undefined)
  const options = { what: `A command accepted by ${url}`, pause: 10, ...patience }
  const answer = await until(place, (answer) => answer?.status === 202, options)
  return answer?.body
}

const viewAt = async (sql: Sql, position: number, patience: { readonly patience?: number }) => {
  const look = () => ViewJudge.standing(sql).catch(() => undefined)
  const options = { what: `The view at position ${position}`, pause: 10, ...patience }
  await until(look, (at) => at !== undefined && at.position >= position, options)
  return now()
}

/** Fails if any of it does not come within `patience` milliseconds. */
export const recovery = async (
  sql: Sql,
  urls: ReadonlyArray<string>,
  followers: ReadonlyArray<ResumingFollower>,
  patience: { readonly patience?: number } = {}
) => {
  const back = now()
  const each = await Promise.all(
    urls.map(async (url) => {
      const receipt = await acceptedBy(url, patience)
      const command = now()
      const view = await viewAt(sql, receipt.position, patience)
      const pushes = await Promise.all(followers.map((one) => one.awaitPosition(receipt.position, patience)))
      return { receipt, command: command - back, view: view - back, push: Math.max(...pushes) - back }
    })
  )
  const most = (of: (one: (typeof each)[number]) => number) => Math.round(Math.max(...each.map(of)))
  return {
    receipts: each.map(({ receipt }) => receipt),
    commands: most(({ command }) => command),
    view: most(({ view }) => view),
    pushes: most(({ push }) => push)
  }
}

/** Lists what a follower lacks of these positions, or has besides or in another order. */
export const pushFaults = (
  { name, positions }: ResumingFollower,
  wanted: ReadonlyArray<number>
): ReadonlyArray<string> => {
  const at = wanted.findIndex((position, index) => positions[index] !== position)
  if (at < 0 && positions.length === wanted.length) return []
  return [`${name}: ${positions.length} events, not ${wanted.length}; ${positions[at]} came in place of ${wanted[at]}`]
}

/**
 * Ends the maker of the view; answers the milliseconds until another server made it, and starts the ended one again.
 */
export const takeOver = async ({ servers, sql }: ServersUnderLoad, patience: number): Promise<number> => {
  const processes = servers.map(({ server }) => server)
  const { owner, server } = await until(
    () => makerAmong(sql, processes),
    (found) => found !== undefined,
    { what: "A server that makes the view", patience }
  )
  const ended = servers.find((one) => one.server === server)
  const [killed] = [now(), await server.kill()]
  const { position } = (await ViewJudge.standing(sql))!
  await untilSo(
    async () => {
      const at = await ViewJudge.standing(sql)
      return at !== undefined && at.owner !== owner && at.position > position
    },
    { what: "A take-over", patience }
  )
  const taken = now() - killed
  await ended?.restart()
  return Math.round(taken)
}
