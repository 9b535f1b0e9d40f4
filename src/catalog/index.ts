/**
 * The door `ordinal/catalog`: what can be ordered, and by whom. `Catalog` is the port that orders are priced through: a
 * program with a catalog of its own provides it. Products and customers are the aggregates behind the one that is built in.
 */
export {
  Catalog,
  type ProductQuote,
  type Quote,
  type QuoteRequest,
  UnknownCustomer,
  UnknownProduct
} from "./Catalog.ts"
export {
  CustomerAggregate,
  CustomerCommand,
  CustomerEvent,
  CustomerNotFound,
  CustomerState,
  SaveCustomerRequest
} from "./Customer.ts"
export {
  ProductAggregate,
  ProductCommand,
  ProductEvent,
  ProductNotFound,
  ProductState,
  SaveProductRequest
} from "./Product.ts"
