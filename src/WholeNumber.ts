/** What a caller asks for in a number, made into one that can be answered. */
interface Range {
  readonly least: number
  readonly most: number
  /** For what was not asked, or is no number. */
  readonly otherwise: number
}

const within =
  ({ least, most, otherwise }: Range) =>
  (asked: number | undefined): number =>
    asked === undefined || Number.isNaN(asked) ? otherwise : Math.min(Math.max(Math.trunc(asked), least), most)

/** Of a page of a list. */
export const listLimit = within({ least: 1, most: 100, otherwise: 20 })

/** Of a page of a stream's history. */
export const historyLimit = within({ least: 1, most: 500, otherwise: 100 })

/** Of a stream; 0 = before its first event. */
export const version = within({ least: 0, most: Number.MAX_SAFE_INTEGER, otherwise: 0 })
