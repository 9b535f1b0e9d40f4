/**
 * Keeps the API keys of machines in the database, each as a hash of its secret, which is random and shown once. A key acts
 * as an operator, or as an admin by the scope `admin`, within its scopes, until it expires or is revoked.
 */
import { createHash, randomBytes, timingSafeEqual } from "node:crypto"
import { Clock, Context, Effect, Layer } from "effect"
import type { SqlClient } from "effect/sql"
import { Database } from "../database/Database.ts"
import { orUnavailable, changeOrUnavailable, changeWithinSeconds, withinSeconds } from "../database/SqlFailure.ts"
import type { Principal } from "./Identity.ts"
import { IdentityUnavailable, Unauthorized, UnknownKey } from "./IdentityErrors.ts"

export interface ApiKey {
  readonly id: string
  readonly name: string
  readonly scopes: ReadonlyArray<string>
  /** ISO 8601, in UTC. */
  readonly createdAt: string
  readonly expiresAt?: string
  readonly revokedAt?: string
}

export interface NewKey {
  readonly name: string
  readonly scopes: ReadonlyArray<string>
  readonly expiresAt?: Date | undefined
}

interface Row extends Pick<ApiKey, "id" | "name" | "scopes"> {
  readonly createdAt: Date
  readonly expiresAt: Date | null
  readonly revokedAt: Date | null
  readonly hash: Uint8Array
}

/** A key is its id and its secret; both are random. */
const idForm = /^[0-9a-f]{16}$/
const form = /^ordk_([0-9a-f]{16})_([A-Za-z0-9_-]{43})$/

const hashOf = (secret: string): Buffer => createHash("sha256").update(secret).digest()

const shownOf = ({ createdAt, expiresAt, id, name, revokedAt, scopes }: Row): ApiKey => ({
  id,
  name,
  scopes,
  createdAt: createdAt.toISOString(),
  ...(expiresAt === null ? {} : { expiresAt: expiresAt.toISOString() }),
  ...(revokedAt === null ? {} : { revokedAt: revokedAt.toISOString() })
})

const principalOf = ({ expiresAt, id, scopes }: Row): Principal => ({
  actor: `key:${id}`,
  role: scopes.includes("admin") ? "admin" : "operator",
  scopes,
  ...(expiresAt === null ? {} : { expiresAt: expiresAt.getTime() })
})

const columns = `id, name, scopes, created_at AS "createdAt", expires_at AS "expiresAt", revoked_at AS "revokedAt", hash`

const of = (sql: SqlClient.SqlClient) => {
  const find = (id: string) =>
    sql<Row>`SELECT ${sql.literal(columns)} FROM ordinal.api_keys WHERE id = ${id}`.pipe(
      Effect.map((rows) => rows[0]),
      orUnavailable,
      withinSeconds(5)
    )

  return {
    /** Makes a key, and gives it as its holder sends it: this is the only time that anybody sees it. */
    create: Effect.fnUntraced(function* ({ expiresAt, name, scopes }: NewKey) {
      const [id, secret] = [randomBytes(8).toString("hex"), randomBytes(32).toString("base64url")]
      const values = sql`${id}, ${name}, ${[...new Set(scopes)]}::text[], ${hashOf(secret)}, ${expiresAt ?? null}`
      const rows = yield* sql<Row>`
        INSERT INTO ordinal.api_keys (id, name, scopes, hash, expires_at) VALUES (${values})
        RETURNING ${sql.literal(columns)}`.pipe(changeOrUnavailable, changeWithinSeconds(5))
      return { key: `ordk_${id}_${secret}`, shown: shownOf(rows[0]!) }
    }),

    list: sql<Row>`SELECT ${sql.literal(columns)} FROM ordinal.api_keys ORDER BY created_at, id`.pipe(
      Effect.map((rows) => rows.map(shownOf)),
      orUnavailable,
      withinSeconds(5)
    ),

    /** Revokes a key for good. One that is revoked stays as it is. */
    revoke: Effect.fnUntraced(function* (id: string) {
      if (!idForm.test(id)) return yield* new UnknownKey({ id })
      const rows = yield* sql<Row>`
        UPDATE ordinal.api_keys SET revoked_at = coalesce(revoked_at, clock_timestamp()) WHERE id = ${id}
        RETURNING ${sql.literal(columns)}`.pipe(changeOrUnavailable, changeWithinSeconds(5))
      return rows[0] === undefined ? yield* new UnknownKey({ id }) : shownOf(rows[0])
    }),

    /** Finds out whose key this is. Secrets are compared in constant time. */
    identify: Effect.fnUntraced(function* (credential: string) {
      const [, id = "", secret = ""] = form.exec(credential) ?? []
      if (id === "") return yield* new Unauthorized({ reason: "invalid" })
      const row = yield* Effect.mapError(find(id), ({ retryAfter }) => new IdentityUnavailable({ retryAfter }))
      const matches = row !== undefined && timingSafeEqual(row.hash, hashOf(secret))
      if (!matches || row.revokedAt !== null) return yield* new Unauthorized({ reason: "invalid" })
      const now = yield* Clock.currentTimeMillis
      if (row.expiresAt !== null && row.expiresAt.getTime() <= now)
        return yield* new Unauthorized({ reason: "expired" })
      return principalOf(row)
    })
  }
}

export type ApiKeyService = ReturnType<typeof of>

/** A program that embeds the server keeps none unless it provides them. */
export const ApiKeys = Context.Reference<ApiKeyService | undefined>("ordinal/identity/ApiKeys", {
  defaultValue: () => undefined
})

/** Keeps them in the database. */
export const make = Effect.map(Database, ({ reads }) => of(reads))

export const layer = Layer.effect(ApiKeys, make)
