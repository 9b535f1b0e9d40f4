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

/** No stream gets so far, and every number up to it can be asked for in a query. */
const lastVersion = 2_147_483_647

/** Of a stream, to go on after; 0 = before its first event. */
export const version = within({ least: 0, most: lastVersion, otherwise: 0 })

/** Whether a stream can have such a version. */
export const isVersion = (asked: number): boolean => Number.isInteger(asked) && asked >= 1 && asked <= lastVersion
