/** `<position>.<log id>`: "at least this fresh". Opaque to callers but for the number before the dot. */
import { Result, Schema } from "effect"

export interface ConsistencyToken {
  readonly position: bigint
  readonly logId: string
}

/** The token is malformed, of another log, or above this log's head. */
export class InvalidToken extends Schema.TaggedError<InvalidToken>()(
  "InvalidToken",
  { token: Schema.String },
  { httpApiStatus: 400 }
) {
  override get message() {
    return "this consistency token was not issued by this log; leave it out, or send one from a later answer"
  }
}

export const format = (token: ConsistencyToken): string => `${token.position}.${token.logId}`

export const parse = (text: string): Result.Result<ConsistencyToken, InvalidToken> => {
  const match = /^(0|[1-9][0-9]{0,18})\.([0-9a-f-]{36})$/.exec(text)
  return match === null
    ? Result.fail(new InvalidToken({ token: text }))
    : Result.succeed({ position: BigInt(match[1]!), logId: match[2]! })
}
