import { orderLawSuite } from "../../../harness/laws/OrderLawSuite.ts"

// The full number of lives is checked by the integration level.
orderLawSuite(20)
