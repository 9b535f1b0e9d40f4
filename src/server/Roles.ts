/**
 * A process has the roles that its setting ROLE names, all of them by default: `command` answers commands, takes those of the
 * inbox and forgets keys whose time is over; `query` answers queries and event streams; `projector` makes the views, delivers
 * to webhooks, publishes events and audits. Health, metrics and the operators' port are in every process.
 *
 * The processes share nothing but the database. `layer` tells each part of the program whether it runs here.
 */
import { Duration, Effect, Layer, Redacted } from "effect"
import { CommandRetention } from "../eventstore/CommandRetention.ts"
import { Elsewhere, type Others } from "../http/handlers/Elsewhere.ts"
import { RunsProjections } from "../projection/ProjectionHost.ts"
import { listed, setting, text, type Values } from "./SettingKinds.ts"
import { UnusableSetting } from "./UnusableSetting.ts"

const names = ["command", "query", "projector"] as const

export type Role = (typeof names)[number]

const any = names.join("|")
const roles = text(
  "roles",
  "all, or some of command, query and projector, separated by commas",
  new RegExp(`^(all|(${any})(,(${any}))*)$`)
)
const url = text(
  "url",
  "a URL such as http://orders.internal:3000 without a user, or nothing",
  /^(https?:\/\/[^\s/?#@]+(\/[^\s?#]*)?)?$/
)

export const roleSettings = {
  ROLE: setting("all", roles, "what this process does: all, or some of command, query and projector"),
  COMMAND_URL: setting("", url, "where commands are answered; a process that answers none redirects them there"),
  QUERY_URL: setting("", url, "where queries are answered; a process that answers none redirects them there")
} satisfies Record<string, unknown>

export type RoleSettings = Values<typeof roleSettings>

export const of = ({ ROLE }: Pick<RoleSettings, "ROLE">): ReadonlySet<Role> =>
  new Set(names.filter((name) => ROLE === "all" || listed(ROLE).includes(name)))

/** Refuses a part of the work for a process whose embedded database no other process can use. */
export const check = Effect.fnUntraced(function* (
  settings: RoleSettings & { readonly DATABASE_URL: Redacted.Redacted }
) {
  const isEmbedded = Redacted.value(settings.DATABASE_URL).startsWith("pglite:")
  if (!isEmbedded || of(settings).size === names.length) return
  return yield* new UnusableSetting({
    problem:
      `The setting ROLE is "${settings.ROLE}", but the embedded database of DATABASE_URL is for one process, which has to do ` +
      "all. Unset ROLE, or keep the orders in PostgreSQL."
  })
})

const others = (url: string): Others => (url === "" ? {} : { url: url.replace(/\/+$/, "") })

export const layer = (settings: RoleSettings & { readonly IDEMPOTENCY_RETENTION: Duration.Duration }) => {
  const here = of(settings)
  return Layer.mergeAll(
    Layer.succeed(Elsewhere, {
      ...(here.has("command") ? {} : { command: others(settings.COMMAND_URL) }),
      ...(here.has("query") ? {} : { query: others(settings.QUERY_URL) })
    }),
    Layer.succeed(CommandRetention, here.has("command") ? settings.IDEMPOTENCY_RETENTION : Duration.infinity),
    Layer.succeed(RunsProjections, here.has("projector"))
  )
}
