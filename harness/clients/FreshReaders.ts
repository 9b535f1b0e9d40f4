/**
 * Readers at servers whose database may crash: no server may list orders from an older view than it has let out before,
 * in a list or in a push, nor answer an older version of an order, nor anything older than the token it is given. It may
 * say "later".
 */
import { setTimeout as pause } from "node:timers/promises"
import type { ResumingFollower } from "../streams/ResumingFollower.ts"
import { call, type Receipt } from "./HttpClient.ts"

export interface ReaderOptions {
  /** Each server with those who follow its pushes. */
  readonly servers: ReadonlyArray<{ readonly url: string; readonly followers: ReadonlyArray<ResumingFollower> }>
  /** The command that was acknowledged last. */
  readonly latest: () => Receipt | undefined
  /** The greatest token of all answers. */
  readonly token: () => string
}

const positionOf = (token: string | null) => Number.parseInt(token ?? "", 10) || 0

export const start = ({ latest, servers, token }: ReaderOptions) => {
  const faults: Array<string> = []
  const over = new AbortController()
  let [reads, later] = [0, 0]

  const reader = async ({ followers, url }: ReaderOptions["servers"][number]) => {
    const versions = new Map<string, number>()
    let listed = 0
    for (let turn = 0; !over.signal.aborted; turn++) {
      const [given, told] = [turn % 3 === 0 ? token() : "", latest()]
      const isList = turn % 2 === 0 || told === undefined
      const pushed = isList ? followers.map(({ viewed }) => viewed()) : []
      const least = Math.max(positionOf(given), isList ? listed : 0, ...pushed)
      const known = isList ? 0 : told.position <= positionOf(given) ? told.version : (versions.get(told.orderId) ?? 0)
      const headers = given === "" ? {} : { "consistency-token": given, prefer: "wait=1" }
      const path = isList ? "/orders?limit=1" : `/orders/${told.orderId}`
      const answer = await call(url, "GET", path, { headers }).catch(() => undefined)
      if (answer?.status !== 200) {
        later += 1
        await pause(20)
        continue
      }
      reads += 1
      const position = positionOf(answer.headers.get("consistency-token"))
      if (position < least) faults.push(`${url}${path} answers position ${position}, but ${least} was let out before`)
      const { version = 0 } = answer.body as { readonly version?: number }
      if (version < known) faults.push(`${url}${path} has version ${version}, but ${known} was let out before`)
      if (isList) listed = Math.max(listed, position)
      else versions.set(told.orderId, Math.max(version, versions.get(told.orderId) ?? 0))
    }
  }
  const running = Promise.all(servers.map(reader))

  return {
    faults,
    reads: () => reads,
    later: () => later,
    stop: async () => {
      over.abort()
      await running
    }
  }
}
