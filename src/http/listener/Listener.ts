/** Node's HTTP server (or Deno's, through `node:http`) as every port of ours needs it. */
import { createServer, type Server } from "node:http"
import { Duration } from "effect"
import { closesGracefully } from "./GracefulClose.ts"
import type { HttpLimits } from "./HttpLimits.ts"
import { readsFirst } from "./KeepAlive.ts"
import { answerParserErrors } from "./ParserErrors.ts"

// Paths are what the API says, letter by letter; ids of any length are judged by their schema.
export const routerConfig = { caseSensitive: true, ignoreDuplicateSlashes: false, maxParamLength: 16 * 1024 }

export const make = (limits: HttpLimits): Server => {
  const server = createServer({
    // Refused by the frame, with a problem document.
    requireHostHeader: false,
    headersTimeout: Duration.toMillis(limits.headers),
    // The body's own timeout comes first; this one is for what it does not see.
    requestTimeout: Duration.toMillis(limits.headers) + Duration.toMillis(limits.body),
    keepAliveTimeout: Duration.toMillis(limits.keepAlive),
    connectionsCheckingInterval: Math.min(1000, Duration.toMillis(limits.headers) / 2)
  })
  return closesGracefully(answerParserErrors(readsFirst(server)))
}
