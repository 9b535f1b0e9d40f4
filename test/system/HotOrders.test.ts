import { assert, it } from "vitest"
import { type CloudEvent, fillCatalog } from "../../harness/clients/HttpClient.ts"
import { type Attempt, type Recording, run } from "../../harness/campaigns/HotOrders.ts"
import { judgeRecording } from "../../harness/judges/HotOrdersJudge.ts"
import { logFaults, storedEvents } from "../../harness/servers/Sql.ts"
import { freshDatabase, server, sql } from "../../harness/servers/Resources.ts"
import { seed } from "../../harness/fixtures/SeededRandom.ts"

type Change = (recording: Recording) => Recording

const inHistory =
  (change: (events: ReadonlyArray<CloudEvent>) => ReadonlyArray<CloudEvent>): Change =>
  (recording) => {
    const changed = new Map(recording.histories[0])
    const [order, events] = [...changed].find(([, events]) => events.length > 5) ?? assert.fail("no history")
    changed.set(order, change(events))
    return { ...recording, histories: recording.histories.map(() => changed) }
  }

const inAttempt =
  (
    isMeant: (attempt: Attempt, attempts: ReadonlyArray<Attempt>) => boolean,
    change: (attempt: Attempt) => ReadonlyArray<Attempt>
  ): Change =>
  (recording) => {
    const index = recording.attempts.findIndex((attempt) => isMeant(attempt, recording.attempts))
    assert.notStrictEqual(index, -1, "no such attempt")
    return { ...recording, attempts: recording.attempts.toSpliced(index, 1, ...change(recording.attempts[index]!)) }
  }

const isStored = ({ operation, receipt }: Attempt) => receipt?.events.length === 1 && operation.kind !== "place"
/** Refused when the order was known to exist: while it is being placed, "not found" may be as true as the refusal given. */
const isRefusedOfAPlacedOrder = ({ slug, order, sent }: Attempt, attempts: ReadonlyArray<Attempt>) =>
  slug === "invalid-transition" &&
  attempts.some((other) => other.order === order && other.receipt !== undefined && other.replied < sent)
const renumbered = (events: ReadonlyArray<CloudEvent>) =>
  events.map((event, index) => ({ ...event, streamversion: index + 1 }))

const damages: Readonly<Record<string, Change>> = {
  "an event is gone": inHistory((events) => events.toSpliced(3, 1)),
  "an event is gone and nobody can see it from the versions": inHistory((events) => renumbered(events.toSpliced(3, 1))),
  "an event is there twice": inHistory((events) => renumbered(events.toSpliced(3, 0, events[3]!))),
  "two events changed places": inHistory((events) => renumbered(events.toSpliced(3, 2, events[4]!, events[3]!))),
  "an event says something else": inHistory((events) => events.with(3, { ...events[3]!, type: "order.placed.v1" })),
  "an event that nobody sent": inAttempt(isStored, () => []),
  "another version was told": inAttempt(isStored, (attempt) => [
    { ...attempt, receipt: { ...attempt.receipt!, version: attempt.receipt!.version + 1 } }
  ]),
  "another position was told": inAttempt(isStored, (attempt) => [
    { ...attempt, receipt: { ...attempt.receipt!, position: attempt.receipt!.position + 1 } }
  ]),
  "what was stored was called a repeat": inAttempt(isStored, (attempt) => [
    { ...attempt, receipt: { ...attempt.receipt!, events: [] } }
  ]),
  "what was stored was refused": inAttempt(isStored, (attempt) => [
    { ...attempt, status: 409, slug: "invalid-transition", receipt: undefined }
  ]),
  "a refusal for a reason that was never there": inAttempt(isRefusedOfAPlacedOrder, (attempt) => [
    { ...attempt, slug: "order-not-found", status: 404 }
  ]),
  "a lost race was handed to the caller": inAttempt(
    ({ slug }) => slug === "invalid-transition",
    (attempt) => [{ ...attempt, slug: "concurrency-conflict" }]
  ),
  "an error of the server": inAttempt(isStored, (attempt) => [
    attempt,
    { ...attempt, status: 503, slug: "outcome-unknown", receipt: undefined }
  ])
}

it("two servers on one PostgreSQL give every order one history, lose nothing, and are right in what they refuse", async () => {
  const url = await freshDatabase()
  const servers = await Promise.all([server({ DATABASE_URL: url }), server({ DATABASE_URL: url })])
  const urls = servers.map((server) => server.url)
  await fillCatalog(urls[0]!)
  const recording = await run({ urls, orders: 20, clients: 32, isEnough: (attempts) => attempts >= 2_500, seed })
  const judgement = judgeRecording(recording)

  assert.deepStrictEqual(judgement.faults, [], `seed ${seed}`)
  assert.deepStrictEqual(logFaults(await storedEvents(sql(url))), [])
  assert.isAbove(judgement.accepted, 100)
  assert.isAbove(judgement.unchanged, 10)
  assert.isAbove(Object.keys(judgement.refused).length, 5)
  assert.isAbove(judgement.overtaken, 0, "the clients never met")

  for (const [damage, change] of Object.entries(damages)) {
    assert.isNotEmpty(judgeRecording(change(recording)).faults, `not seen: ${damage}`)
  }
})
