/**
 * Entry point `ordinal/http`: HTTP APIs, of aggregates of your own and of orders. `AggregateApi.group` defines the API of an
 * aggregate, `AggregateHandlers.layer` answers it, `Server.serve` serves it. `Api` is the API of orders: `Server.layer` serves
 * it, `Server.routes` adds it to a router of your own; `AdminServer` is the operators' API on another port, by which they
 * manage `Webhooks`, too: `StoredWebhooks` delivers them.
 */
export * as AggregateApi from "./aggregate/AggregateApi.ts"
export * as AggregateHandlers from "./aggregate/AggregateHandlers.ts"
export { Caller } from "./handlers/Caller.ts"
export * as AllowedRoles from "./api/AllowedRoles.ts"
export { Authorized } from "./api/Boundary.ts"
export * as Guard from "./guard/Guard.ts"
export * as Identities from "../identity/Identities.ts"
export { Identity, type IdentityService, type Principal } from "../identity/Identity.ts"
export { IdentityUnavailable, Unauthorized } from "../identity/IdentityErrors.ts"
export { Api } from "./api/Api.ts"
export { AdminApi } from "./admin/AdminApi.ts"
export * as AdminServer from "./admin/AdminServer.ts"
export { type ShownSetting, ShownSettings } from "./admin/AdminHandlers.ts"
export { RateLimited } from "./problems/HttpError.ts"
export { Readiness } from "./handlers/Readiness.ts"
export { AllowedSites } from "./listener/AllowedSites.ts"
export { HttpLimits } from "./listener/HttpLimits.ts"
export * as Server from "./listener/Server.ts"
export { OpenStreams } from "./push/OpenStreams.ts"
export { PushLimits } from "./push/PushLimits.ts"
export * as StoredWebhooks from "../webhooks/StoredWebhooks.ts"
export { WebhookOptions } from "../webhooks/WebhookOptions.ts"
export { Webhooks } from "../webhooks/Webhooks.ts"
