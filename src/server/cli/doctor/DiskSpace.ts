/** Looks whether the directory of an embedded database may be written, and has room. */
import { Effect } from "effect"
import { constants } from "node:fs"
import { access, statfs } from "node:fs/promises"
import { dirname, resolve } from "node:path"
import { causeText } from "../../../database/CauseText.ts"
import { Broken } from "./Findings.ts"

/** A new database takes about half of it. */
const least = 64 * 1024 ** 2

/** Returns what is there already of the path. */
const existing = async (path: string): Promise<string> => {
  const isThere = await access(path, constants.F_OK).then(
    () => true,
    () => false
  )
  return isThere || dirname(path) === path ? path : existing(dirname(path))
}

export const check = Effect.fnUntraced(function* (directory: string) {
  const free = yield* Effect.tryPromise({
    try: async () => {
      const path = await existing(resolve(directory))
      await access(path, constants.W_OK)
      const { bavail, bsize } = await statfs(path)
      return bavail * bsize
    },
    catch: (cause) =>
      new Broken({
        problem: `The directory ${directory} can't be written (${causeText(cause)}). Give this user the right, or name another one in DATABASE_URL.`
      })
  })
  const megabytes = Math.floor(free / 1024 ** 2)
  if (free >= least) return `${megabytes} MiB are free in ${directory}.`
  return yield* new Broken({
    problem: `Only ${megabytes} MiB are free on the disk of ${directory}. Make room there, or name another directory in DATABASE_URL.`
  })
})
