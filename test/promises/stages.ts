/**
 * Where visits take place: every store, each with its waits under the hand of the test.
 */
import type * as SessionStore from "effect-session/SessionStore"
import * as Effect from "effect/Effect"
import type { Library } from "./library.js"
import { type Keys, makeStage, type MakeStore, type Stage } from "./visit.js"

export type Stages = (library: Library) => Stage

const inMemory: MakeStore = ({ MemorySessionStore }, gate) => {
  const store = Effect.runSync(MemorySessionStore.make())
  return { ...store, ...gate(store) }
}

/** Waits for nobody: what a request does to its session is done at once, and nothing but handlers wait. */
export const prompt: Stages = (library) =>
  makeStage(library, ({ MemorySessionStore }) => Effect.runSync(MemorySessionStore.make()), "nowhere")

/** Waits before each call. */
export const memory: Stages = (library) => makeStage(library, inMemory, "before")

/** The same, where each visit begins with a key that has to give way by itself. */
export const rotating: Stages = (library) => makeStage(library, inMemory, "before", "renewed by themselves")

/** Waits before each call and again before its answer. */
export const slow: Stages = (library) => makeStage(library, inMemory, "around")

/** What a store's author gets from `SessionStore.make` without saying more, so with its time limit. */
export const authored: Stages = (library) =>
  makeStage(
    library,
    ({ MemorySessionStore, SessionStore }, gate) => SessionStore.make(gate(Effect.runSync(MemorySessionStore.make()))),
    "around"
  )

export const cookie: Stages = (library) =>
  makeStage(library, ({ CookieSessionStore }, gate) => ({
    ...CookieSessionStore.store,
    ...gate(CookieSessionStore.store)
  }), "before")

/** A store on a server of its own, which the test has made. */
export const remote = (store: SessionStore.SessionStore, keys?: Keys): Stages => (library) =>
  makeStage(library, (_, gate) => ({ ...store, ...gate(store) }), "before", keys)
