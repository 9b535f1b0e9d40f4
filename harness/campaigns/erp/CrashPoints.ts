/**
 * Loaded before a program (`node --import`), kills it at the step number `CRASH_AT`, as kill -9 does. Steps are what the
 * program does to the world: each statement and each request or answer has one before it and one after it.
 */
import { ServerResponse } from "node:http"
import { DatabaseSync, StatementSync } from "node:sqlite"

let left = Number(process.env.CRASH_AT ?? 0)

const step = (): void => {
  left -= 1
  if (left === 0) process.kill(process.pid, "SIGKILL")
}

/** Puts a step before and after each call of a method, and one more where its promise is kept. */
const around = (owner: object, name: string): void => {
  const original: (...args: ReadonlyArray<unknown>) => unknown = Reflect.get(owner, name)
  Reflect.set(owner, name, function (this: unknown, ...args: ReadonlyArray<unknown>) {
    step()
    const result = Reflect.apply(original, this, args)
    step()
    if (result instanceof Promise) result.then(step, step)
    return result
  })
}

if (left > 0) {
  around(globalThis, "fetch")
  around(Response.prototype, "json")
  around(DatabaseSync.prototype, "exec")
  for (const name of ["run", "get"]) around(StatementSync.prototype, name)
  around(ServerResponse.prototype, "end")
}
