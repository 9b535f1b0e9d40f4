/**
 * `node scripts/campaigns/mongodb.ts [--quick] [kills] [rebuilds] [pages] [away]`: the order view in MongoDB, on a server that
 * speaks its protocol, which is fetched and started here (it needs python3), or on the one of `MONGODB_URL` but for `away`:
 *
 * - `kills`: kill -9 of the process that makes the view, under load; then its documents are compared with PostgreSQL's;
 * - `rebuilds`: rebuilds under load, and what readers see of them;
 * - `pages`: every list, page by page, beside that of PostgreSQL;
 * - `away`: MongoDB is killed and paused.
 */
import { Effect } from "effect"
import { parseArgs } from "node:util"
import { spread } from "../../harness/bench/Measurement.ts"
import * as EqualPages from "../../harness/campaigns/mongodb/EqualPages.ts"
import * as MongoAway from "../../harness/campaigns/mongodb/MongoAway.ts"
import * as SameDocuments from "../../harness/campaigns/mongodb/SameDocuments.ts"
import * as ProjectorKills from "../../harness/campaigns/ProjectorKills.ts"
import * as RebuildsCampaign from "../../harness/campaigns/RebuildsCampaign.ts"
import * as KeptView from "../../harness/judges/KeptView.ts"
import { report } from "../../harness/judges/Verdict.ts"
import * as PostgresServer from "../../harness/servers/PostgresServer.ts"
import { freshDatabase } from "../../harness/servers/Sql.ts"
import * as MongoServer from "../../harness/services/MongoServer.ts"
import * as MongoViewLayer from "../../harness/views/MongoViewLayer.ts"

const { positionals, values } = parseArgs({ allowPositionals: true, options: { quick: { type: "boolean" } } })
const wanted = (act: string) => positionals.length === 0 || positionals.includes(act)

const full = {
  kills: { kills: 50, clients: 4, pause: 50 },
  rebuilds: { rebuilds: 10, clients: 4, pause: 50, commands: 2_000, compare: 500 },
  pages: { orders: 10_000 },
  away: { rounds: 20 }
}
const quick = {
  kills: { kills: 3, clients: 2, pause: 100 },
  rebuilds: { rebuilds: 2, clients: 2, pause: 100, commands: 40, compare: 20 },
  pages: { orders: 200 },
  away: { rounds: 2 }
}
const plan = values.quick === true ? quick : full

const given = process.env["MONGODB_URL"] ?? ""
const postgres = await PostgresServer.start()
const own = given === "" || wanted("away") ? await MongoServer.start() : undefined
const urlOf = (act: string) =>
  given === "" ? own!.url(act) : MongoServer.databaseAt(given, `ordinal_${act}_${process.pid}`)

const play = (act: string, run: (databaseUrl: string, view: KeptView.KeptView) => Promise<void>) =>
  Effect.gen(function* () {
    const { projection } = yield* MongoViewLayer.open(urlOf(act))
    const { url } = yield* Effect.promise(() => freshDatabase(postgres.url))
    yield* Effect.promise(() => run(url, KeptView.inMongoDb(urlOf(act), projection)))
  }).pipe(Effect.scoped, Effect.runPromise)

try {
  if (wanted("kills")) {
    await play("kills", async (databaseUrl, view) => {
      const { faults, takeOvers, ...figures } = await ProjectorKills.run({ ...plan.kills, databaseUrl, view })
      const other = await SameDocuments.differences(databaseUrl, view)
      report({ campaign: "mongodb kills", ...plan.kills, ...figures, takeOverMillis: spread(takeOvers) }, [
        ...faults,
        ...other
      ])
    })
  }
  if (wanted("rebuilds")) {
    await play("rebuilds", async (databaseUrl, view) => {
      const { faults, ...figures } = await RebuildsCampaign.run({ ...plan.rebuilds, databaseUrl, view })
      report({ campaign: "mongodb rebuilds", ...plan.rebuilds, ...figures }, faults)
    })
  }
  if (wanted("pages")) {
    const { url: databaseUrl } = await freshDatabase(postgres.url)
    const { faults, ...figures } = await EqualPages.run({ ...plan.pages, databaseUrl, mongoUrl: urlOf("pages") })
    report({ campaign: "mongodb pages", ...figures }, faults)
  }
  if (wanted("away")) {
    await play("away", async (databaseUrl, { projection }) => {
      const away = { ...plan.away, databaseUrl, mongoUrl: own!.url("away"), projection }
      const { back, faults, ...figures } = await MongoAway.run(own!, away)
      report({ campaign: "mongodb away", ...plan.away, ...figures, backMillis: spread(back) }, faults)
    })
  }
} finally {
  await own?.close()
  await postgres.stop()
}
