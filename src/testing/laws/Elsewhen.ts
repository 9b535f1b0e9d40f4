/** Another time, and another chance, for rules that must look at neither. */

const day = 86_400_000

/** Runs a rule as if it was another year, and chance was another. */
export const elsewhen = <A>(rule: () => A): A => {
  const { Date: Now } = globalThis
  const { random } = Math
  const later = Now.now() + 400 * day
  globalThis.Date = class extends Now {
    constructor(...given: ReadonlyArray<number>) {
      if (given.length === 0) super(later)
      else super(...(given as [number]))
    }
    static override now(): number {
      return later
    }
  } as DateConstructor
  Math.random = () => 0.123_456_789
  try {
    return rule()
  } finally {
    globalThis.Date = Now
    Math.random = random
  }
}
