/** The parts of a benchmark that were chosen on the command line; all of them where nothing was. */
export interface Parts {
  /** Names of parts. */
  readonly only?: ReadonlyArray<string>
  /** Numbers of callers or connections. */
  readonly at?: ReadonlyArray<number>
  /** True if only our own figures are wanted, without those they are compared with. */
  readonly isAlone?: boolean
  /** True if reads through a cache are wanted, beside reads without one, and nothing else. */
  readonly isCached?: boolean
}
