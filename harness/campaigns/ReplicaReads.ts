/**
 * A server that reads orders on a replica, watched while things happen to the replica: every answer is compared with the token
 * that came with the request, with what was acknowledged, and with what the server has let out before.
 */
import { call, type Receipt } from "../clients/HttpClient.ts"
import * as FreshReaders from "../clients/FreshReaders.ts"
import * as OrderLoad from "../clients/OrderLoad.ts"
import { untilSo } from "../clocks/Until.ts"
import type { ServerProcess } from "../servers/ServerProcess.ts"
import { follow } from "../streams/ResumingFollower.ts"

/** So many reads of this server had this outcome. */
export const reads = async ({ adminUrl }: ServerProcess, outcome: string): Promise<number> => {
  const { text } = await call(adminUrl, "GET", "/metrics")
  const [, value] =
    new RegExp(`^orders_replica_reads_total\\{[^}]*outcome="${outcome}"[^}]*\\} (\\d+)`, "m").exec(text) ?? []
  return Number(value ?? 0)
}

/** What the log says of the replica, in order: that it fails, or that it works again. */
export const said = ({ output }: ServerProcess): ReadonlyArray<"fails" | "works"> =>
  [...output().matchAll(/Reading the replica (fails|works)/g)].map(([, word]) => word as "fails" | "works")

/** Waits until this server has read so many orders on the replica from now on; somebody has to ask for them. */
export const untilAnswered = async (server: ServerProcess, more: number) => {
  const before = await reads(server, "answered")
  await untilSo(async () => (await reads(server, "answered")) >= before + more, {
    what: "Reads on the replica",
    pause: 50
  })
}

export const untilPrimary = async (server: ServerProcess, more: number) => {
  const all = async () => {
    const counts = await Promise.all(["behind", "failed", "away"].map((outcome) => reads(server, outcome)))
    return counts.reduce((sum, count) => sum + count, 0)
  }
  const before = await all()
  await untilSo(async () => (await all()) >= before + more, { what: "Reads on the primary", pause: 50 })
}

/** Writes and reads without an end; each order that was just written is read with its token, and must be there. */
export const start = (server: ServerProcess) => {
  const { url } = server
  const load = OrderLoad.start({ urls: () => [url], clients: 2, pause: 10 })
  const follower = follow("SSE", url, 0)
  const latest = (): Receipt | undefined => load.acknowledged.at(-1)
  const readers = FreshReaders.start({ servers: [{ url, followers: [follower] }], latest, token: load.token })
  const faults: Array<string> = []
  const over = new AbortController()
  let written = 0
  const running = (async () => {
    while (!over.signal.aborted) {
      const { orderId, position, version } = await load.nextAcknowledged()
      const token = load.token()
      if (Number.parseInt(token, 10) < position) continue
      const headers = { "consistency-token": token, prefer: "wait=10" }
      const answer = await call(url, "GET", `/orders/${orderId}`, { headers }).catch(() => undefined)
      if (answer === undefined || answer.status === 503) continue
      written += 1
      const { version: found = 0 } = answer.body as { readonly version?: number }
      if (answer.status !== 200 || found < version) {
        faults.push(`${orderId} of version ${version} was answered ${answer.status} with version ${found}`)
      }
    }
  })()
  return {
    /** So many orders were read right after they were written. */
    readBack: () => written,
    acknowledged: () => load.acknowledged.length,
    later: () => load.later() + readers.later(),
    faults: () => [...faults, ...load.faults, ...readers.faults],
    stop: async () => {
      over.abort()
      await running
      await Promise.all([load.stop(), readers.stop()])
      await follower.stop()
    }
  }
}
