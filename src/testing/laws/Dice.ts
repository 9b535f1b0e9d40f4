/** Random choices that a seed brings back. */

export interface Dice {
  /** A number from 0 up to, and without, `count`. */
  below(count: number): number
  chance(share: number): boolean
  pick<A>(from: ReadonlyArray<A>): A | undefined
}

const hash = (text: string): number => {
  let mixed = 0x811c9dc5
  for (const character of text) mixed = Math.imul(mixed ^ character.codePointAt(0)!, 0x01000193)
  return mixed
}

/** Mulberry32 (Tommy Ettinger), begun with a hash of the seed (FNV-1a). */
export const dice = (seed: string): Dice => {
  let state = hash(seed)
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
  const below = (count: number) => Math.floor(next() * count)
  return { below, chance: (share) => next() < share, pick: (from) => from[below(from.length)] }
}
