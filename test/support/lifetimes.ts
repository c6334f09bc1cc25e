import type * as SessionRecord from "effect-session/SessionRecord"

/** A lifetime that no `maxLifetime` limits. */
export const livingFor = (ttl: number): SessionRecord.Lifetime => ({ ttl, maxLifetime: undefined })
