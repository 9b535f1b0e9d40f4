import { assert, it, onTestFinished } from "vitest"
import { run } from "../../../harness/campaigns/DatabaseRestarts.ts"
import * as PostgresServer from "../../../harness/servers/PostgresServer.ts"

it("commands, the view and pushes come back by themselves when PostgreSQL does, with nothing lost or twice", async () => {
  const postgres = await PostgresServer.start()
  onTestFinished(postgres.stop)
  const { answeredLater, faults, reads, resumes, takenNotifications } = await run(postgres, {
    restarts: [
      { mode: "immediate", away: 300 },
      { mode: "fast", away: 300 }
    ],
    clients: 4,
    pause: 10,
    notifications: { commands: 15, pause: 20 }
  })
  assert.deepStrictEqual(faults, [])
  assert.isAbove(answeredLater, 0, "nobody noticed that the database was away")
  assert.isAtLeast(resumes, 4)
  assert.isAbove(reads, 0, "nothing was read")
  assert.isAbove(takenNotifications, 0, "the notifications were not taken away")
})
