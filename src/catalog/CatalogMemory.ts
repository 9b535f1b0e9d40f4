/**
 * Remembers what was read of the catalog: values by id, each with the guard that says at which version it was read. At most
 * `limit` are kept, those used last. What it holds may be out of date, so whoever uses it sends the guard along.
 *
 * It has two generations, so that a look-up moves nothing in a large map: what is used enters the young one, and when that
 * holds half the limit, it becomes the old one and what was not used since is dropped.
 */
import type { Guard } from "../eventstore/EventStore.ts"

export interface Remembered<A> {
  readonly value: A
  readonly guard: Guard
}

export interface CatalogMemory<A> {
  get(id: string): Remembered<A> | undefined
  /**
   * Keeps what a read found that began at `epoch`, unless everything was forgotten since. If a later version is remembered,
   * one of both is wrong, so neither is kept.
   */
  put(id: string, remembered: Remembered<A>, epoch: number): void
  /** Forgets the value of this id if it was read at an earlier version than this. */
  forget(id: string, version: number): void
  forgetAll(): void
  /** Counts how often everything was forgotten. */
  readonly epoch: number
  readonly size: number
}

export const make = <A>(limit: number): CatalogMemory<A> => {
  let young = new Map<string, Remembered<A>>()
  let old = new Map<string, Remembered<A>>()
  let epoch = 0

  const remember = (id: string, remembered: Remembered<A>) => {
    if (young.size >= limit / 2) [old, young] = [young, new Map()]
    young.set(id, remembered)
    old.delete(id)
  }

  const forgetAll = () => {
    young = new Map()
    old = new Map()
    epoch += 1
  }

  return {
    get: (id) => {
      const recent = young.get(id)
      if (recent !== undefined) return recent
      const known = old.get(id)
      if (known !== undefined) remember(id, known)
      return known
    },
    put: (id, remembered, since) => {
      const known = young.get(id) ?? old.get(id)
      const isOlder = known !== undefined && remembered.guard.version < known.guard.version
      // Either this read is late, or the log went back: the next look-up reads it anew.
      if (isOlder) [young, old].forEach((generation) => generation.delete(id))
      else if (since === epoch) remember(id, remembered)
    },
    forget: (id, version) => {
      for (const generation of [young, old]) {
        const known = generation.get(id)
        if (known !== undefined && known.guard.version < version) generation.delete(id)
      }
    },
    forgetAll,
    get epoch() {
      return epoch
    },
    get size() {
      return young.size + old.size
    }
  }
}
