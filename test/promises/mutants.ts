/**
 * The library with one rule taken out, each bringing back a way in which a promise was once broken.
 */
import * as circumstances from "./circumstances.js"
import type { Replacement } from "./copies.js"
import type { PromiseName } from "./promises.js"
import type * as stages from "./stages.js"
import type { Pair } from "./visits.js"

export interface Mutant extends Replacement {
  /** Two requests that find it in some order. */
  readonly pair: Pair
  readonly stage: Exclude<keyof typeof stages, "remote">
  readonly breaks: PromiseName
}

export const mutants: ReadonlyArray<Mutant> = [
  {
    name: "a sign-in leaves a grace to the keys before it",
    file: "SessionRecord.ts",
    from: "withoutGrace(rewrite.record.superseded, now)",
    to: "rewrite.record.superseded",
    pair: [{ by: "browser", program: "sign in" }, { by: "stranger", program: "read" }],
    stage: "rotating",
    breaks: "plantedKeyOpensNothing"
  },
  {
    name: "a key that is renewed by itself is void at once",
    file: "SessionRecord.ts",
    from: "isInGrace(secret, now) ? \"Current\" : \"Reused\"",
    to: "\"Superseded\"",
    pair: [{ by: "browser", program: "read" }, { by: "browser", program: "read, wait, insert b" }],
    stage: "rotating",
    breaks: "nobodyIsDisturbed"
  },
  {
    name: "a replaced secret renews",
    file: "SessionRecord.ts",
    from: "return Superseded()",
    to: "return rewrite(record)",
    pair: [{ by: "browser", program: "sign in" }, { by: "stranger", program: "read, wait, renew" }],
    stage: "memory",
    breaks: "plantedKeyOpensNothing"
  },
  {
    name: "a replaced secret writes",
    file: "SessionRecord.ts",
    from: "return Superseded()",
    to: "return rewrite(record)",
    pair: [{ by: "browser", program: "sign in anew" }, { by: "stranger", program: "read, wait, insert b" }],
    stage: "memory",
    breaks: "plantedKeyOpensNothing"
  },
  {
    name: "a regenerated session outlives the logout beside it",
    file: "internal/request/commit.ts",
    from: "ended === sessions.length",
    to: "true",
    pair: [{ by: "browser", program: "log out" }, { by: "browser", program: "read, wait, regenerate" }],
    stage: "memory",
    breaks: "endedIsEnded"
  },
  {
    name: "a regenerated session outlives the logout of the one before",
    file: "internal/request/endedSession.ts",
    from: ": Effect.suspend(() => endSession(services, answer, now, undefined, before))",
    to: ": Effect.succeed(false)",
    pair: [{ by: "browser", program: "log out" }, { by: "browser", program: "read, wait, regenerate" }],
    stage: "slow",
    breaks: "endedIsEnded"
  },
  {
    name: "a write to a session that gave way begins another",
    file: "SessionStore.ts",
    from: "SessionRecord.isLate(record, key, now) ? replaced : absent",
    to: "absent",
    pair: [{ by: "browser", program: "regenerate" }, { by: "browser", program: "insert b" }],
    stage: "slow",
    breaks: "signedInIsSignedIn"
  },
  {
    name: "a sign-in outlives the logout beside it",
    file: "internal/request/commit.ts",
    from: "default:\n          return Effect.succeed(this.gone([presented]))",
    to: "default:\n          return this.save([])",
    pair: [{ by: "browser", program: "log out" }, { by: "browser", program: "read, wait, sign in" }],
    stage: "memory",
    breaks: "endedIsEnded"
  },
  {
    name: "a sign-in outlives the logout beside it, in a store that answers at once",
    file: "internal/request/commit.ts",
    from: "default:\n          return Effect.succeed(this.gone([presented]))",
    to: "default:\n          return this.save([])",
    pair: [{ by: "browser", program: "log out" }, { by: "browser", program: "read, wait, sign in" }],
    stage: "prompt",
    breaks: "endedIsEnded"
  },
  {
    name: "a replaced key does not log out",
    file: "SessionRecord.ts",
    from:
      `    case "Superseded":\n    case "Reused":\n      return [true, successor === undefined ? undefined : traceOf(record, successor, now)]`,
    to: `      return [true, undefined]\n    case "Superseded":\n    case "Reused":\n      return [false, record]`,
    pair: [{ by: "browser", program: "renew" }, { by: "browser", program: "log out" }],
    stage: "memory",
    breaks: "endedIsEnded"
  },
  {
    name: "what is lost is answered with success, a renewal beside",
    file: "internal/request/commit.ts",
    from: `config.lostWrites === "Refuse" ? lost : keep`,
    to: "keep",
    pair: [{ by: "browser", program: "renew" }, { by: "browser", program: "insert b" }],
    stage: "memory",
    breaks: "noWriteIsLost"
  },
  {
    name: "what is lost is answered with success, a logout beside",
    file: "internal/request/commit.ts",
    from: `config.lostWrites === "Refuse" ? lost : keep`,
    to: "keep",
    pair: [{ by: "browser", program: "log out" }, { by: "browser", program: "read, wait, insert b" }],
    stage: "memory",
    breaks: "noWriteIsLost"
  },
  {
    name: "a second sign-in is answered and does nothing",
    file: "internal/request/commitDecision.ts",
    from: `return facts.hasValues ? "SaveBeside" : facts.asksForWrites ? "Drop" : "Nothing"`,
    to: `return "Nothing"`,
    pair: [{ by: "browser", program: "sign in", isLost: true }, { by: "browser", program: "sign in" }],
    stage: "memory",
    breaks: "signedInIsSignedIn"
  },
  {
    name: "a time limit outside undoes a logout",
    file: "internal/request/httpSession.ts",
    from: "if (!session.awaitsEnd) {",
    to: "if (session !== undefined) {",
    pair: [
      { by: "browser", program: "log out, wait", cut: "a time limit outside" },
      { by: "browser", program: "read" }
    ],
    stage: "memory",
    breaks: "askedEndIsCarriedOut"
  },
  {
    name: "a client that hangs up interrupts the store",
    file: "internal/port/boundedCall.ts",
    from: "Effect.forkDaemon(Effect.intoDeferred(",
    to: "Effect.fork(Effect.intoDeferred(",
    pair: [{ by: "browser", program: "log out", cut: "the client hangs up" }, { by: "browser", program: "read" }],
    stage: "authored",
    breaks: "askedEndIsCarriedOut"
  }
]

/** Those that no order of requests shows. */
export const circumstantialMutants: ReadonlyArray<
  Replacement & { readonly circumstance: circumstances.Circumstance }
> = [
  {
    name: "a limit holds for those alone who began under it",
    file: "internal/request/presentedSession.ts",
    from: "const expiresAt = SessionRecord.endsAt(record, lifetime)",
    to: "const { expiresAt } = { ...lifetime, ...record }",
    circumstance: circumstances.aLimitComesWithADeploy
  },
  {
    name: "a streamed body does not vary by the cookie",
    file: "internal/request/httpSession.ts",
    from: "const change = isMadeWhileSent(response) ?",
    to: "const change = isMadeWhileSent(response) && false ?",
    circumstance: circumstances.aBodyIsMadeWhileItIsSent
  },
  {
    name: "the fiber that opens a session is taken for the one that answers",
    file: "SessionMiddleware.ts",
    from: "const owner = responding(fiber, request)",
    to: "const owner = responding(fiber, request) && fiber",
    circumstance: circumstances.aFiberOfItsOwnOpensTheSession
  },
  {
    name: "a sign-in beside two live sessions ends neither",
    file: "internal/request/commitDecision.ts",
    from: `case "Purged":\n    case "Renewed":\n      return endSession(facts)`,
    to: `case "Purged":\n      return endSession(facts)\n    case "Renewed":`,
    circumstance: circumstances.twoCookiesOfOneName
  }
]
