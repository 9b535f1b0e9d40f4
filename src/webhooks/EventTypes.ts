/** Filters of event types: `order` means all of the category, `order.placed` all versions of a type, `order.placed.v1` one. */
export const filterPattern = /^[a-z]{1,20}(\.[a-z0-9-]{1,60}(\.v[1-9][0-9]{0,3})?)?$/

/** Tells whether an endpoint with these filters is told of this type of events; without filters it is told of all. */
export const matches = (filters: ReadonlyArray<string>, type: string): boolean =>
  filters.length === 0 || filters.some((filter) => type === filter || type.startsWith(`${filter}.`))
