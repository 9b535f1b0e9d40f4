import { Effect, Exit, Scope } from "effect"
import { once } from "node:events"
import { writeFile } from "node:fs/promises"
import { createServer as createHttpServer } from "node:http"
import { get } from "node:https"
import { type AddressInfo, createServer } from "node:net"
import { join } from "node:path"
import { assert, describe, inject, it, onTestFinished } from "vitest"
import { type Environment, launch } from "../../harness/servers/ServerProcess.ts"
import * as Migrations from "../../src/database/Migrations.ts"
import { asText, type Setting } from "../../src/server/SettingKinds.ts"
import { settings } from "../../src/server/Settings.ts"
import { until } from "../../harness/clocks/Until.ts"
import { connect } from "../../harness/servers/FreshDatabase.ts"
import { freePort } from "../../harness/servers/FreePort.ts"
import type { Page } from "../../harness/clients/HttpClient.ts"
import * as Certificates from "../../harness/fixtures/Certificates.ts"
import { directory, embeddedDatabase, freshDatabase, refusal, server, sql } from "../../harness/servers/Resources.ts"

const postgres = (change: (url: URL) => void): string => {
  const url = new URL(inject("postgresUrl"))
  change(url)
  return url.href
}

const memory = "pglite:memory"

/** Listens on a free port, and returns it. */
const taken = async () => {
  const other = createServer()
  await once(other.listen(0, "127.0.0.1"), "listening")
  onTestFinished(() => void other.close())
  return (other.address() as AddressInfo).port
}

const wrong: ReadonlyArray<readonly [what: string, settings: () => Environment, says: RegExp]> = [
  ["a port that is no number", () => ({ PORT: "abc" }), /PORT is "abc" but must be a whole number from 0 to 65535\.$/],
  ["another kind of database", () => ({ DATABASE_URL: "mysql://me:secret@x" }), /DATABASE_URL must be postgres:/],
  ["an open address", () => ({ HOST: "0.0.0.0", DATABASE_URL: memory }), /HOST .*ALLOW_UNAUTHENTICATED/],
  ["a short secret", () => ({ JWT_SECRET: "secret", DATABASE_URL: memory }), /JWT_SECRET must be .* at least 32 bytes/],
  [
    "keys of an issuer of many",
    () => ({ JWKS_URL: "https://issuer.example/keys", DATABASE_URL: memory }),
    /JWKS_URL is set, .* Set JWT_ISSUER and JWT_AUDIENCE/
  ],
  [
    "an empty secret",
    () => ({ JWT_SECRET: "", DATABASE_URL: memory }),
    /JWT_SECRET is set, but to nothing: everybody /
  ],
  ["no URL of keys", () => ({ JWKS_URL: "", DATABASE_URL: memory }), /JWKS_URL is set, but to nothing: everybody /],
  ["an audience alone", () => ({ JWT_AUDIENCE: "orders", DATABASE_URL: memory }), /JWT_AUDIENCE do nothing without/],
  [
    "a part of the work on an embedded database",
    () => ({ ROLE: "query", DATABASE_URL: memory }),
    /ROLE is "query", but the embedded database .* one process, .* Unset ROLE/
  ],
  ["PGlite in production", () => ({ NODE_ENV: "production", DATABASE_URL: memory }), /power cut.*ALLOW_PGLITE/],
  [
    "a PostgreSQL that is not there",
    () => ({ DATABASE_URL: "postgres://me:secret@127.0.0.1:1/orders" }),
    /DATABASE_URL can't be used: .*ECONNREFUSED 127\.0\.0\.1:1$/
  ],
  [
    "a wrong password",
    () => ({
      DATABASE_URL: postgres((url) => {
        url.password = "secret"
      })
    }),
    /DATABASE_URL can't be used: password authentication failed/
  ],
  [
    "a database that does not exist",
    () => ({
      DATABASE_URL: postgres((url) => {
        url.pathname = "/nowhere"
      })
    }),
    /DATABASE_URL can't be used: database "nowhere" does not exist$/
  ]
]

/** Paths of a certificate and of the key of another one. */
const certificates = async () => {
  const folder = await directory()
  const paths = { cert: join(folder, "tls.crt"), key: join(folder, "tls.key"), other: join(folder, "other.key") }
  await writeFile(paths.cert, Certificates.first.cert)
  await writeFile(paths.key, Certificates.first.key)
  await writeFile(paths.other, Certificates.second.key)
  return paths
}

describe("a wrong setting stops the start with one sentence that says which and why", () => {
  it.each(wrong)("%s", async (_, environment, says) => {
    const sentence = await refusal(launch(environment()))
    assert.match(sentence, /^Ordinal did not start\. /)
    assert.match(sentence, says)
    assert.notInclude(sentence, "secret")
  })

  it("TLS with one of its files, without a file, or with the key of another certificate", async () => {
    const { cert, key, other } = await certificates()
    const refused = (tls: Environment) => refusal(launch({ DATABASE_URL: memory, ...tls }))
    assert.match(
      await refused({ TLS_CERT: cert }),
      /TLS_CERT is set and TLS_KEY is not\. .* set TLS_KEY, or unset TLS_CERT\.$/
    )
    assert.match(
      await refused({ TLS_CERT: "/nowhere", TLS_KEY: key }),
      /with TLS_CERT \(\/nowhere\): ENOENT.*\. Name a cert/
    )
    assert.match(await refused({ TLS_CERT: cert, TLS_KEY: other }), /TLS_CERT and TLS_KEY .*the key is of another cert/)
  })

  it("a variable that a later version reads", async () => {
    const sentence = await refusal(launch({ DATABASE_URL: memory, REDIS_URL: "redis://secret" }))
    assert.match(sentence, /REDIS_URL is set, but the cache is named by CACHE/)
    assert.notInclude(sentence, "secret")
  })

  it("a flag that there is not", async () => {
    const started = launch({}, ["--nonsense=1"])
    assert.match(await refusal(started), /^Unrecognized flag: --nonsense .* Run `ordinal --help` for all flags/)
    assert.deepStrictEqual(await started.exit, { code: 2, signal: null })
    assert.strictEqual(started.output(), started.errors(), "more than the sentence was printed")
  })

  it.each(["PORT", "ADMIN_PORT"])("a port in use, before anything is done to the database: %s", async (name) => {
    const port = await taken()
    const database = await freshDatabase()
    const ports = { PORT: "0", ADMIN_PORT: "0", [name]: String(port) }
    const sentence = await refusal(launch({ DATABASE_URL: database, ...ports }))
    assert.match(
      sentence,
      new RegExp(`${name} .*: Port ${port} of 127\\.0\\.0\\.1 is in use\\. .* set ${name} to another port\\.$`)
    )
    assert.deepStrictEqual(await sql(database).rows("SELECT 1 FROM pg_namespace WHERE nspname = 'ordinal'"), [])
  })

  it("an address that is not this machine's", async () => {
    const environment = { HOST: "192.0.2.1", PORT: "3000", ALLOW_UNAUTHENTICATED: "true", DATABASE_URL: memory }
    assert.match(await refusal(launch(environment)), /192\.0\.2\.1 is no address of this machine\. Set HOST to one/)
  })
})

it("while the server starts, its ports say that the process is alive and not ready", async () => {
  const database = await freshDatabase()
  const [port, adminPort] = [await freePort(), await freePort()]
  const migrating = Effect.runSync(Scope.make())
  const connection = await Effect.runPromise(Scope.provide(connect(database), migrating))
  await Effect.runPromise(connection`SELECT pg_advisory_lock(${Migrations.lockKey})`)
  const { child, exit } = launch({ DATABASE_URL: database, PORT: String(port), ADMIN_PORT: String(adminPort) })
  onTestFinished(() => void child.kill("SIGKILL"))
  for (const each of [port, adminPort]) {
    const url = `http://127.0.0.1:${each}`
    const live = await until(
      () => fetch(`${url}/health/live`).catch(() => undefined),
      (answer) => answer !== undefined
    )
    assert.deepStrictEqual(await live?.json(), { status: "live" })
    const ready = await fetch(`${url}/health/ready`)
    assert.strictEqual(ready.status, 503)
    const { detail, type } = (await ready.json()) as { readonly detail: string; readonly type: string }
    assert.strictEqual(type, "/problems/database-unavailable")
    assert.match(detail, /^The server is starting /)
  }
  await Effect.runPromise(Scope.close(migrating, Exit.void))
  const url = `http://127.0.0.1:${port}/health/ready`
  await until(
    () =>
      fetch(url).then(
        ({ ok }) => ok,
        () => false
      ),
    (ok) => ok
  )
  child.kill("SIGTERM")
  assert.deepStrictEqual(await exit, { code: 0, signal: null })
})

it("with a certificate both ports speak TLS, from the first moment on, and the health check asks so", async () => {
  const { cert, key } = await certificates()
  const [port, adminPort] = [await freePort(), await freePort()]
  const tls = { TLS_CERT: cert, TLS_KEY: key, PORT: String(port), ADMIN_PORT: String(adminPort) }
  const { child, exit, output } = launch({ DATABASE_URL: await freshDatabase(), ...tls })
  onTestFinished(() => void child.kill("SIGKILL"))
  const statusAt = (port: number) =>
    new Promise<number>((resolve) => {
      get({ port, path: "/health/live", host: "127.0.0.1", ca: Certificates.first.cert, agent: false }, (response) => {
        response.resume()
        resolve(response.statusCode ?? 0)
      }).once("error", () => resolve(0))
    })
  for (const each of [port, adminPort]) {
    await until(
      () => statusAt(each),
      (status) => status === 200
    )
  }
  await until(output, (text) => text.includes(`Listening on https://127.0.0.1:${port}`))
  const health = launch({ TLS_CERT: cert, PORT: String(port) }, ["health"])
  assert.deepStrictEqual(await health.exit, { code: 0, signal: null }, health.output())
  child.kill("SIGTERM")
  assert.deepStrictEqual(await exit, { code: 0, signal: null })
})

it("a second process on the same PGlite directory is refused; the first goes on", async () => {
  const databaseUrl = await embeddedDatabase()
  const first = await server({ DATABASE_URL: databaseUrl })
  const sentence = await refusal(launch({ PORT: "0", DATABASE_URL: databaseUrl }))
  assert.match(sentence, /^Ordinal did not start\. .* is in use by another running process/)
  assert.include(sentence, databaseUrl.slice("pglite:".length))
  const { status } = await fetch(`${first.url}/orders`)
  assert.strictEqual(status, 200)
})

it("a flag wins over the environment", async () => {
  const sentence = await refusal(launch({ PORT: "0", DATABASE_URL: memory }, ["--port=x"]))
  assert.match(sentence, /PORT is "x"/)
})

it("--help lists every setting with its type and default, in lines of at most 100 characters", async () => {
  const { exit, output } = launch({}, ["--help"])
  assert.deepStrictEqual(await exit, { code: 0, signal: null })
  assert.isAtMost(
    Math.max(
      ...output()
        .split("\n")
        .map(({ length }) => length)
    ),
    100
  )
  const text = output().replaceAll(/\s+/g, " ")
  for (const [name, { defaultValue, placeholder }] of Object.entries<Setting<unknown>>(settings)) {
    const flag = `--${name.toLowerCase().replaceAll("_", "-")} ${placeholder} `
    assert.lengthOf(text.split(flag), 2, `${flag}is not there once`)
    assert.include(text, `(${name}, default ${asText(defaultValue) || "none"})`)
  }
})

it("the command health asks the server of the same settings, and its exit code says whether it is ready", async () => {
  const { url } = await server({ DATABASE_URL: await freshDatabase() })
  const ask = (port: string, host = "127.0.0.1") => launch({ PORT: port, HOST: host }, ["health"])
  const { exit, output } = ask(new URL(url).port, "0.0.0.0")
  assert.deepStrictEqual(await exit, { code: 0, signal: null })
  assert.include(output(), `Ready: ${url}/health/ready`)
  assert.match(
    await refusal(ask(String(await freePort()))),
    /^Ordinal is not ready\. .* can't be reached: connect ECONNREFUSED/
  )
  const answersNothingElse = createHttpServer((_, response) => void response.writeHead(503).end())
  await once(answersNothingElse.listen(0, "127.0.0.1"), "listening")
  onTestFinished(() => void answersNothingElse.close())
  const { port } = answersNothingElse.address() as AddressInfo
  assert.match(await refusal(ask(String(port))), /answered 503\.$/)
})

it("a flag before a command that has no such flag is refused, not ignored", async () => {
  const { errors, exit } = launch({}, ["--port=0", "migrate"])
  assert.deepStrictEqual(await exit, { code: 2, signal: null })
  assert.include(errors(), "--port")
})

it("DEMO=true fills a new PostgreSQL with the demo catalog, once", async () => {
  const settings = { DATABASE_URL: await freshDatabase(), DEMO: "true" }
  const first = await server(settings)
  const productsAt = async (url: string) => (await fetch(`${url}/products?limit=100`)).json()
  const products = await until(
    () => productsAt(first.url),
    (body) => (body as Page).data.length === 5
  )
  assert.include(JSON.stringify(products), '"mug"')
  const before = await sql(settings.DATABASE_URL).rows("SELECT count(*)::integer AS events FROM ordinal.events")
  await first.stop()
  await server(settings)
  assert.deepStrictEqual(
    await sql(settings.DATABASE_URL).rows("SELECT count(*)::integer AS events FROM ordinal.events"),
    before
  )
})

it("log lines in JSON have a text as their message, and say when the server stops and has stopped", async () => {
  const { output, stop } = await server({ DATABASE_URL: await freshDatabase(), LOG_FORMAT: "json", LOG_LEVEL: "debug" })
  await stop()
  const lines = output()
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as { readonly message: unknown })
  for (const { message } of lines) assert.isString(message)
  const messages = lines.map(({ message }) => String(message))
  assert.strictEqual(messages.at(-1), "Stopped.")
  const steps = [
    /^Listening on http:/,
    /^Stopping: not ready any more\. /,
    /^No new connections are taken\. Requests that are being answered: 0\.$/,
    /^Event streams that end now, each with the position to go on from: 0\.$/,
    /^All requests are answered, and all connections closed\.$/,
    /^Stopped\.$/
  ]
  const lineOf = steps.map((step) => messages.findIndex((message) => step.test(message)))
  assert.notInclude(lineOf, -1, output())
  assert.deepStrictEqual(
    lineOf,
    lineOf.toSorted((left, right) => left - right)
  )
})
