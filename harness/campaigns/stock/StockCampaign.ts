/**
 * Many writers in several processes reserve, release, receive and remove the same items on one PostgreSQL, through the
 * example's own functions. What they were told is put into the table `attempts`, beside the log, for `StockJudge`.
 */
import { execFile } from "node:child_process"
import { mkdtemp, readFile, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { promisify } from "node:util"
import type { Sql } from "../../servers/Sql.ts"
import type { Attempt, Plan, Recording } from "./StockAttempts.ts"

export interface Load {
  readonly url: string
  readonly sql: Sql
  readonly processes: number
  /** Of all processes together, as are the attempts. */
  readonly writers: number
  readonly attempts: number
  readonly items: number
  readonly seed: number
}

export interface Figures {
  readonly attempts: number
  readonly attemptsPerSecond: number
  /** The number of attempts by what they were told. */
  readonly outcomes: Readonly<Record<string, number>>
  /** So often a command was made anew, since a guard of it had moved. */
  readonly guardMoves: number
}

const program = join(import.meta.dirname, "StockWriters.ts")
const flags = ["--conditions=ordinal-source", "--disable-warning=ExperimentalWarning"]

const columns = `kind text, sku text, quantity bigint, reservation text, outcome text, command text, version integer,
  stock bigint, reserved bigint, before bigint, after bigint`

const perStatement = 5_000

const store = async (sql: Sql, attempts: ReadonlyArray<Attempt>) => {
  await sql.rows(`CREATE TABLE IF NOT EXISTS attempts (${columns})`)
  for (let from = 0; from < attempts.length; from += perStatement) {
    const rows = JSON.stringify(attempts.slice(from, from + perStatement))
    await sql.rows(`INSERT INTO attempts SELECT * FROM jsonb_to_recordset($json$${rows}$json$) AS told (${columns})`)
  }
  // Else PostgreSQL would plan the judge's joins for small tables, and compare each row with each.
  await sql.rows(`ANALYZE attempts, ordinal.events`)
}

export const run = async ({ processes, sql, ...load }: Load): Promise<Figures> => {
  const folder = await mkdtemp(join(tmpdir(), "ordinal-stock-"))
  const numbers = Array.from({ length: processes }, (_, number) => number)
  const recordings = await Promise.all(
    numbers.map(async (number): Promise<Recording> => {
      const plan: Plan = {
        ...load,
        writers: load.writers / processes,
        attempts: load.attempts / processes,
        seed: load.seed * processes + number,
        file: join(folder, `${number}.json`)
      }
      await promisify(execFile)(process.execPath, [...flags, program, JSON.stringify(plan)])
      return JSON.parse(await readFile(plan.file, "utf8"))
    })
  )
  await rm(folder, { recursive: true, force: true })
  const attempts = recordings.flatMap((recording) => recording.attempts)
  await store(sql, attempts)
  const outcomes: Record<string, number> = {}
  for (const { outcome } of attempts) outcomes[outcome] = (outcomes[outcome] ?? 0) + 1
  return {
    attempts: attempts.length,
    attemptsPerSecond: Math.round(attempts.length / Math.max(...recordings.map(({ seconds }) => seconds))),
    outcomes,
    guardMoves: recordings.reduce((sum, { moves }) => sum + moves, 0)
  }
}
