/** The judge of a topic finds each fault that a publisher could have. */
import { assert, it } from "vitest"
import { judge, type Published } from "../../../harness/campaigns/kafka/TopicJudge.ts"
import type { Sql } from "../../../harness/servers/Sql.ts"

const event = (number: number, subject: string, streamversion: number, extra: object = {}) => ({
  specversion: "1.0",
  id: `e${number}`,
  source: "/orders",
  type: "order.confirmed.v1",
  subject,
  partitionkey: subject,
  time: "2026-11-28T12:00:00Z",
  datacontenttype: "application/json",
  streamversion,
  data: {},
  ...extra
})
type Event = ReturnType<typeof event>

const [one, two, three, four] = [event(1, "a", 1), event(2, "b", 1), event(3, "a", 2), event(4, "b", 2)] as const
const rows = [1, 2, 3, 4].map((position) => ({ id: `e${position}`, position }))
// The judge sends one statement, which has these rows.
const log: Sql = { rows: async <Row>() => rows as unknown as ReadonlyArray<Row>, close: async () => {} }

const record = (event: Event, other: Partial<Published> = {}): Published => ({
  partition: event.subject === "a" ? 0 : 1,
  key: event.subject,
  value: JSON.stringify(event),
  ...other
})

const read = async function* (records: ReadonlyArray<Published>) {
  yield* records
}

const records = (...events: ReadonlyArray<Event>) => events.map((event) => record(event))

it("finds nothing where the topic is the log, and counts what is there again", async () => {
  const verdict = await judge(log, read(records(one, two, three, one, four)))
  assert.deepStrictEqual(verdict, { faults: [], records: 5, ids: 4, keys: 2, again: [1] })
})

it.each([
  ["an event that is lacking", records(one, two, three), /lacks e4 at position 4/],
  ["events of an order in another order", records(three, two, one, four), /a: version 2 comes where 1 should/],
  ["an event of nobody", records(one, two, three, four, event(9, "c", 1)), /has e9, which is no event of the log/],
  ["no CloudEvent", records(event(1, "a", 1, { source: "" }), two, three, four), /it has no source/],
  ["an attribute of a wrong name", records(event(1, "a", 1, { aB: 1 }), two, three, four), /it has an attribute aB/],
  ["another key", [record(one, { key: "x" }), ...records(two, three, four)], /its key is x/],
  [
    "an order in two partitions",
    [...records(one, two, four), record(three, { partition: 5 })],
    /a is in the partitions 0/
  ]
])("finds %s", async (_, published, fault) => {
  const { faults } = await judge(log, read(published))
  assert.lengthOf(
    faults.filter((one) => fault.test(one)),
    1
  )
})
