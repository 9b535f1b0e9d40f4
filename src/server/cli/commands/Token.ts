/** Makes a token with the server's own secret: `ordinal token --role operator`. An issuer's tokens come from the issuer. */
import { Console, Effect, Option, Redacted, Schema, Struct } from "effect"
import { Command, Flag } from "effect/cli"
import { roles } from "../../../identity/Identity.ts"
import { validity } from "../../SettingKinds.ts"
import * as Settings from "../../Settings.ts"
import { UnusableSetting } from "../../UnusableSetting.ts"
import * as SettingFlags from "../SettingFlags.ts"

const settingFlags = Struct.pick(SettingFlags.flags, ["JWT_SECRET", "JWT_ISSUER", "JWT_AUDIENCE"])

interface Asked {
  readonly role: (typeof roles)[number]
  readonly subject: string
  readonly expires: string
}

const print = ({ expires, role, subject }: Asked) =>
  Effect.gen(function* () {
    const { JWT_AUDIENCE, JWT_ISSUER, JWT_SECRET: secret } = (yield* Settings.load).settings
    const refuse = (problem: string) => new UnusableSetting({ problem })
    if (Redacted.value(secret) === "") {
      return yield* refuse("It is signed with JWT_SECRET, which is not set. Set it to that of the server.")
    }
    const { principalOf } = yield* Effect.promise(() => import("../../../identity/JsonWebTokens.ts"))
    if (principalOf({ role, sub: subject, exp: 0 }) === undefined) {
      return yield* refuse(
        "--subject is 1 to 100 characters without control characters; a customer's is the customer's id, 1 to 64 of A-Z a-z 0-9 _ -."
      )
    }
    const lasts = Option.getOrUndefined(Schema.decodeUnknownOption(validity.schema)(expires))
    if (lasts === undefined) {
      return yield* refuse(`--expires is "${expires}" but must be ${validity.expected}, as in "8 hours".`)
    }
    const { sign } = yield* Effect.promise(() => import("../../../identity/DevelopmentTokens.ts"))
    const token = yield* sign({
      role,
      subject,
      lasts,
      secret,
      ...(JWT_ISSUER === "" ? {} : { issuer: JWT_ISSUER }),
      ...(JWT_AUDIENCE === "" ? {} : { audience: JWT_AUDIENCE })
    })
    yield* Console.log(token)
  })

const flags = {
  ...settingFlags,
  role: Flag.Literals("role", roles).pipe(Flag.withDescription("what the holder of the token may do")),
  subject: Flag.String("subject").pipe(
    Flag.withDescription("who holds the token, which events tell; of a customer, the customer's id"),
    Flag.withDefault("developer")
  ),
  expires: Flag.String("expires").pipe(Flag.withDescription("how long the token is good"), Flag.withDefault("1 hour"))
}

export const command = Command.make("token", flags, ({ expires, role, subject, ...given }) =>
  SettingFlags.command("No token was made.", print({ expires, role, subject }))(given)
).pipe(
  Command.withDescription(
    "Prints a token that a server with this JWT_SECRET takes: for trials, and for the first admin."
  )
)
