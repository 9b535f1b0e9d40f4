/** Makes the order view in PostgreSQL of a log whose view is in MongoDB, and compares the documents of both, byte by byte. */
import type { KeptView } from "../../judges/KeptView.ts"
import * as Kept from "../../judges/KeptView.ts"
import * as ViewJudge from "../../judges/ViewJudge.ts"
import { start } from "../../servers/ServerProcess.ts"
import { open } from "../../servers/Sql.ts"

export const differences = async (databaseUrl: string, view: KeptView): Promise<ReadonlyArray<string>> => {
  const sql = open(databaseUrl)
  const server = await start({ DATABASE_URL: databaseUrl })
  try {
    await ViewJudge.caughtUp(sql)
    const documents = new Map<string, string | null>()
    for await (const { document, orderId } of Kept.inDatabase(sql).rows()) documents.set(orderId, document)
    const faults: Array<string> = []
    for await (const { document, orderId } of view.rows()) {
      if (documents.get(orderId) !== document)
        faults.push(`${orderId} is ${document}, and ${documents.get(orderId)} in PostgreSQL`)
      documents.delete(orderId)
    }
    return [...faults, ...[...documents.keys()].map((orderId) => `${orderId} is not in MongoDB`)]
  } finally {
    await server.kill()
    await sql.close()
  }
}
