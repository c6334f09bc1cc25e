/**
 * Keys that are known before they are drawn, for cases that need two sessions to draw the same id.
 *
 * What a store's keys are made of is node:crypto's `randomBytes`. It is replaced for the time of a case, in the test's own
 * process, so that the library itself has no way to be told what to draw.
 *
 * @internal
 */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import crypto from "node:crypto"
import { syncBuiltinESMExports } from "node:module"
import type { SessionId, SessionKey } from "../../SessionKey.js"

/** @internal */
export interface Draws {
  readonly ids: ReadonlyArray<SessionId>
  readonly secrets?: ReadonlyArray<SessionKey> | undefined
}

const idBytes = 16
const secretBytes = 32

const replaceRandomBytes = (randomBytes: unknown): void => {
  Reflect.set(crypto, "randomBytes", randomBytes)
  // What a module has imported by name follows only when it is told.
  syncBuiltinESMExports()
}

/**
 * Runs the effect while the next keys come from `draws`, and those after them from chance as ever. Dies when a draw is
 * left over: the store does not draw its keys by `SessionKey.mint`, and what the case is about was not tried.
 *
 * @internal
 */
export const withDraws = <A, E>(draws: Draws, effect: Effect.Effect<A, E>): Effect.Effect<A, E> =>
  Effect.acquireUseRelease(
    Effect.sync(() => {
      const original = crypto.randomBytes
      const waiting = new Map([
        [idBytes, draws.ids.map((id) => Buffer.from(id, "base64url"))],
        [secretBytes, (draws.secrets ?? []).map(({ secret }) => Buffer.from(Redacted.value(secret), "base64url"))]
      ])
      replaceRandomBytes((size: number, ...rest: ReadonlyArray<unknown>): unknown => {
        const drawn = rest.length === 0 ? waiting.get(size)?.shift() : undefined
        return drawn ?? (Reflect.apply(original, crypto, [size, ...rest]) as unknown)
      })
      return { original, waiting }
    }),
    ({ waiting }) =>
      Effect.tap(effect, () => {
        for (const left of waiting.values()) {
          assert.isEmpty(left, "the store has drawn fewer keys by SessionKey.mint than the case gave it")
        }
      }),
    ({ original }) => Effect.sync(() => replaceRandomBytes(original))
  )
