/**
 * Gives the database's schema its name. Every SQL text of this program calls the schema `ordinal`, which is its name unless
 * the options say another one: then each client is made by `inSchema` and says that name instead, in all that it sends,
 * bodies of functions included. So no statement has to know the name, and none can forget it. Whatever else processes on
 * one schema share (channels, keys of locks) is named with `schemaOf`. `scripts/check-dependencies.ts` refuses other ways.
 *
 * The tables of views may be in a schema of their own, which belongs to the role that rebuilds them; `inSchema` knows
 * them by their names.
 */
import type { PgClient } from "@effect/sql-pg"
import { Effect } from "effect"
import type { SqlClient } from "effect/sql"
import type { Connection } from "effect/sql/SqlConnection"
import { DatabaseNotOpened } from "./DatabaseErrors.ts"
import * as DerivedClient from "./DerivedClient.ts"

export const defaultSchema = "ordinal"

/** Completes "… must be". */
export const expected =
  "a name of at most 40 lower-case letters, digits and _, not public, information_schema or pg_…, and no digit first"

/** Indexes and channels are named after the schema, and PostgreSQL cuts names off after 63 characters. */
export const pattern = /^(?!pg_|(?:public|information_schema)$)[a-z_][a-z0-9_]{0,39}$/

export const check = (schema: string): Effect.Effect<void, DatabaseNotOpened> =>
  pattern.test(schema)
    ? Effect.void
    : Effect.fail(
        new DatabaseNotOpened({
          reason: "Schema",
          problem: `The name of the schema is "${schema}" but must be ${expected}.`
        })
      )

/** Matches the name before a dot, quoted or not, and where a migration looks it up. */
const mention = /(?<![\w$."])(?:ordinal|"ordinal")(?=\.)|(?<=')ordinal(?='::regnamespace)/g

/** The same before the tables of views, their shadows, and the indexes of both. */
const viewMention = /(?<![\w$."])(?:ordinal|"ordinal")(?=\.(?:order_view|catalog_view)(?:_|\b))/g

const schemas = new WeakMap<SqlClient.SqlClient, string>()
const viewsSchemas = new WeakMap<SqlClient.SqlClient, string>()
const withoutViews = new WeakMap<SqlClient.SqlClient, SqlClient.SqlClient>()

/** The name of the schema that the statements of this client are about. */
export const schemaOf = (sql: SqlClient.SqlClient): string => schemas.get(sql) ?? defaultSchema

/** The schema of the tables of views. */
export const viewsSchemaOf = (sql: SqlClient.SqlClient): string => viewsSchemas.get(sql) ?? schemaOf(sql)

/** The same client but for the tables of views, which it looks for where all others are: migrations make them there. */
export const undivided = (sql: SqlClient.SqlClient): SqlClient.SqlClient => withoutViews.get(sql) ?? sql

/** The name that a table `ordinal.…` has for this client, to be told to somebody. */
export const tableName = (sql: SqlClient.SqlClient, table: string): string =>
  table.replace(viewMention, viewsSchemaOf(sql)).replace(/^ordinal\./, `${schemaOf(sql)}.`)

const renamed = (connection: Connection, rename: (text: string) => string): Connection => ({
  execute: (text, ...rest) => connection.execute(rename(text), ...rest),
  executeRaw: (text, ...rest) => connection.executeRaw(rename(text), ...rest),
  executeStream: (text, ...rest) => connection.executeStream(rename(text), ...rest),
  executeValues: (text, ...rest) => connection.executeValues(rename(text), ...rest),
  executeValuesUnprepared: (text, ...rest) => connection.executeValuesUnprepared(rename(text), ...rest),
  executeUnprepared: (text, ...rest) => connection.executeUnprepared(rename(text), ...rest)
})

const derived = (client: PgClient.PgClient, rename: (text: string) => string) =>
  DerivedClient.make(
    client,
    Effect.map(client.reserve, (connection) => renamed(connection, rename))
  )

/** The names of the database's schemas. */
export interface Names {
  readonly schema?: string | undefined
  /** The schema of the tables of views; that of all others without it. */
  readonly viewsSchema?: string | undefined
}

export const checkAll = ({ schema = defaultSchema, viewsSchema = schema }: Names) =>
  Effect.andThen(check(schema), check(viewsSchema))

/** Makes a client whose statements are about the schemas of these names. A quoted name may be a word of SQL, as `order`. */
export const inSchema = ({ schema = defaultSchema, viewsSchema = schema }: Names) =>
  Effect.fnUntraced(function* (client: PgClient.PgClient) {
    const rename = (text: string) => text.replace(mention, `"${schema}"`)
    const whole = schema === defaultSchema ? client : yield* derived(client, rename)
    if (whole !== client) schemas.set(whole, schema)
    if (viewsSchema === schema) return whole
    const sql = yield* derived(client, (text) => rename(text.replace(viewMention, `"${viewsSchema}"`)))
    schemas.set(sql, schema)
    viewsSchemas.set(sql, viewsSchema)
    withoutViews.set(sql, whole)
    return sql
  })
