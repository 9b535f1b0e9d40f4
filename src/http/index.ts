/**
 * Entry point `ordinal/http`: the HTTP API of orders. `Api` is its definition; `Server.layer` serves it on Node's HTTP
 * server, `Server.routes` adds it to a router of your own; `AdminServer` is the operators' API on another port.
 */
export { Api } from "./api/Api.ts"
export { AdminApi } from "./admin/AdminApi.ts"
export * as AdminServer from "./admin/AdminServer.ts"
export { type ShownSetting, ShownSettings } from "./admin/AdminHandlers.ts"
export { Readiness } from "./handlers/Readiness.ts"
export { AllowedSites } from "./listener/AllowedSites.ts"
export { HttpLimits } from "./listener/HttpLimits.ts"
export * as Server from "./listener/Server.ts"
export { OpenStreams } from "./push/OpenStreams.ts"
export { PushLimits } from "./push/PushLimits.ts"
