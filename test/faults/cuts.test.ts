/**
 * A connection that breaks within a reply, at every place of it: what is half a reply says nothing, and whether the write
 * happened is unknown. It is not sent again, and the browser keeps the cookie that it has.
 */
import { assert, describe, it } from "@effect/vitest"
import type * as Session from "effect-session/Session"
import * as Effect from "effect/Effect"
import { report } from "../support/figures.js"
import { scaled } from "../support/soak.js"
import type { Handler } from "../support/webApp.js"
import { Counter, handle, User } from "../support/webApp.js"
import { isUnavailable, nothingUnhandled, purge, recovery, renew, whoAmI } from "./faultyApp.js"
import type { FaultyRedis } from "./faultyRedis.js"
import { assertNothingSentTwice, makeFaultyRedis } from "./faultyRedis.js"
import { cut } from "./tcpProxy.js"

/** Places in a reply of so many bytes: its first ones, its last ones, and some between. */
const places = (length: number): ReadonlyArray<number> => {
  const between = Array.from({ length: scaled(4, 200) }, (_, index) => Math.floor(index * length / scaled(4, 200)))
  return Array.from(new Set([0, 1, 2, ...between, length - 2, length - 1]))
    .filter((place) => place >= 0 && place < length)
    .sort((a, b) => a - b)
}

/** Has the session loaded before `work` goes on, so that what comes then is the commit alone. */
const loaded = (
  then: Effect.Effect<unknown>,
  work: (session: Session.Session) => Effect.Effect<unknown, unknown>
): Handler => handle((session) => Effect.zipRight(Effect.zipRight(session.get(User), then), work(session)))

/** The calls of the store, each in a request that makes no other one once `before` has been run. */
const calls: Readonly<Record<string, (before: Effect.Effect<unknown>) => Handler>> = {
  load: (before) => handle((session) => Effect.zipRight(before, session.get(User))),
  update: (before) => loaded(before, (session) => session.updateOr(Counter, 1, (n) => n + 1)),
  renew: (before) => loaded(before, (session) => session.renew),
  delete: (before) => loaded(before, (session) => session.purge),
  save: (before) => handle((session) => Effect.zipRight(session.insert(User, "new"), before))
}

const isNew = (call: string): boolean => call === "save"

/** How long the reply to a call is, when all goes well. */
const replyLength = (faulty: FaultyRedis, call: string) =>
  Effect.gen(function*() {
    const user = yield* faulty.signedIn("somebody")
    let before = 0
    const note = Effect.sync(() => {
      before = faulty.proxy.replied()
    })
    const answer = yield* faulty.request(calls[call]!(note), isNew(call) ? undefined : user.cookie())
    assert.strictEqual(answer.status, 200)
    return faulty.proxy.replied() - before
  })

describe("a connection that breaks within the reply", () => {
  nothingUnhandled()

  for (const call of Object.keys(calls)) {
    it.scopedLive(`to "${call}" makes the request unavailable, wherever it breaks`, () =>
      Effect.gen(function*() {
        const faulty = yield* makeFaultyRedis()
        const alice = yield* faulty.signedIn("alice")
        // Redis knows every script from here on.
        for (const handler of [renew, purge]) {
          yield* faulty.patient(handler, (yield* faulty.signedIn("somebody")).cookie())
        }
        yield* replyLength(faulty, "update")
        const length = yield* replyLength(faulty, call)
        assert.isAbove(length, 3)
        let cuts = 0
        let slowestRecovery = 0
        for (const by of ["Reset", "End"] as const) {
          for (const bytes of places(length)) {
            const user = yield* faulty.signedIn("somebody")
            faulty.forget()
            const answer = yield* faulty.request(
              calls[call]!(faulty.proxy.behave(cut(bytes, by))),
              isNew(call) ? undefined : user.cookie()
            )
            assert.isTrue(isUnavailable(answer), `${by} after ${bytes} of ${length} bytes: ${answer.status}`)
            assertNothingSentTwice(faulty)
            slowestRecovery = Math.max(slowestRecovery, yield* recovery(faulty, alice))
            // The write happened, for the reply was on its way, and it happened once.
            const after = yield* faulty.request(whoAmI, user.cookie())
            assert.strictEqual(after.status, 200)
            assert.deepStrictEqual(after.setCookies, [])
            assert.strictEqual(after.body, call === "renew" || call === "delete" ? null : "somebody")
            cuts++
          }
        }
        report(`Reply to "${call}" cut off`, {
          "bytes of the reply": length,
          cuts,
          "503": cuts,
          "slowest, ms": faulty.slowestMillis(),
          "limit, ms": faulty.limitMillis,
          "slowest recovery, ms": Math.round(slowestRecovery)
        })
      }))
  }
})
