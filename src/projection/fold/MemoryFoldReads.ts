/** Reads the rows of folds that a kernel keeps in memory. */
import { Effect, Layer } from "effect"
import { entryKey } from "../store/Memory.ts"
import { findParked } from "../store/MemoryParkedStreams.ts"
import * as MemoryView from "../view/MemoryView.ts"
import type { Field, Scalar } from "./FoldFields.ts"
import type { Selection, StoredRow } from "./FoldList.ts"
import { FoldReads, makeReach } from "./FoldReads.ts"
import type { Stored } from "./FoldRows.ts"

/** Texts are compared by their bytes, as the collation "C" compares them. */
const compare = (left: Scalar, right: Scalar): number =>
  typeof left === "string" && typeof right === "string"
    ? Buffer.compare(Buffer.from(left), Buffer.from(right))
    : Number(left) - Number(right)

const valueOf = (field: Field, { state }: StoredRow): Scalar | undefined =>
  (state as Readonly<Record<string, Scalar | null | undefined>>)[field.name] ?? undefined

/** Picks the rows that are asked for, in order. */
const select = (
  rows: ReadonlyArray<Stored>,
  { after, category, filters, id, limit, sort: { field, isDescending } }: Selection
): ReadonlyArray<StoredRow> => {
  const keyOf = (row: StoredRow) => [...(field === undefined ? [] : [valueOf(field, row) ?? ""]), row.id]
  const last = after && [...(after.value === undefined ? [] : [after.value]), after.id]
  const byKey = (left: ReadonlyArray<Scalar>, right: ReadonlyArray<Scalar>): number =>
    left.map((value, index) => compare(value, right[index]!)).find((order) => order !== 0) ?? 0
  const sign = isDescending ? -1 : 1
  return rows
    .filter(
      (row) =>
        row.category === category &&
        (id === undefined || row.id === id) &&
        (field === undefined || valueOf(field, row) !== undefined) &&
        filters.every(({ among, field }) => among.some((value) => value === valueOf(field, row))) &&
        (last === undefined || sign * byKey(keyOf(row), last) > 0)
    )
    .toSorted((left, right) => sign * byKey(keyOf(left), keyOf(right)))
    .slice(0, limit + 1)
}

const make = Effect.gen(function* () {
  const view = yield* MemoryView.make
  return FoldReads.of({
    reach: yield* makeReach,
    read: (fold, selection, token) =>
      Effect.map(
        view(
          fold,
          (tables, checkpoint) => {
            const { category, id } = selection
            const streamId = id === undefined ? undefined : `${category}-${id}`
            const entries =
              streamId === undefined
                ? [...tables.entries.all().values()].filter(({ projection }) => projection === fold.name)
                : [tables.entries.get(entryKey(fold.name, streamId))].filter((entry) => entry !== undefined)
            const parked = streamId === undefined ? undefined : findParked(tables, fold.name, streamId)
            return {
              // The fold has put them there.
              rows: select(
                entries.map(({ entry }) => entry as Stored),
                selection
              ),
              madeBy: checkpoint?.version,
              parkedAt: parked?.parked === true ? parked.position : undefined
            }
          },
          token
        ),
        ({ found, freshness }) => ({ ...found, freshness })
      )
  })
})

export const layer = Layer.effect(FoldReads, make)
