/** Keeps the rows of streams that are set aside in memory, as `ParkedRows` keeps them in SQL. */
import * as UuidV7 from "../../eventstore/UuidV7.ts"
import { type Culprit, unknownReason } from "../parking/ParkedRows.ts"
import type { ParkedStream } from "../parking/ParkedStreams.ts"
import { type Memory, nowText, type Tables } from "./Memory.ts"
import type { ProjectionSession } from "./ProjectionStore.ts"

/** The streams that a projection has set aside, in the order of their events. */
export const parkedOf = (tables: Tables, projection: string) =>
  [...tables.parked.all().values()]
    .filter((parked) => parked.projection === projection)
    .toSorted((left, right) => Number(left.position - right.position))

export const findParked = (tables: Tables, projection: string, streamId: string) =>
  parkedOf(tables, projection).find((parked) => parked.streamId === streamId)

export const countParked = (tables: Tables, projection: string) =>
  parkedOf(tables, projection).filter(({ parked }) => parked).length

export const make = ({ clock, tables: { read, write } }: Memory["Service"]): ProjectionSession["parked"] => {
  const changeParked = (id: string, next: (parked: ParkedStream) => ParkedStream | undefined) =>
    write(({ parked }) => {
      const row = parked.get(id)
      if (row !== undefined) parked.set(id, next(row))
    })

  const setAside = (
    name: string,
    { event, reason }: Culprit,
    next: (known: ParkedStream | undefined, fresh: ParkedStream) => ParkedStream
  ) =>
    write((tables) => {
      const { position, streamId, version } = event
      const known = findParked(tables, name, streamId)
      const fresh: ParkedStream = {
        id: known?.id ?? UuidV7.make(),
        projection: name,
        streamId,
        version,
        position,
        reason,
        parkedAt: nowText(clock),
        retries: 0,
        parked: true,
        degraded: known?.degraded ?? false,
        skipped: known?.skipped ?? []
      }
      tables.parked.set(fresh.id, next(known, fresh))
    })

  return {
    among: ({ name }, streamIds) =>
      read((tables) => {
        const asked = new Set(streamIds)
        const parked = parkedOf(tables, name).filter(({ parked, streamId }) => parked && asked.has(streamId))
        return new Set(parked.map(({ streamId }) => streamId))
      }),
    isSkipped: (name, { streamId, version }) =>
      read((tables) => findParked(tables, name, streamId)?.skipped.includes(version) === true),
    park: ({ name }, culprit) => setAside(name, culprit, (known, fresh) => (known?.parked === true ? known : fresh)),
    recordSkip: ({ name }, culprit) =>
      setAside(name, culprit, (known, fresh) => ({
        ...(known ?? { ...fresh, parked: false }),
        degraded: true,
        skipped: [...fresh.skipped, culprit.event.version]
      })),
    parkedAt: (name, streamId) =>
      read((tables) => {
        const known = findParked(tables, name, streamId)
        return known?.parked === true ? known.position : undefined
      }),
    list: (id) =>
      read(({ parked }) =>
        [...parked.all().values()]
          .filter((row) => id === undefined || row.id === id)
          .toSorted((left, right) =>
            left.projection === right.projection
              ? Number(left.position - right.position)
              : left.projection < right.projection
                ? -1
                : 1
          )
      ),
    unknown: (name) =>
      read((tables) =>
        parkedOf(tables, name)
          .filter(({ parked, reason }) => parked && reason.startsWith(unknownReason))
          .map(({ id }) => id)
      ),
    failsAt: (id, { event: { position, version }, reason }) =>
      changeParked(id, (row) => ({ ...row, version, position, reason, retries: row.retries + 1 })),
    advance: (id, { position, version }) =>
      changeParked(id, (row) => ({ ...row, version: version + 1, position: position + 1n })),
    unpark: ({ id }) => changeParked(id, (row) => (row.degraded ? { ...row, parked: false } : undefined))
  }
}
