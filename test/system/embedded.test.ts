import { assert, it } from "vitest"
import { placement } from "../../harness/fixtures/Shop.ts"
import { call, history, list } from "../../harness/clients/HttpClient.ts"
import * as HoldUpProbe from "../../harness/clocks/HoldUpProbe.ts"
import { now } from "../../harness/clocks/RunningTime.ts"
import { node } from "../../harness/servers/ServerProcess.ts"
import { embeddedDatabase, server } from "../../harness/servers/Resources.ts"

it("on PGlite writers, readers and somebody who reads everything get on together: nobody waits for a second", async () => {
  const settings = { DATABASE_URL: await embeddedDatabase(), ...HoldUpProbe.settings }
  const [executable, ...rest] = node
  const { output, stop, url } = await server(settings, [executable!, HoldUpProbe.flag, ...rest])
  let waits: Array<{ readonly what: string; readonly from: number; readonly to: number; readonly running: number }> = []
  const clock = () => performance.timeOrigin + performance.now()
  const timed = async <A>(what: string, work: Promise<A>): Promise<A> => {
    const [from, began] = [clock(), now()]
    const result = await work
    waits.push({ what, from, to: clock(), running: now() - began })
    return result
  }
  const place = async () => {
    const { body, status } = await timed("placing", call(url, "POST", "/orders", { body: placement() }))
    assert.strictEqual(status, 202, JSON.stringify(body))
    return (body as { readonly orderId: string }).orderId
  }

  const placed: Array<string> = []
  // So that what is measured is not the first use of connections and code.
  for (let batch = 0; batch < 6; batch++) placed.push(...(await Promise.all(Array.from({ length: 64 }, place))))
  waits = []
  const enough = placed.length + 100
  const end = performance.now() + 5_000
  const during = async (work: () => Promise<unknown>) => {
    while (performance.now() < end || placed.length < enough) await work()
  }
  const any = () => placed[Math.floor(Math.random() * placed.length)]!
  const writer = () => during(async () => placed.push(await place()))
  const reader = () =>
    during(async () => {
      assert.strictEqual((await timed("reading", call(url, "GET", "/orders?limit=20"))).status, 200)
      assert.isDefined(await timed("a history", history(url, any())))
    })
  // As large as a rebuild: everything there is, in the largest pages, again and again.
  const everything = () => during(() => list(url, { limit: 100, query: "&sort=placedAt" }))
  const load = [
    ...Array.from({ length: 64 }, writer),
    ...Array.from({ length: 10 }, reader),
    ...Array.from({ length: 2 }, everything)
  ]
  await Promise.all(load)

  await stop()
  const heldUp = HoldUpProbe.series(output)
  const sorted = waits
    .map(({ from, running, to, what }) => ({
      what,
      // Without the time for which this process or the server was held up: mostly both were.
      millis: Math.min(running, to - from - HoldUpProbe.between(heldUp, from, to))
    }))
    .toSorted((left, right) => left.millis - right.millis)
  const median = sorted[sorted.length >> 1]!.millis
  const slowest = sorted.at(-1)!
  // A second, or on a machine that has other things to do so many times what is usual.
  assert.isBelow(slowest.millis, Math.max(1_000, 10 * median), slowest.what)
})
