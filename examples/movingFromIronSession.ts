/**
 * Takes the users of iron-session over, each with their next request: docs/guides/moving-from-iron-session.md goes
 * through it. It asks for a function that opens an old seal, which is iron-session's own `unsealData` in an app that
 * moves.
 */
import * as HttpMiddleware from "@effect/platform/HttpMiddleware"
import * as HttpRouter from "@effect/platform/HttpRouter"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Session from "effect-session/Session"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"

const User = Session.entry("user", Schema.Struct({ name: Schema.NonEmptyString }))

/** What the old app kept under its cookie. */
const OldSession = Schema.Struct({ user: User.schema })

// Stands in for something that all servers share and that forgets by itself: in Redis, `SET moved:<hash> 1 NX EX <ttl>`.
const moved = new Set<string>()
const isFirstTime = (seal: string) =>
  Effect.sync(() => {
    // The part that its MAC covers, as text: whatever else is written around it, it is the same seal.
    const sealed = seal.split("*", 6).join("*")
    const isFirst = !moved.has(sealed)
    moved.add(sealed)
    return isFirst
  })

const takeOver = (seal: string, unseal: (seal: string) => Promise<unknown>) =>
  Effect.gen(function*() {
    const session = yield* Session.Session
    const data = yield* Effect.option(Effect.tryPromise(() => unseal(seal)))
    const old = Option.flatMap(data, Schema.decodeUnknownOption(OldSession))
    // Whoever has signed in here meanwhile stays who they are.
    if (Option.isSome(old) && (yield* isFirstTime(seal)) && !(yield* session.contains(User))) {
      yield* session.insert(User, old.value.user)
      yield* session.renew
    }
  })

export const movingHouse = (cookieName: string, unseal: (seal: string) => Promise<unknown>) =>
  HttpMiddleware.make((app) =>
    Effect.gen(function*() {
      const request = yield* HttpServerRequest.HttpServerRequest
      const seal = request.cookies[cookieName]
      if (seal === undefined) {
        return yield* app
      }
      yield* takeOver(seal, unseal)
      // With the attributes that it was set with, or browsers keep it.
      return HttpServerResponse.expireCookie(yield* app, cookieName, { path: "/", httpOnly: true, secure: true })
    })
  )

export const router = HttpRouter.empty.pipe(
  HttpRouter.get(
    "/",
    Effect.gen(function*() {
      const session = yield* Session.Session
      const user = yield* session.get(User)
      return HttpServerResponse.text(Option.match(user, { onNone: () => "nobody", onSome: ({ name }) => name }))
    })
  ),
  HttpRouter.post(
    "/logout",
    Effect.gen(function*() {
      const session = yield* Session.Session
      yield* session.purge
      return HttpServerResponse.empty()
    })
  )
)
