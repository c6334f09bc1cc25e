/** What a handler does with a session, and the types that it may count on. */
import * as HttpRouter from "@effect/platform/HttpRouter"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Session from "effect-session/Session"
import type * as SessionKey from "effect-session/SessionKey"
import * as SessionMiddleware from "effect-session/SessionMiddleware"
import type * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import * as Schema from "effect/Schema"

class Basket extends Schema.Class<Basket>("Basket")({
  lines: Schema.Array(Schema.Struct({ article: Schema.NonEmptyString, count: Schema.Positive })),
  coupon: Schema.optional(Schema.String)
}) {}

const BasketEntry = Session.entry("basket", Basket)
const LastSeen: Session.SessionEntry<Date, string> = Session.entry("last_seen", Schema.Date)

export const everyOperation = Effect.gen(function*() {
  const session: Session.Session = yield* Session.Session
  const basket: Option.Option<Basket> = yield* session.get(BasketEntry)
  const byKey: Option.Option<number> = yield* session.get("count", Schema.Number)
  yield* session.insert(BasketEntry, new Basket({ lines: [], coupon: undefined }))
  yield* session.insert("count", Schema.Number, 1)
  const updated: Option.Option<Date> = yield* session.update(LastSeen, (date) => new Date(date.getTime() + 1))
  const count: number = yield* session.updateOr("count", Schema.Number, 1, (n) => n + 1)
  const removed: Option.Option<Session.Json> = yield* session.remove(LastSeen)
  const removedAs: Option.Option<Date> = yield* session.removeAs(LastSeen)
  const isThere: boolean = yield* session.contains("count")
  const entries: ReadonlyMap<string, Session.Json> = yield* session.entries
  const status: Session.SessionStatus = yield* session.status
  const id: Option.Option<SessionKey.SessionId> = yield* session.id
  const createdAt: Option.Option<DateTime.Utc> = yield* session.createdAt
  const expiresAt: Option.Option<DateTime.Utc> = yield* session.expiresAt
  yield* session.renew
  yield* session.clear
  yield* session.purge
  return {
    ...{ basket, byKey, updated, count, removed, removedAs, isThere },
    ...{ entries, status, id, createdAt, expiresAt }
  }
})

type Failure = Effect.Effect.Error<typeof everyOperation>

export const reasonOf = (
  failure: Failure
): Session.SessionGetError["reason"] | Session.SessionInsertError["reason"] => {
  switch (failure._tag) {
    case "SessionGetError":
      return failure.reason
    case "SessionInsertError":
      return failure.reason
  }
}

const show = Effect.map(everyOperation, ({ count }) => HttpServerResponse.text(String(count)))

/** The handlers need a session; the middleware takes that need away and puts its own in the place. */
export const needing: HttpRouter.HttpRouter<Failure, Session.Session> = HttpRouter.empty.pipe(HttpRouter.get("/", show))

export const app: Effect.Effect<
  HttpServerResponse.HttpServerResponse,
  unknown,
  SessionMiddleware.SessionMiddleware | Effect.Effect.Context<typeof needing>
> = SessionMiddleware.session(needing)

// @ts-expect-error: without the middleware nobody provides the session that the handlers need
export const forgotten: HttpRouter.HttpRouter<Failure> = needing
