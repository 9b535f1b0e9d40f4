/** The parts of a benchmark that were chosen on the command line; all of them where nothing was. */
export interface Parts {
  /** Names of parts. */
  readonly only?: ReadonlyArray<string>
  /** Numbers of callers or connections. */
  readonly at?: ReadonlyArray<number>
  /** True if only our own figures are wanted, without those they are compared with. */
  readonly isAlone?: boolean
}
