/**
 * Manages the API keys of machines: `ordinal keys create|list|revoke`. It opens the database itself, so it also makes the
 * first key of an admin; beside a running server with an embedded database, use `/admin/keys` of its operators' port.
 */
import { Clock, Console, Duration, Effect, Option, References, Schema, Struct } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import * as Scopes from "../../../http/api/Scopes.ts"
import * as Migrations from "../../../database/Migrations.ts"
import * as ApiKeys from "../../../identity/ApiKeys.ts"
import * as App from "../../App.ts"
import { listed, validity } from "../../SettingKinds.ts"
import { UnusableSetting } from "../../UnusableSetting.ts"
import * as Output from "../Output.ts"
import * as SettingFlags from "../SettingFlags.ts"

const flags = {
  ...Struct.pick(SettingFlags.flags, ["DATABASE_URL", "DATABASE_SCHEMA", "ALLOW_PGLITE_IN_PRODUCTION"]),
  json: Output.jsonFlag
}

interface Asked {
  readonly name: string
  readonly scopes: string
  readonly expires: Option.Option<string>
}

/** Does something with the keys of a database that is brought up to date first; only what goes wrong is logged. */
const withKeys = <E extends Error>(use: (keys: ApiKeys.ApiKeyService) => Effect.Effect<void, E>) =>
  App.withDatabase(
    Effect.andThen(Migrations.run, Effect.flatMap(ApiKeys.make, use)).pipe(
      Effect.provideService(References.MinimumLogLevel, "Error")
    )
  )

const refuse = (problem: string) => Effect.fail(new UnusableSetting({ problem }))

const create =
  ({ expires, name, scopes }: Asked, isJson: boolean) =>
  (keys: ApiKeys.ApiKeyService) =>
    Effect.gen(function* () {
      const mistake = Scopes.mistakeIn(listed(scopes))
      if (mistake !== undefined) return yield* refuse(`${mistake}.`)
      const lasts = Option.map(expires, Schema.decodeUnknownOption(validity.schema))
      if (Option.isSome(lasts) && Option.isNone(lasts.value)) {
        return yield* refuse(`--expires must be ${validity.expected}, as in "90 days".`)
      }
      const now = yield* Clock.currentTimeMillis
      const ends = Option.map(Option.flatten(lasts), (lasts) => new Date(now + Duration.toMillis(lasts)))
      const expiresAt = Option.getOrUndefined(ends)
      const { key, shown } = yield* keys.create({ name, scopes: listed(scopes), expiresAt })
      yield* isJson ? Output.json({ ...shown, key }) : Console.log(key)
    })

const stateOf = ({ expiresAt, revokedAt }: { readonly expiresAt?: string; readonly revokedAt?: string }): string => {
  if (revokedAt !== undefined) return `revoked ${revokedAt}`
  return expiresAt === undefined ? "" : `until ${expiresAt}`
}

const list = (isJson: boolean) => (keys: ApiKeys.ApiKeyService) =>
  Effect.flatMap(keys.list, (all) =>
    isJson
      ? Output.json(all)
      : Output.table(all.map((key) => [key.id, key.name, key.scopes.join(","), key.createdAt, stateOf(key)]))
  )

const revoke = (id: string, isJson: boolean) => (keys: ApiKeys.ApiKeyService) =>
  Effect.flatMap(keys.revoke(id), (key) =>
    isJson ? Output.json(key) : Console.log(`The key ${key.id} (${key.name}) is revoked.`)
  )

const subcommands = [
  Command.make(
    "create",
    {
      ...flags,
      name: Flag.String("name").pipe(Flag.withDescription("whose key it is")),
      scopes: Flag.String("scopes").pipe(
        Flag.withDescription(
          `what the key may do, separated by commas: ${Scopes.scopes.join(", ")}, and such as orders:*`
        )
      ),
      expires: Flag.String("expires").pipe(
        Flag.withDescription('how long the key is good, as in "90 days"; until it is revoked without it'),
        Flag.optional
      )
    },
    ({ expires, json, name, scopes, ...given }) =>
      SettingFlags.command("No key was made.", withKeys(create({ expires, name, scopes }, json)))(given)
  ).pipe(Command.withDescription("Makes a key, and prints it this once.")),
  Command.make("list", flags, ({ json, ...given }) =>
    SettingFlags.command("The keys can't be listed.", withKeys(list(json)))(given)
  ).pipe(Command.withDescription("Lists the keys, revoked ones included, without their secrets.")),
  Command.make(
    "revoke",
    { ...flags, id: Argument.String("id").pipe(Argument.withDescription("the key, as `keys list` names it")) },
    ({ id, json, ...given }) => SettingFlags.command("The key was not revoked.", withKeys(revoke(id, json)))(given)
  ).pipe(Command.withDescription("Revokes the key with this id, for good. Servers refuse it within 10 s."))
] as const

export const command = Command.make("keys").pipe(
  Command.withDescription("Manages the API keys of machines."),
  Command.withSubcommands(subcommands)
)
