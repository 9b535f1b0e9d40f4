/**
 * Gives the database's schema its name. Every SQL text of this program calls the schema `ordinal`, which is its name unless
 * the options say another one: then each client is made by `inSchema` and says that name instead, in all that it sends,
 * bodies of functions included. So no statement has to know the name, and none can forget it. Whatever else processes on
 * one schema share (channels, keys of locks) is named with `schemaOf`. `scripts/check-dependencies.ts` refuses other ways.
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

const schemas = new WeakMap<SqlClient.SqlClient, string>()

/** The name of the schema that the statements of this client are about. */
export const schemaOf = (sql: SqlClient.SqlClient): string => schemas.get(sql) ?? defaultSchema

/** The name that a table `ordinal.…` has for this client, to be told to somebody. */
export const tableName = (sql: SqlClient.SqlClient, table: string): string =>
  table.replace(/^ordinal\./, `${schemaOf(sql)}.`)

const renamed = (connection: Connection, schema: string): Connection => {
  // A quoted name may be a word of SQL, such as `order`.
  const rename = (text: string) => text.replace(mention, `"${schema}"`)
  return {
    execute: (text, ...rest) => connection.execute(rename(text), ...rest),
    executeRaw: (text, ...rest) => connection.executeRaw(rename(text), ...rest),
    executeStream: (text, ...rest) => connection.executeStream(rename(text), ...rest),
    executeValues: (text, ...rest) => connection.executeValues(rename(text), ...rest),
    executeValuesUnprepared: (text, ...rest) => connection.executeValuesUnprepared(rename(text), ...rest),
    executeUnprepared: (text, ...rest) => connection.executeUnprepared(rename(text), ...rest)
  }
}

/** Makes a client whose statements are about the schema of this name. */
export const inSchema = (schema: string) =>
  Effect.fnUntraced(function* (client: PgClient.PgClient) {
    if (schema === defaultSchema) return client
    const sql = yield* DerivedClient.make(
      client,
      Effect.map(client.reserve, (connection) => renamed(connection, schema))
    )
    schemas.set(sql, schema)
    return sql
  })
