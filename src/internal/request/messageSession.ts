/**
 * The session of one message of a WebSocket: a fresh view of the session whose cookie came with the upgrade. What the message
 * does to it is settled before the message is answered, and no cookie can be set, so that what needs one fails.
 *
 * @internal
 */
import type * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { type SessionGetError, SessionInsertError } from "../../Session.js"
import { chain } from "../effect/chain.js"
import type { Change } from "../session/sessionBase.js"
import type { CommitError, CommitOutcome } from "./commit.js"
import { holdsState } from "./contentSecurity.js"
import { HttpSession } from "./httpSession.js"

/** @internal */
export class MessageSession extends HttpSession {
  /**
   * Settles the session, once, and says why what was done to it is not kept, where it is not. Never fails. It is called where
   * nothing interrupts it.
   */
  settleMessage(
    wasInterrupted: boolean,
    clock: Clock.Clock
  ): Effect.Effect<SessionGetError | SessionInsertError | undefined> {
    return this.log().isCommitted
      ? Effect.succeed(undefined)
      : chain(
        this.settle({ wasInterrupted, canSetCookie: false }, clock),
        (outcome) => Effect.succeed(errorOf(outcome))
      )
  }

  override csrfToken(): Effect.Effect<string, SessionInsertError> {
    this.log().isTouched = true
    const token = this.csrfTokens().handOutAgain(this.isNext)
    return token === undefined ? Effect.fail(needsCookie("A new CSRF token")) : Effect.succeed(token)
  }

  protected override refusalOf(change: Change): SessionInsertError | undefined {
    switch (change) {
      case "Renew":
        return needsCookie("The renewal of a session")
      case "Remember":
        return needsCookie("What says how long a session is remembered")
      case "Write":
        return this.log().record === undefined ? needsCookie("A session that begins") : undefined
      case "Purge":
        return holdsState(this.services().store)
          ? needsCookie("The end of a session that is kept in its cookie")
          : undefined
      case "Remove":
        return undefined
    }
  }
}

const needsCookie = (what: string): SessionInsertError =>
  new SessionInsertError({
    reason: "NeedsCookie",
    message:
      `${what} needs a cookie, and a WebSocket can set none. Do it in an ordinary request, and open the socket anew.`
  })

const errorOf = (outcome: CommitOutcome): SessionGetError | SessionInsertError | undefined => {
  switch (outcome._tag) {
    case "Keep":
    case "SetCookie":
      return undefined
    case "NeedsCookie":
      return needsCookie("What was done to the session")
    case "Lost":
      return new SessionInsertError({
        reason: "WritesLost",
        message:
          "What was written is not kept: the session has ended, or a renewal has replaced the key that the socket " +
          "was opened with. Open the socket anew."
      })
    case "Fail":
      return commitError(outcome.error)
  }
}

const commitError = (error: CommitError | undefined): SessionGetError | SessionInsertError =>
  error?._tag === "SessionGetError" || error?._tag === "SessionInsertError"
    ? error
    : new SessionInsertError({
      reason: error?.reason === "TooLarge" ? "TooLarge" : "StoreUnavailable",
      message: `The session could not be committed: ${error?.message ?? "the store broke"}`,
      cause: error
    })
