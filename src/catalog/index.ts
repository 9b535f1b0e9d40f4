/**
 * Entry point `ordinal/catalog`: what can be ordered, and by whom. `Catalog` is the port that orders are priced through: a
 * program with a catalog of its own provides it. Products and customers are the aggregates behind the one that is built in.
 */
export * from "./Catalog.ts"
export * from "./Customer.ts"
export * from "./Product.ts"
