/**
 * - `starting`: not looked at the log yet. `catching-up`: working through a backlog. `live`: following the head.
 * - `retrying`: something failed; it is tried again, nothing is skipped.
 * - `paused`: by command, until it is resumed.
 * - `rebuilding`: a new table is being filled beside the one that serves.
 * - `stopped`: going on would be wrong; somebody has to act. The log says why.
 */
export type ProjectionStatus = "starting" | "catching-up" | "live" | "retrying" | "paused" | "rebuilding" | "stopped"
