/** A real PostgreSQL with a certificate of its own: what the URL asks for is an encrypted session, or none. */
import { execFileSync } from "node:child_process"
import { chown } from "node:fs/promises"
import { join } from "node:path"
import { userInfo } from "node:os"
import { assert, it, onTestFinished } from "vitest"
import { call } from "../../harness/clients/HttpClient.ts"
import * as PostgresServer from "../../harness/servers/PostgresServer.ts"
import { directory, refusal, server, sql } from "../../harness/servers/Resources.ts"
import { launch } from "../../harness/servers/ServerProcess.ts"
import { ciSuite } from "../../harness/vitest/CiSuite.ts"

const missing = () => {
  try {
    execFileSync("openssl", ["version"])
    return undefined
  } catch {
    return "there is no openssl to make a certificate with"
  }
}

/** Starts a PostgreSQL with a certificate that it has signed itself. */
const encrypting = async () => {
  const path = await directory()
  const [certificate, key] = [join(path, "server.crt"), join(path, "server.key")]
  const request = "req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1"
  execFileSync("openssl", [...request.split(" "), "-keyout", key, "-out", certificate], { stdio: "ignore" })
  if (userInfo().uid === 0) {
    const id = (option: string) => Number(execFileSync("id", [option, "postgres"], { encoding: "utf8" }))
    for (const file of [path, certificate, key]) await chown(file, id("-u"), id("-g"))
  }
  const postgres = await PostgresServer.start({ ssl: "on", ssl_cert_file: certificate, ssl_key_file: key })
  onTestFinished(postgres.stop)
  return { url: postgres.url, certificate }
}

ciSuite("sessions are encrypted if the URL asks for it", missing(), () => {
  it("with ssl=true, sslmode=require and verify-full, by a certificate that is known", async () => {
    const { certificate, url } = await encrypting()
    for (const parameters of ["ssl=true", "sslmode=require", "sslmode=verify-full"]) {
      const DATABASE_URL = `${url}?${parameters}`
      const { stop, url: api } = await server({ DATABASE_URL, NODE_EXTRA_CA_CERTS: certificate })
      assert.strictEqual((await call(api, "GET", "/orders")).status, 200, parameters)
      const superuser = sql(url)
      const sessions = await superuser.rows<{ readonly ssl: boolean }>(
        "SELECT DISTINCT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE application_name LIKE 'ordinal-%'"
      )
      await superuser.close()
      assert.deepStrictEqual(sessions, [{ ssl: true }], parameters)
      await stop()
    }
    const unknown = await refusal(launch({ DATABASE_URL: `${url}?sslmode=verify-full`, PORT: "0", ADMIN_PORT: "0" }))
    assert.match(unknown, /DATABASE_URL can't be used: .*self.signed certificate/)
  })
})
