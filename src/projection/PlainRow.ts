/** Makes a row of SQL the value that a port promises: NULL columns are left out, and times are ISO 8601 text. */
export const plainRow = <A>(row: object): A =>
  Object.fromEntries(
    Object.entries(row).flatMap(([name, value]) =>
      value === null ? [] : [[name, value instanceof Date ? value.toISOString() : value]]
    )
  ) as A
