/** Makes the words about one field: what it means, with an example. */

/** This is the part of a JSON schema that words are put into. */
export interface Field {
  readonly description: string
  readonly examples?: readonly [unknown]
  readonly format?: string
  readonly pattern?: string
  readonly minimum?: number
}

export const field = (description: string, example?: unknown): Field => ({
  description,
  ...(example === undefined ? {} : { examples: [example] })
})
export const amount = (what: string, example: number): Field =>
  field(`${what}. In minor units of the currency, such as cents.`, example)
export const count = (description: string, example: number): Field => ({ ...field(description, example), minimum: 0 })
export const time = (description: string): Field => ({
  ...field(description, "2026-11-21T23:55:00.123Z"),
  format: "date-time"
})
export const path = (description: string, example: string): Field => ({
  ...field(description, example),
  format: "uri-reference"
})

export const orderId = "ord_0199aa5e-8f00-7c21-9d3a-5b1f0c2d4e6f"
export const uuid = "0199aa5e-8f01-7b32-8c4d-6e5f7a8b9c0d"
export const traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
