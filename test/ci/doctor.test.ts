/** `ordinal doctor` on set-ups that are broken for real: one sentence each, which says what mends it. */
import { execFileSync } from "node:child_process"
import { randomBytes } from "node:crypto"
import { once } from "node:events"
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises"
import { type AddressInfo, createServer } from "node:net"
import { tmpdir, userInfo } from "node:os"
import { join } from "node:path"
import { Effect } from "effect"
import { assert, describe, inject, it, onTestFinished } from "vitest"
import { ordinal } from "../../harness/cli/RunCommand.ts"
import * as SteppedClock from "../../harness/clocks/SteppedClock.ts"
import { readFixture } from "../../harness/fixtures/OldProgram.ts"
import * as SqlScript from "../../harness/fixtures/SqlScript.ts"
import { freePort } from "../../harness/servers/FreePort.ts"
import * as PgBouncer from "../../harness/servers/PgBouncer.ts"
import { directory, embeddedDatabase, freshDatabase, server, sql } from "../../harness/servers/Resources.ts"
import { type Environment, launch } from "../../harness/servers/ServerProcess.ts"
import { ciSuite } from "../../harness/vitest/CiSuite.ts"
import * as DirectoryLock from "../../src/database/pglite/DirectoryLock.ts"

interface Finding {
  readonly check: string
  readonly state: "ok" | "warning" | "problem"
  readonly sentence: string
}

const anyPorts = { PORT: "0", ADMIN_PORT: "0" }

const doctor = async (settings: Environment) => {
  const { code, errors, out } = await Effect.runPromise(ordinal(["doctor", "--json"], { ...anyPorts, ...settings }))
  return { code, errors, findings: JSON.parse(out) as ReadonlyArray<Finding> }
}

const problemsOf = (findings: ReadonlyArray<Finding>) =>
  findings.filter(({ state }) => state === "problem").map(({ sentence }) => sentence)

/** Returns the one problem that it finds, with which it fails. */
const problem = async (settings: Environment): Promise<string> => {
  const { code, errors, findings } = await doctor(settings)
  assert.strictEqual(code, 1)
  assert.match(errors, /Ordinal is not well\. 1 of \d+ checks found a problem\./)
  const [sentence = "", ...others] = problemsOf(findings)
  assert.deepStrictEqual(others, [])
  assert.match(sentence, /^[A-Z][^\n]+\.$/)
  return sentence
}

const migrated = async () => {
  const url = await freshDatabase()
  const { code, errors } = await Effect.runPromise(ordinal(["migrate", `--database-url=${url}`]))
  assert.strictEqual(code, 0, errors)
  return url
}

const changed = (url: string, change: Partial<URL>) => Object.assign(new URL(url), change).href

/** Makes a role that may log in and nothing else. */
const roleOf = async (url: string) => {
  const role = `ordinal_doctor_${randomBytes(4).toString("hex")}`
  const superuser = sql(url)
  await superuser.rows(`CREATE ROLE ${role} LOGIN PASSWORD 'secret'`)
  onTestFinished(async () => {
    await superuser.rows(`DROP OWNED BY ${role}`)
    await superuser.rows(`DROP ROLE ${role}`)
  })
  return { role, url: changed(url, { username: role, password: "secret" }) }
}

describe("a set-up that is well", () => {
  it("is found to be so, with a database that is empty, migrated, or not there yet", async () => {
    const directories = [await embeddedDatabase(), `pglite:${join(await directory(), "new")}`]
    for (const url of [await freshDatabase(), await migrated(), ...directories]) {
      const { code, errors, findings } = await doctor({ DATABASE_URL: url })
      assert.deepStrictEqual([code, errors], [0, ""])
      assert.deepStrictEqual(new Set(findings.map(({ state }) => state)), new Set(["ok"]))
    }
  })

  it("may run already: its own port is no problem", async () => {
    const running = await server({ DATABASE_URL: await migrated() })
    const { code, findings } = await doctor({ DATABASE_URL: await freshDatabase(), PORT: new URL(running.url).port })
    assert.strictEqual(code, 0)
    assert.containSubset(findings, [{ check: "port", state: "warning" }])
  })
})

describe("a set-up that is broken", () => {
  it("a wrong URL", async () => {
    const port = String(await freePort())
    const sentence = await problem({ DATABASE_URL: `postgres://me:secret@127.0.0.1:${port}/orders` })
    assert.match(
      sentence,
      new RegExp(`No PostgreSQL answers at 127\\.0\\.0\\.1:${port} .*ECONNREFUSED.* Start it, or mend`)
    )
    assert.notInclude(sentence, "secret")
  })

  it("a wrong password", async () => {
    const sentence = await problem({ DATABASE_URL: changed(inject("postgresUrl"), { password: "secret" }) })
    assert.match(sentence, /refuses the user .*password authentication failed.* Mend the user and the password/)
  })

  it("no database", async () => {
    const sentence = await problem({ DATABASE_URL: changed(inject("postgresUrl"), { pathname: "/nowhere" }) })
    assert.match(sentence, /There is no database "nowhere" at .* Make it by CREATE DATABASE/)
  })

  it("no rights: to read the schema, to append, or to make a schema", async () => {
    const owner = await migrated()
    const { role, url } = await roleOf(owner)
    assert.match(
      await problem({ DATABASE_URL: url }),
      /lacks rights .*permission denied.* Grant them .*docs\/operating\.md/
    )
    await sql(owner).rows(`GRANT USAGE ON SCHEMA ordinal TO ${role}`)
    await sql(owner).rows(`GRANT SELECT ON ALL TABLES IN SCHEMA ordinal TO ${role}`)
    await sql(owner).rows(`REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA ordinal FROM PUBLIC`)
    assert.match(await problem({ DATABASE_URL: url }), /lacks rights \(permission denied for function append_batch\)/)
    const other = await freshDatabase()
    const inOther = changed(url, { pathname: new URL(other).pathname })
    assert.match(
      await problem({ DATABASE_URL: inOther }),
      /no schema yet, and the role .* may not make one\. Run `ordinal migrate`/
    )
  })

  it("an older schema", async () => {
    const url = await freshDatabase()
    await SqlScript.restore(sql(url), String(await readFixture("postgres.sql.br")))
    assert.match(
      await problem({ DATABASE_URL: url }),
      /older than this program: it lacks migrations .*\d+ \(.*\. Run `ordinal migrate`/
    )
  })

  it("a newer schema", async () => {
    const url = await migrated()
    await sql(url).rows("INSERT INTO ordinal.migrations (migration_id, name) VALUES (9999, 'the_future')")
    assert.match(
      await problem({ DATABASE_URL: url }),
      /newer than this program.*9999 \(the_future\)\. Start a newer program/
    )
  })

  it("a port that a stranger has", async () => {
    const other = createServer((socket) => void socket.end())
    await once(other.listen(0, "127.0.0.1"), "listening")
    onTestFinished(() => void other.close())
    const { port } = other.address() as AddressInfo
    const sentence = await problem({ DATABASE_URL: await freshDatabase(), PORT: String(port) })
    assert.match(sentence, new RegExp(`Port ${port} .* is in use\\. Stop the program .*set PORT to another port`))
  })

  it("a directory that another process has locked", async () => {
    const url = await embeddedDatabase()
    const owned = Effect.andThen(
      DirectoryLock.acquire(url.slice("pglite:".length)),
      Effect.promise(() => problem({ DATABASE_URL: url }))
    )
    const sentence = await Effect.runPromise(Effect.scoped(owned))
    assert.match(sentence, /is in use by another running process; stop that one, or use another directory/)
  })

  it("a clock that is ahead: this machine's, or the database's when an event was recorded", async () => {
    const url = await migrated()
    const file = join(await directory(), "offset")
    await writeFile(file, String(3_600_000))
    const settings = { ...SteppedClock.settings(file), ...anyPorts, DATABASE_URL: url }
    const { exit, output } = launch(settings, ["doctor"])
    assert.deepStrictEqual(await exit, { code: 1, signal: null })
    assert.match(
      output(),
      /^problem +clock +This machine's clock is (1h|59m \d+s) .*ahead of the database's\. Set both by/m
    )
    await sql(url).rows("UPDATE ordinal.log_head SET recorded_at = now() + interval '2 hours'")
    assert.match(
      await problem({ DATABASE_URL: url }),
      /newest event is dated .* ahead of the database's clock.* Set the clock right/
    )
  })

  it("a database that can't hold all text", async () => {
    const name = `ordinal_latin_${randomBytes(4).toString("hex")}`
    const superuser = sql(inject("postgresUrl"))
    await superuser.rows(`CREATE DATABASE ${name} ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0`)
    onTestFinished(async () => void (await superuser.rows(`DROP DATABASE ${name} WITH (FORCE)`)))
    const sentence = await problem({ DATABASE_URL: changed(inject("postgresUrl"), { pathname: `/${name}` }) })
    assert.match(sentence, /encoding is LATIN1, .* CREATE DATABASE … ENCODING 'UTF8'/)
  })

  it("a read-only database", async () => {
    const url = await migrated()
    await sql(url).rows(`ALTER DATABASE ${new URL(url).pathname.slice(1)} SET default_transaction_read_only = on`)
    assert.match(await problem({ DATABASE_URL: url }), /read-only: default_transaction_read_only is on\. Set it to off/)
  })

  it("keys that can't be fetched", async () => {
    const url = `http://127.0.0.1:${await freePort()}/keys`
    const { code, findings } = await doctor({ DATABASE_URL: await freshDatabase(), JWKS_URL: url })
    assert.strictEqual(code, 1)
    const sentence = findings.find(({ check }) => check === "keys")?.sentence ?? ""
    assert.match(sentence, /keys of JWKS_URL can't be fetched \(.*ECONNREFUSED.*\), .* Mend the URL/)
  })
})

ciSuite("doctor finds a pgbouncer in transaction mode", PgBouncer.missing(), () => {
  it("and says which mode is needed", async () => {
    const operating = await readFile(join(import.meta.dirname, "..", "..", "docs", "operating.md"), "utf8")
    const [, documented = ""] = /^## Behind pgbouncer.*?^```ini\n(.*?)^```$/ms.exec(operating) ?? []
    const pooler = await PgBouncer.start(
      await freshDatabase(),
      documented.replace("pool_mode = session", "pool_mode = transaction")
    )
    onTestFinished(pooler.stop)
    assert.match(
      await problem({ DATABASE_URL: pooler.url }),
      /gives each transaction another session.* pool mode to session/
    )
  })
})

const mountMissing = () => {
  if (userInfo().uid !== 0) return "only root can mount a small disk"
  try {
    execFileSync("unshare", ["--mount", "true"])
    return undefined
  } catch {
    return "this machine lets nobody mount"
  }
}

const smallDisk = async (size: string) => {
  const path = await mkdtemp(join(tmpdir(), "ordinal-doctor-"))
  execFileSync("mount", ["-t", "tmpfs", "-o", `size=${size}`, "tmpfs", path])
  onTestFinished(async () => {
    execFileSync("umount", [path])
    await rm(path, { recursive: true, force: true })
  })
  await chmod(path, 0o777)
  return path
}

ciSuite("doctor finds a full disk", mountMissing(), () => {
  it("below the embedded database", async () => {
    const path = await smallDisk("8m")
    await mkdir(join(path, "data"))
    assert.match(
      await problem({ DATABASE_URL: `pglite:${path}` }),
      /Only \d MiB are free on the disk of .* Make room there/
    )
  })

  it("below PostgreSQL", async () => {
    const url = await migrated()
    const path = await smallDisk("16m")
    execFileSync("chown", ["postgres", path])
    const name = `ordinal_small_${randomBytes(4).toString("hex")}`
    const superuser = sql(url)
    await superuser.rows(`CREATE TABLESPACE ${name} LOCATION '${path}'`)
    onTestFinished(async () => {
      await superuser.rows(`ALTER TABLE ordinal.events SET TABLESPACE pg_default`)
      await superuser.rows(`DROP TABLESPACE ${name}`)
    })
    await superuser.rows(`ALTER TABLE ordinal.events SET TABLESPACE ${name}`)
    await writeFile(join(path, "ballast"), Buffer.alloc(32 * 1024 * 1024)).catch(() => {})
    assert.match(await problem({ DATABASE_URL: url }), /disk is full \(.*No space left.*\)\. Make room on it/)
    await rm(join(path, "ballast"))
  })
})
