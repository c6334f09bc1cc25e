/**
 * One call of a procedure and the sessions that it has to do with, until its answer begins.
 *
 * @internal
 */
import type * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import type { Session, SessionGetError, SessionInsertError } from "../../Session.js"
import { chain } from "../effect/chain.js"
import { clockOf } from "../effect/clockOf.js"
import { HttpSession, type HttpSessionServices } from "./httpSession.js"
import { MessageSession } from "./messageSession.js"

type AnyFiber = Fiber.RuntimeFiber<unknown, unknown>

/** @internal */
export type SessionError = SessionGetError | SessionInsertError

/** @internal */
export class RpcCall {
  private readonly sessions: Array<HttpSession> = []
  private hasBegunStream = false
  private refused: Deferred.Deferred<never, SessionError> | undefined = undefined

  constructor(
    readonly request: HttpServerRequest.HttpServerRequest,
    /** Whether it is a message of a socket, whose sessions are settled here; else the response does that. */
    readonly isSocket: boolean
  ) {}

  /** The view that this message has of a session; `upgraded` is the one of the request that opened the socket, where there is one. */
  messageSession(services: HttpSessionServices, upgraded: unknown): HttpSession {
    const found = this.sessions.find((session) => session.belongsTo(services, this.request))
    if (found !== undefined) {
      return found
    }
    // The cookie came with the upgrade, and its key may have been replaced by itself since: that makes nobody a thief.
    const arrivedAt = upgraded instanceof HttpSession && upgraded.belongsTo(services, this.request)
      ? upgraded.arrivedAt()
      : Number.NEGATIVE_INFINITY
    const session = new MessageSession(services, this.request, arrivedAt)
    this.sessions.push(session)
    if (this.hasBegunStream) {
      session.close()
    }
    return session
  }

  /** Takes note of a session of the request. */
  uses(session: Session): Effect.Effect<void> {
    return Effect.sync(() => {
      if (session instanceof HttpSession && !this.sessions.includes(session)) {
        this.sessions.push(session)
        if (this.hasBegunStream) {
          session.closeForChanges()
        }
      }
    })
  }

  /** Runs the call, and lets it succeed only if its changes are kept. */
  answer<A, E, R>(handled: Effect.Effect<A, E, R>, isStream: boolean): Effect.Effect<A, E | SessionError, R> {
    return this.isSocket ? this.answerMessage(handled, isStream) : Effect.ensuring(handled, this.endLeft)
  }

  /** Keeps the changes before the first chunk of a stream is sent. Never comes back where they are not kept: the call has failed. */
  beginStream(fiber: AnyFiber): Effect.Effect<void> {
    if (this.hasBegunStream) {
      return Effect.void
    }
    this.hasBegunStream = true
    if (!this.isSocket) {
      for (const session of this.sessions) {
        session.closeForChanges()
      }
      return Effect.void
    }
    return Effect.flatMap(
      Effect.uninterruptible(Effect.suspend(() => this.settle(false, fiber))),
      (error) =>
        error === undefined || this.refused === undefined
          ? Effect.void
          : Effect.zipRight(Deferred.fail(this.refused, error), Effect.never)
    )
  }

  private answerMessage<A, E, R>(
    handled: Effect.Effect<A, E, R>,
    isStream: boolean
  ): Effect.Effect<A, E | SessionError, R> {
    return Effect.withFiberRuntime((fiber) =>
      Effect.uninterruptibleMask((restore) =>
        Effect.flatMap(
          Effect.exit(restore(isStream ? this.unlessRefused(handled) : handled)),
          (exit): Effect.Effect<A, E | SessionError> =>
            chain(
              this.settle(Exit.isFailure(exit) && Cause.isInterruptedOnly(exit.cause), fiber),
              (error) => error !== undefined && Exit.isSuccess(exit) ? Effect.fail(error) : exit
            )
        )
      )
    )
  }

  // What sends a chunk cannot fail with an error of the call.
  private unlessRefused<A, E, R>(handled: Effect.Effect<A, E, R>): Effect.Effect<A, E | SessionError, R> {
    return Effect.flatMap(Deferred.make<never, SessionError>(), (refused) => {
      this.refused = refused
      return Effect.raceFirst(handled, Deferred.await(refused))
    })
  }

  /** All sessions are settled, whatever becomes of each; the first error is the answer. */
  private settle(wasInterrupted: boolean, fiber: AnyFiber): Effect.Effect<SessionError | undefined> {
    const clock = clockOf(fiber)
    const next = (i: number, first: SessionError | undefined): Effect.Effect<SessionError | undefined> => {
      const session = this.sessions[i]
      return session === undefined
        ? Effect.succeed(first)
        : chain(
          session instanceof MessageSession ? session.settleMessage(wasInterrupted, clock) : Effect.succeed(undefined),
          (error) => next(i + 1, first ?? error)
        )
    }
    return next(0, undefined)
  }

  // A handler that lets nobody interrupt it may go on when the client has hung up, and its request with it.
  private readonly endLeft = Effect.withFiberRuntime((fiber) =>
    Effect.forEach(this.sessions, (session) => session.endIfLeft(clockOf(fiber)), { discard: true })
  )
}
