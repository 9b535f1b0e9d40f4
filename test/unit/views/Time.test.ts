import { assert, describe, it } from "@effect/vitest"
import { isTime } from "../../../src/views/Time.ts"

const dates = (year: number) =>
  Array.from({ length: 14 * 33 }, (_, index) => [Math.floor(index / 33), index % 33] as const).map(([month, day]) => {
    const pad = (number: number) => String(number).padStart(2, "0")
    const leap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)
    const last = [31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1] ?? 0
    return { text: `${year}-${pad(month)}-${pad(day)}`, exists: day >= 1 && day <= last }
  })

describe("a time", () => {
  it("is on a date that exists", () => {
    for (const year of [1900, 2000, 2024, 2026, 2100]) {
      for (const { exists, text } of dates(year)) {
        for (const rest of ["", "T00:00:00Z", "T23:59:59.999+14:00", "T12:00-11:00"]) {
          assert.strictEqual(isTime(text + rest), exists, text + rest)
        }
      }
    }
  })

  it("is of an hour, a minute, a second and an offset that exist", () => {
    for (const time of [
      "24:00:00Z",
      "23:60:00Z",
      "23:59:60Z",
      "00:00:00+24:00",
      "00:00:00+01:60",
      "1:00:00Z",
      "00:00:00"
    ]) {
      assert.isFalse(isTime(`2026-01-01T${time}`), time)
    }
    for (const text of [
      "",
      "2026",
      "2026-1-1",
      "2026-01-01 00:00:00Z",
      "2026-01-01T",
      " 2026-01-01",
      "+002026-01-01"
    ]) {
      assert.isFalse(isTime(text), text)
    }
  })
})
