/** Sabotages of the views of orders and of the catalog, and of the projection of the examples. */
import type { Sabotage } from "./Sabotage.ts"

const of =
  (subject: string, file: string) =>
  (name: string, from: string, to: string): Sabotage => ({ name, subject, file, from, to })

const sales = of("product sales", "examples/TopProducts.ts")
const view = of("order view", "src/projection/view/ViewProjection.ts")
const entry = of("order view", "src/views/order/OrderEntry.ts")
const rows = of("order view", "src/views/order/OrderViewRows.ts")
const fold = of("catalog view", "src/projection/fold/FoldRows.ts")
const folded = of("catalog view", "src/projection/fold/Fold.ts")

export const projectionSabotages: ReadonlyArray<Sabotage> = [
  sales("what was sold before is forgotten", "sold = known.sold + excluded.sold", "sold = excluded.sold"),
  sales("only the largest sale of a batch counts", "sum(quantity)", "max(quantity)"),
  sales(
    "a rebuild writes into the live table",
    "INSERT INTO ${table} AS known",
    "INSERT INTO public.product_sales AS known"
  ),
  view("the row is not read after the first event", "version > 1 ? [streamId] : []", "version > 2 ? [streamId] : []"),
  view("a batch is applied backwards", "rest.reduce(view.evolve,", "rest.toReversed().reduce(view.evolve,"),
  entry(
    "the view's time is the computer's",
    "return { order, updatedAt, position }",
    "return { order, updatedAt: new Date().toISOString(), position }"
  ),
  rows("the status of a row never changes", "status = excluded.status, ", ""),
  rows("the position of a row never changes", '"position" = excluded."position", customer_id', "customer_id"),
  fold("the version of a row never changes", "version = excluded.version, ", ""),
  fold("a row never gets another state", ", state = excluded.state", ""),
  folded(
    "a row is folded anew by each event",
    "options.evolve(entry?.read() ?? null, event)",
    "options.evolve(null, event)"
  )
]
