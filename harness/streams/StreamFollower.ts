/** Clients of the event streams that keep all that came. */
import { isEvent, type Message, overSse, overWebSocket, type PushConnection, type Take } from "./StreamConnection.ts"

export interface Follower extends PushConnection {
  readonly messages: Array<Message>
  /** Events only: their positions. */
  readonly positions: () => Array<number>
  /** The first message, had or to come, that is as asked. */
  readonly until: PushConnection["until"]
  /** Where to go on from. */
  readonly last: () => number | undefined
}

const follow = async <C extends PushConnection>(open: (take: Take) => Promise<C>): Promise<C & Follower> => {
  const messages: Array<Message> = []
  const connection = await open((message) => messages.push(message))
  return {
    ...connection,
    messages,
    positions: () => messages.filter(isEvent).map(({ position }) => position),
    last: () => messages.at(-1)?.position,
    until: async (isIt) => messages.find(isIt) ?? connection.until(isIt)
  }
}

/** Follows `/events<query>`; rejects with the status if the answer is not a stream. */
export const followSse = (url: string, query = "", headers: Record<string, string> = {}) =>
  follow((take) => overSse(url, { query, headers }, take))

/** Follows `/events/ws<query>`; rejects if the WebSocket is not opened. */
export const followWs = (
  url: string,
  query = "",
  options: { readonly headers?: Record<string, string>; readonly protocols?: Array<string> } = {}
) => follow((take) => overWebSocket(url, { query, ...options }, take))
