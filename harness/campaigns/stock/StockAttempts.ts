/** What the processes of the stock campaign are told to do, and what they write down. */

/** One process: its writers make so many attempts between them. */
export interface Plan {
  readonly url: string
  readonly writers: number
  readonly attempts: number
  readonly items: number
  readonly seed: number
  /** The recording is written to this file. */
  readonly file: string
}

export interface Attempt {
  readonly kind: "reserve" | "release" | "receive" | "remove"
  readonly sku: string
  readonly quantity: number
  readonly reservation?: string
  /** `stored`, `nothing` if there was nothing to do, or the tag of an error. */
  readonly outcome: string
  readonly command?: string
  readonly version?: number
  /** A refusal gave these figures as its reason. */
  readonly stock?: number
  readonly reserved?: number
  /** The log's last position before the attempt was made, and after it was answered. */
  readonly before: number
  readonly after: number
}

export interface Recording {
  readonly attempts: ReadonlyArray<Attempt>
  /** So often a command was made anew, since a guard of it had moved. */
  readonly moves: number
  readonly seconds: number
}
