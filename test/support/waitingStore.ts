/**
 * A store that has to wait, as one does that asks a server: for tests of what becomes of calls that take their time.
 */
import * as SessionStore from "effect-session/SessionStore"
import * as Effect from "effect/Effect"

/** The store, each verb of which lets other fibers go first and then does what it does. */
export const waiting = (store: SessionStore.SessionStoreVerbs): SessionStore.SessionStore => {
  const inner = SessionStore.withClock(store)
  const later = <A, E>(call: Effect.Effect<A, E>) => Effect.zipRight(Effect.yieldNow(), call)
  return SessionStore.make({
    readKey: store.readKey,
    load: (key) => later(inner.load(key)),
    save: (state, lifetime) => later(inner.save(state, lifetime)),
    update: (key, change, lifetime) => later(inner.update(key, change, lifetime)),
    updateTtl: (key, lifetime) => later(inner.updateTtl(key, lifetime)),
    renew: (key, change, lifetime) => later(inner.renew(key, change, lifetime)),
    delete: (key, _now, successor) => later(inner.delete(key, successor))
  }, { timeout: "none" })
}
