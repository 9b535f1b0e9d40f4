/** A client of the event streams that keeps of each event only its position and when it came, however many come. */
import { type End, isEvent, type Message, over, type PushConnection, type Transport } from "./StreamConnection.ts"

export interface Asked {
  readonly transport: Transport
  /** Of one customer; of all if absent. */
  readonly customer?: string
  /** From now on if absent. */
  readonly after?: number
}

export interface PushClient extends Pick<PushConnection, "stopReading" | "startReading" | "cut"> {
  readonly positions: Array<number>
  /** Of each position: milliseconds since 1970, to the microsecond. */
  readonly times: Array<number>
  /** Where to go on from: the last position it heard of, controls included. */
  readonly last: () => number | undefined
  /** How many were said to be ahead of the view. */
  readonly ahead: () => number
  /** What it was sent that it should not have been. */
  readonly faults: Array<string>
  readonly end: () => End | undefined
  /** Until it has heard of this position, or has ended. */
  readonly until: (position: number) => Promise<void>
}

/** One clock for all processes of a machine. */
export const now = () => performance.timeOrigin + performance.now()

const query = ({ after, customer }: Omit<Asked, "transport">) =>
  `?${new URLSearchParams({
    ...(after === undefined ? {} : { after: String(after) }),
    ...(customer === undefined ? {} : { customerId: customer })
  })}`

export const open = async (url: string, { transport, ...asked }: Asked): Promise<PushClient> => {
  const positions: Array<number> = []
  const times: Array<number> = []
  const faults: Array<string> = []
  let last: number | undefined
  let ahead = 0
  let end: End | undefined
  const take = (message: Message) => {
    const { data, id, position } = message
    if (id !== undefined && id !== String(position)) faults.push(`id ${id} stands at position ${position}`)
    if (data.ahead === true) ahead += 1
    last = position
    if (!isEvent(message)) return
    positions.push(position)
    times.push(now())
  }
  const { ended, until, ...connection } = await over[transport](url, { query: query(asked) }, take)
  void ended.then((how) => (end = how))
  return {
    ...connection,
    positions,
    times,
    faults,
    last: () => last,
    ahead: () => ahead,
    end: () => end,
    until: async (position) => {
      if ((last ?? 0) >= position) return
      await until((message) => message.position >= position).catch(() => {})
    }
  }
}
