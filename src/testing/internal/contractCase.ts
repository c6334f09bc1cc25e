/**
 * A case of the store contract: what it is called, which stores it is for, on which clock it runs, and what it does.
 *
 * @internal
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/TestClock"
import * as TestContext from "effect/TestContext"
import * as SessionStore from "../../SessionStore.js"

/** @internal */
export interface ContractCase {
  readonly title: string
  /** Whether only a store that keeps records can pass it. */
  readonly needsInvalidation: boolean
  /** Builds the store, runs the case on it, and dies with an assertion error where the store breaks the contract. */
  readonly check: <E>(store: Layer.Layer<SessionStore.SessionStore, E>) => Effect.Effect<void, unknown>
}

/** @internal */
export interface CaseOptions {
  /**
   * `Stores`: for stores that keep records. `All`, the default: for those that keep everything in the cookie as well.
   */
  readonly for?: "All" | "Stores" | undefined
  /**
   * `Test`, the default: a `TestClock` that starts at the present time, so that a backend with a clock of its own agrees
   * with it. `Live` where calls contend, since a store may wait between its attempts.
   */
  readonly clock?: "Test" | "Live" | undefined
}

/** @internal */
export const contractCase = (
  title: string,
  body: (
    store: SessionStore.ClockedVerbs,
    verbs: SessionStore.SessionStore
  ) => Effect.Effect<void, unknown>,
  options?: CaseOptions
): ContractCase => ({
  title,
  needsInvalidation: options?.for === "Stores",
  // Built on the live clock: what a store does in the background, such as a sweep each minute, would otherwise run
  // thousands of times when a case lets a year go by.
  check: (store) =>
    Effect.scoped(Effect.flatMap(Layer.build(store), (context) => {
      const verbs = Context.get(context, SessionStore.SessionStore)
      const checked = Effect.suspend(() => body(SessionStore.withClock(verbs), verbs))
      return options?.clock === "Live" ? checked : onTestClock(checked)
    }))
})

const onTestClock = <E>(effect: Effect.Effect<void, E>): Effect.Effect<void, E> =>
  Effect.suspend(() => TestClock.setTime(Date.now())).pipe(
    Effect.zipRight(effect),
    Effect.provide(TestContext.TestContext)
  )
