/**
 * A store whose calls are counted.
 */
import type * as SessionStore from "effect-session/SessionStore"

/** The store, and every call of it so far, by verb. */
export const counting = (
  store: SessionStore.SessionStore
): { readonly calls: Array<string>; readonly store: SessionStore.SessionStore } => {
  const calls: Array<string> = []
  const counted =
    <Args extends ReadonlyArray<unknown>, A>(verb: string, call: (...args: Args) => A) => (...args: Args): A => {
      calls.push(verb)
      return call(...args)
    }
  return {
    calls,
    store: {
      ...store,
      load: counted("load", store.load),
      save: counted("save", store.save),
      update: counted("update", store.update),
      updateTtl: counted("updateTtl", store.updateTtl),
      renew: counted("renew", store.renew),
      rotate: store.rotate && counted("rotate", store.rotate),
      delete: counted("delete", store.delete)
    }
  }
}
