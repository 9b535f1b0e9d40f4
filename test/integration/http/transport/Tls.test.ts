import { once } from "node:events"
import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { get } from "node:https"
import { connect as connectPlainly, type AddressInfo } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { connect } from "node:tls"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Logger } from "effect"
import * as Certificates from "../../../../harness/fixtures/Certificates.ts"
import { untilSo } from "../../../../harness/clocks/Until.ts"
import { patientLimits } from "../../../../harness/servers/ApiServer.ts"
import * as Listener from "../../../../src/http/listener/Listener.ts"
import * as Tls from "../../../../src/http/transport/Tls.ts"

const { first, second } = Certificates

/** The files of a certificate, which can be written anew. */
const files = Effect.acquireRelease(
  Effect.promise(async () => {
    const directory = await mkdtemp(join(tmpdir(), "ordinal-tls-"))
    return { directory, cert: join(directory, "tls.crt"), key: join(directory, "tls.key") }
  }),
  ({ directory }) => Effect.promise(() => rm(directory, { recursive: true }))
)

const write = (to: Tls.Paths, { cert, key }: { readonly cert: string; readonly key: string }) =>
  Effect.promise(() => Promise.all([writeFile(to.cert, cert), writeFile(to.key, key)]))

const listening = Effect.acquireRelease(
  Effect.flatMap(Listener.make(patientLimits), (make) =>
    Effect.promise(async () => {
      const server = make().on("request", (_, response) => response.end("hello"))
      await once(server.listen(0, "127.0.0.1"), "listening")
      return { server, port: (server.address() as AddressInfo).port }
    })
  ),
  ({ server }) => Effect.promise(() => new Promise((resolve) => server.close(resolve)))
)

/** The certificate that a new connection is given. */
const subjectAt = (port: number) =>
  new Promise<string>((resolve, reject) => {
    const socket = connect({ port, host: "127.0.0.1", rejectUnauthorized: false }, () => {
      resolve(`CN=${socket.getPeerCertificate().subject.CN}`)
      socket.destroy()
    }).once("error", reject)
  })

const ask = (port: number) =>
  new Promise<{ readonly status: number; readonly hsts: string }>((resolve, reject) => {
    get({ port, host: "127.0.0.1", rejectUnauthorized: false, agent: false }, (response) => {
      response.resume()
      const { "strict-transport-security": hsts = "" } = response.headers
      resolve({ status: response.statusCode ?? 0, hsts })
    }).once("error", reject)
  })

describe("TLS", () => {
  it.live("is spoken with the certificate of the files, and browsers are told to stay with it (HSTS)", () =>
    Effect.gen(function* () {
      const paths = yield* files
      yield* write(paths, first)
      const { port } = yield* Effect.provide(listening, Tls.layer(paths, "1 hour"))
      assert.strictEqual(yield* Effect.promise(() => subjectAt(port)), first.subject)
      const { hsts, status } = yield* Effect.promise(() => ask(port))
      assert.deepStrictEqual([status, hsts], [200, "max-age=31536000"])
    }).pipe(Effect.scoped)
  )

  it.live("hangs up on who speaks plain HTTP, and goes on", () =>
    Effect.gen(function* () {
      const paths = yield* files
      yield* write(paths, first)
      const { port } = yield* Effect.provide(listening, Tls.layer(paths, "1 hour"))
      const answer = yield* Effect.promise(async () => {
        let text = ""
        const socket = connectPlainly(port, "127.0.0.1").on("data", (bytes) => (text += bytes.toString("latin1")))
        socket.on("error", () => {}).write("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        await once(socket, "close")
        return text
      })
      assert.notInclude(answer, "hello")
      assert.strictEqual((yield* Effect.promise(() => ask(port))).status, 200)
    }).pipe(Effect.scoped)
  )

  it.live("ends although a connection says nothing, not even its handshake", () =>
    Effect.gen(function* () {
      const paths = yield* files
      yield* write(paths, first)
      const silent = yield* Effect.scoped(
        Effect.gen(function* () {
          const { port, server } = yield* Effect.provide(listening, Tls.layer(paths, "1 hour"))
          const connected = once(server, "connection")
          const socket = connectPlainly(port, "127.0.0.1").on("error", () => {})
          yield* Effect.promise(() => connected)
          return once(socket.resume(), "close")
        })
      )
      yield* Effect.promise(() => silent)
    }).pipe(Effect.scoped)
  )

  it.live("takes new files without a restart; files that can't be used change nothing", () =>
    Effect.gen(function* () {
      const paths = yield* files
      yield* write(paths, first)
      const program = Effect.gen(function* () {
        const { port } = yield* listening
        yield* write(paths, { cert: second.cert, key: "no key" })
        yield* Effect.promise(() => untilSo(() => lines.some((line) => line.includes("stays in use"))))
        assert.strictEqual(yield* Effect.promise(() => subjectAt(port)), first.subject)
        yield* write(paths, second)
        yield* Effect.promise(() => untilSo(async () => (await subjectAt(port)) === second.subject))
      })
      const lines: Array<string> = []
      const logger = Logger.make(({ message }) => void lines.push(String(message)))
      yield* Effect.provide(program, Layer.provideMerge(Tls.layer(paths, "10 millis"), Logger.layer([logger])))
    }).pipe(Effect.scoped)
  )

  it.live("is refused with files that can't be used: the reason names the part", () =>
    Effect.gen(function* () {
      const paths = yield* files
      const refusal = Effect.flip(Effect.provide(Effect.void, Tls.layer(paths, "1 hour")))
      const missing = yield* refusal
      assert.deepStrictEqual([missing.part, missing.problem.startsWith("ENOENT")], ["cert", true])
      yield* write(paths, { cert: "no certificate", key: first.key })
      assert.strictEqual((yield* refusal).part, "cert")
      yield* write(paths, { cert: first.cert, key: "no key" })
      assert.strictEqual((yield* refusal).part, "key")
      yield* write(paths, { cert: first.cert, key: second.key })
      assert.strictEqual((yield* refusal).part, "both")
      const broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
      yield* write(paths, { cert: first.cert + broken, key: first.key })
      assert.strictEqual((yield* refusal).part, "both")
    }).pipe(Effect.scoped)
  )
})
