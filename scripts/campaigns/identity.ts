/**
 * `node scripts/campaigns/identity.ts [--quick]`: 20,000 forged tokens and keys (1,000 with --quick) over every route of both
 * ports of a server of its own on PostgreSQL, then another customer over every route, and whether time tells another's order
 * from one that does not exist. Let it have the machine alone, for the sake of the times.
 */
import * as PostgresServer from "../../harness/servers/PostgresServer.ts"
import { start } from "../../harness/servers/ServerProcess.ts"
import { report } from "../../harness/judges/Verdict.ts"
import { apart, run } from "../../harness/campaigns/identity/IdentityCampaign.ts"
import { audience, issuer, secret } from "../../harness/identity/Tokens.ts"

const isQuick = process.argv.includes("--quick")
const [credentials, pairs] = isQuick ? [1_000, 200] : [20_000, 2_000]

const postgres = await PostgresServer.start()
const server = await start({
  DATABASE_URL: postgres.url,
  JWT_SECRET: secret,
  JWT_ISSUER: issuer,
  JWT_AUDIENCE: audience
})
try {
  const { url, adminUrl } = server
  const { faults, ...figures } = await run({ url, adminUrl, credentials, pairs, concurrency: 8 })
  const errors = server
    .output()
    .split("\n")
    .filter((line) => /\] (?:ERROR|FATAL)/.test(line))
  const { code } = await server.stop()
  const ended = code === 0 ? [] : [`the server ended with ${code}`]
  // Times count only where nothing else runs.
  const times = isQuick ? [] : apart(figures.medianMillis)
  report({ campaign: "identity", credentials, pairs, ...figures }, [...faults, ...times, ...errors, ...ended])
} finally {
  await server.kill()
  await postgres.stop()
}
