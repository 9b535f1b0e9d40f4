import * as ProjectionTable from "../../projection/ProjectionTable.ts"

/** The state is json, not jsonb: it is read whole, never looked into. */
export const OrderViewTable = ProjectionTable.make({
  name: "ordinal.order_view",
  columns: `
    order_id text COLLATE "C" PRIMARY KEY,
    version integer NOT NULL,
    "position" bigint NOT NULL,
    customer_id text COLLATE "C" NOT NULL,
    status text COLLATE "C" NOT NULL,
    payment_status text COLLATE "C" NOT NULL,
    placed_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    state json NOT NULL`,
  indexes: {
    placed_at: "(placed_at, order_id)",
    customer: "(customer_id, placed_at, order_id) INCLUDE (status)",
    status: "(status, placed_at, order_id)",
    payment_status: "(payment_status, placed_at, order_id)",
    position: `("position")`,
    customer_position: `(customer_id, "position")`,
    status_position: `(status, "position")`
  },
  storage: "fillfactor = 80"
})
