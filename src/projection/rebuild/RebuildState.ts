/**
 * - `running`, `paused`: by command; resumed after a crash by whichever process is there. One that is running and has to
 *   wait before it can be put in place says for what in its problem.
 * - `blocked`: it can't be put in place (its problem says why); abort it, or resume it after a fix.
 * - `completed`: it serves now.
 * - `aborted`: by command; it is gone, and none of its version begins again by itself.
 * - `replaced`: it gave way to one of another version; one of its own begins again if that is given up.
 */
import { Schema } from "effect"

export const RebuildState = Schema.Literals(["running", "paused", "blocked", "completed", "aborted", "replaced"])
export type RebuildState = typeof RebuildState.Type
