import { assert, it } from "@effect/vitest"
import * as CatalogMemory from "../../../src/catalog/CatalogMemory.ts"
import * as StreamId from "../../../src/eventstore/StreamId.ts"

const read = (id: string, version: number) => ({
  value: `${id}@${version}`,
  guard: { streamId: StreamId.make("product", id), version }
})

const memoryOf = (limit: number) => {
  const memory = CatalogMemory.make<string>(limit)
  const put = (id: string, version = 1, epoch = memory.epoch) => memory.put(id, read(id, version), epoch)
  const known = (...ids: ReadonlyArray<string>) => ids.filter((id) => memory.get(id) !== undefined)
  return { memory, put, known }
}

it("keeps at most so many values, and of these the ones that were used last", () => {
  const { known, memory, put } = memoryOf(10)
  put("hot")
  for (let index = 0; index < 1_000; index++) {
    put(`cold-${index}`)
    assert.deepStrictEqual(known("hot"), ["hot"])
    assert.isAtMost(memory.size, 10)
  }
  assert.deepStrictEqual(known("cold-0", "cold-990"), [])
  assert.deepStrictEqual(known("cold-999", "cold-998", "hot"), ["cold-999", "cold-998", "hot"])
})

it("keeps no second value of the same id", () => {
  const { memory, put } = memoryOf(10)
  for (let version = 1; version <= 100; version++) put("a", version)
  assert.strictEqual(memory.get("a")?.value, "a@100")
  assert.strictEqual(memory.size, 1)
})

it("forgets what was read at an earlier version than the log shows", () => {
  const { known, memory, put } = memoryOf(4)
  for (const id of ["a", "b", "c"]) put(id, 3)
  memory.forget("a", 4)
  memory.forget("b", 3)
  memory.forget("c", 2)
  memory.forget("unknown", 9)
  assert.deepStrictEqual(known("a", "b", "c"), ["b", "c"])
})

it("keeps nothing of a read that began before everything was forgotten", () => {
  const { known, memory, put } = memoryOf(4)
  const { epoch } = memory
  put("a")
  memory.forgetAll()
  put("b", 1, epoch)
  assert.deepStrictEqual(known("a", "b"), [])
  put("b")
  assert.deepStrictEqual(known("b"), ["b"])
})

it("forgets a value once a read finds a lower version of it, and nothing else", () => {
  const { known, put } = memoryOf(4)
  put("a", 3)
  put("b", 3)
  put("a", 2)
  assert.deepStrictEqual(known("a", "b"), ["b"])
})
