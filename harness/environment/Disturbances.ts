/**
 * What people, other programs and the database itself do to the environment of the servers, and how each is undone. A
 * disturbance is a value, so one more of them is one more entry here.
 */
import type { Sql } from "../servers/Sql.ts"

export type Channel = "commands" | "views" | "pushes"

/** This is a statement of a superuser, or something that SQL can't do. */
export type Step = string | (() => Promise<unknown>)

export interface Disturbance {
  /** This is the sort of disturbance, by which the campaign counts. */
  readonly kind: string
  readonly name: string
  readonly begin: ReadonlyArray<Step>
  readonly cure: ReadonlyArray<Step>
  /** These are statements that run for as long as the disturbance lasts, in a session that the cure ends. */
  readonly during?: string
  /** Each of these has to be seen to fail or wait; of an empty list, any. Otherwise the disturbance doesn't count. */
  readonly hits: ReadonlyArray<Channel>
}

/** These are the database and the role by which the servers use it. */
export interface Place {
  readonly database: string
  readonly role: string
}

const commands: ReadonlyArray<Channel> = ["commands"]
const views: ReadonlyArray<Channel> = ["views"]
const both: ReadonlyArray<Channel> = ["commands", "views"]
const any: ReadonlyArray<Channel> = []

const endSessions = ({ database, role }: Place) =>
  `SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usename = '${role}' AND datname = '${database}'`

/** This is the name of the session that runs what goes on during a disturbance. */
const during = "ordinal-disturbance"
export const duringSession = (statement: string) =>
  `DO $$ BEGIN PERFORM set_config('application_name', '${during}', false); ${statement}; END $$`
export const endDuring = `SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
  WHERE application_name = '${during}' AND datname = current_database()`

const rights = ({ role }: Place, objects: ReadonlyArray<string>): ReadonlyArray<Disturbance> =>
  objects.map((object) => ({
    kind: "right revoked",
    name: `all on ${object.replace(/\(.*/, "")} revoked`,
    begin: [`REVOKE ALL ON ${object} FROM ${role}`],
    cure: [`GRANT ALL ON ${object} TO ${role}`],
    hits: any
  }))

const renamed = (what: string, from: string, rename: (from: string, to: string) => string): Disturbance => ({
  kind: "renamed",
  name: `${what} ${from} renamed`,
  begin: [rename(from, "away")],
  cure: [rename("away", from)],
  hits: any
})

/** Without these columns orders can be neither placed nor listed. */
const columns = { events: "data", log_head: "position", checkpoints: "position", order_view: "state" }

const renames = Object.entries(columns).flatMap(([table, column]) => [
  renamed("table", table, (from, to) => `ALTER TABLE ordinal.${from} RENAME TO ${to}`),
  renamed(`${table}'s column`, column, (from, to) => `ALTER TABLE ordinal.${table} RENAME COLUMN "${from}" TO "${to}"`)
])

/** Sessions that are open keep the old value, and those opened meanwhile keep the new one beyond the cure. */
const setting = (place: Place, name: string, value: string, hits: ReadonlyArray<Channel>): Disturbance => ({
  kind: "setting",
  name: `${name} = ${value.replaceAll("'", "")}`,
  begin: [`ALTER ROLE ${place.role} IN DATABASE ${place.database} SET ${name} = ${value}`, endSessions(place)],
  cure: [`ALTER ROLE ${place.role} IN DATABASE ${place.database} RESET ${name}`],
  hits
})

const admissions = (place: Place): ReadonlyArray<Disturbance> => {
  const [role, database] = [`ALTER ROLE ${place.role}`, `ALTER DATABASE ${place.database}`]
  const unlimited = "CONNECTION LIMIT -1"
  const ways: ReadonlyArray<readonly [name: string, begin: string, cure: string, hits: ReadonlyArray<Channel>]> = [
    ["no connection for the role", `${role} CONNECTION LIMIT 0`, `${role} ${unlimited}`, both],
    ["few connections for the role", `${role} CONNECTION LIMIT 3`, `${role} ${unlimited}`, any],
    ["no connection to the database", `${database} CONNECTION LIMIT 0`, `${database} ${unlimited}`, both],
    ["no log-in", `${role} NOLOGIN`, `${role} LOGIN`, both],
    ["another password", `${role} PASSWORD 'another'`, `${role} PASSWORD '${place.role}'`, both]
  ]
  return ways.map(([name, begin, cure, hits]) => ({
    kind: "connections refused",
    name,
    begin: [begin, endSessions(place)],
    cure: [cure],
    hits
  }))
}

const raising = (table: string, body: string): Pick<Disturbance, "begin" | "cure"> => ({
  begin: [
    `CREATE FUNCTION public.disturb() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN ${body}; RETURN NULL; END $$`,
    `CREATE TRIGGER disturb BEFORE INSERT OR UPDATE ON ordinal.${table}
      FOR EACH STATEMENT EXECUTE FUNCTION public.disturb()`
  ],
  cure: [`DROP TRIGGER disturb ON ordinal.${table}`, "DROP FUNCTION public.disturb()"]
})

const raise = (state: string) => `RAISE EXCEPTION 'the environment failed' USING ERRCODE = '${state}'`

/** Of each class that the environment causes, one or more are tried. */
const states =
  "08000 08006 25006 25P02 28000 40001 40P01 42501 42P01 42703 42883 53100 53200 53300 53400 54000 54001 55000 55006 " +
  "55P03 57014 57P01 57P03 58000 58030 72000 F0000 XX000 XX001 XX002"

const failing = (kind: string, state: string, table: string): Disturbance => ({
  kind,
  name: `${state} at ${table}`,
  ...raising(table, raise(state)),
  hits: table === "log_head" ? commands : views
})

/** Of an append, class 54 (a limit of the program) blames the data: only the guilty entry is refused, for good. */
const isOfData = (state: string, table: string) => table === "log_head" && state.startsWith("54")

const failures = states
  .split(" ")
  .flatMap((state) =>
    ["order_view", "checkpoints", "log_head"]
      .filter((table) => !isOfData(state, table))
      .map((table) => failing(`SQLSTATE ${state.slice(0, 2)}`, state, table))
  )

/** What fails for everything is of the environment too, whatever it fails with: another program's trigger, say. */
const strangers = ["22003", "23514", "P0001", "0A000"].map((state) => failing("SQLSTATE of data", state, "checkpoints"))

/** A session that has once written to the table can do nothing any more. */
const spoilt = (place: Place, table: string): Disturbance => {
  const { begin, cure } = raising(table, "PERFORM set_config('statement_timeout', '1ms', false)")
  return {
    kind: "setting",
    name: `statement_timeout = 1ms in sessions that write ${table}`,
    begin,
    cure: [...cure, endSessions(place)],
    hits: any
  }
}

/**
 * Makes functions of the same name that come first in the search path: the database's clock an hour wrong for the
 * servers.
 */
const clock = (place: Place, sign: "+" | "-"): Disturbance => {
  const path = setting(place, "search_path", "public, pg_catalog", any)
  const shadow = (name: string) => `CREATE FUNCTION public.${name}() RETURNS timestamptz LANGUAGE sql VOLATILE
    AS $$ SELECT pg_catalog.${name}() ${sign} interval '1 hour' $$`
  return {
    kind: "clock",
    name: `the database's clock ${sign}1 hour`,
    begin: [shadow("clock_timestamp"), shadow("now"), ...path.begin],
    cure: [...path.cure, endSessions(place), "DROP FUNCTION public.clock_timestamp()", "DROP FUNCTION public.now()"],
    hits: any
  }
}

const lock = (table: string, hits: ReadonlyArray<Channel>): Disturbance => ({
  kind: "locked",
  name: `${table} locked`,
  begin: [],
  cure: [],
  during: `LOCK TABLE ordinal.${table} IN ACCESS EXCLUSIVE MODE; PERFORM pg_sleep(600)`,
  hits
})

interface Function {
  readonly name: string
  readonly args: string
  readonly result: string
}

const replaced = ({ args, name, result }: Function, state: string): Disturbance => ({
  kind: "function replaced",
  name: `${name} raises ${state}`,
  begin: [
    `ALTER FUNCTION ordinal.${name} RENAME TO away`,
    `CREATE FUNCTION ordinal.${name}(${args}) RETURNS ${result} LANGUAGE plpgsql AS $$ BEGIN ${raise(state)}; END $$`
  ],
  cure: [`DROP FUNCTION ordinal.${name}`, `ALTER FUNCTION ordinal.away RENAME TO ${name}`],
  hits: commands
})

/** Gives all disturbances of this database that plain SQL makes. */
export const all = async (sql: Sql, place: Place): Promise<ReadonlyArray<Disturbance>> => {
  const objects = await sql.rows<{ readonly name: string }>(`
    SELECT 'TABLE ' || c.oid::regclass AS name FROM pg_class c
    WHERE c.relnamespace = 'ordinal'::regnamespace AND c.relkind = 'r'
    UNION ALL
    SELECT 'FUNCTION ' || p.oid::regprocedure FROM pg_proc p
    WHERE p.pronamespace = 'ordinal'::regnamespace AND p.prorettype <> 'trigger'::regtype
    UNION ALL SELECT 'SCHEMA ordinal' ORDER BY name`)
  const [append] = await sql.rows<Function>(`
    SELECT proname AS name, pg_get_function_arguments(oid) AS args, pg_get_function_result(oid) AS result
    FROM pg_proc WHERE pronamespace = 'ordinal'::regnamespace AND proname = 'append_batch'`)
  return [
    ...rights(
      place,
      objects.map(({ name }) => name)
    ),
    ...renames,
    renamed("schema", "ordinal", (from, to) => `ALTER SCHEMA ${from} RENAME TO ${to}`),
    setting(place, "default_transaction_read_only", "'on'", both),
    setting(place, "transaction_timeout", "'1ms'", any),
    setting(place, "idle_session_timeout", "'1ms'", any),
    setting(place, "statement_timeout", "'1ms'", any),
    setting(place, "lock_timeout", "'1ms'", any),
    setting(place, "idle_in_transaction_session_timeout", "'1ms'", any),
    setting(place, "default_transaction_isolation", "'serializable'", any),
    spoilt(place, "log_head"),
    spoilt(place, "checkpoints"),
    ...admissions(place),
    {
      kind: "sessions ended",
      name: "all sessions ended again and again",
      begin: [],
      cure: [],
      during: `LOOP PERFORM (${endSessions(place)}); PERFORM pg_sleep(0.1); PERFORM pg_stat_clear_snapshot(); END LOOP`,
      hits: any
    },
    ...failures,
    ...strangers,
    ...(append === undefined
      ? []
      : ["42501", "42883", "53100", "XX000", "P0001"].map((state) => replaced(append, state))),
    clock(place, "+"),
    clock(place, "-"),
    lock("events", both),
    lock("log_head", commands),
    lock("order_view", views),
    lock("checkpoints", views),
    lock("parked_streams", any)
  ]
}
