/**
 * The routes of the workbench, one a session operation. Every route takes `?delay=` and `?fail=1` as well.
 */
import * as HttpRouter from "@effect/platform/HttpRouter"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Session from "effect-session/Session"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { adjustable, readSession } from "./adjustments.js"

const Counter = Session.entry("counter", Schema.NonNegativeInt)
const UserId = Session.entry("user_id", Schema.String)

const json = HttpServerResponse.unsafeJson
const noContent = HttpServerResponse.empty()

/** What is not JSON fails with a `ParseError`, which the platform answers with 400. */
const readBody = <A, I>(schema: Schema.Schema<A, I>) =>
  Effect.flatMap(
    HttpServerRequest.HttpServerRequest,
    (request) => Effect.flatMap(request.text, Schema.decode(Schema.parseJson(schema)))
  )

const summary = Effect.gen(function*() {
  const session = yield* Session.Session
  return json({
    counter: Option.getOrElse(yield* session.get(Counter), () => 0),
    user_id: Option.getOrNull(yield* session.get(UserId))
  })
})

const doSomething = Effect.gen(function*() {
  const session = yield* Session.Session
  const counter = yield* session.get(Counter)
  yield* session.insert(Counter, Option.getOrElse(counter, () => 0) + 1)
  return yield* summary
})

const login = Effect.gen(function*() {
  const session = yield* Session.Session
  const { user_id } = yield* readBody(Schema.Struct({ user_id: Schema.String }))
  yield* session.insert(UserId, user_id)
  yield* session.renew
  return yield* summary
})

const logout = Effect.gen(function*() {
  const session = yield* Session.Session
  const user = yield* session.get(UserId)
  if (Option.isNone(user)) {
    return HttpServerResponse.text("Could not log out anonymous user")
  }
  yield* session.purge
  return HttpServerResponse.text(`Logged out: ${user.value}`)
})

const protectedCount = Effect.gen(function*() {
  const session = yield* Session.Session
  return (yield* session.contains(UserId)) ? yield* summary : HttpServerResponse.empty({ status: 401 })
})

const allEntries = Effect.gen(function*() {
  const session = yield* Session.Session
  return json(Object.fromEntries(yield* session.entries))
})

/** The key as the router hands it over: percent-decoded once. */
const keyInPath = Effect.map(HttpRouter.params, ({ key = "" }) => key)

const getEntry = Effect.gen(function*() {
  const session = yield* Session.Session
  const value = yield* session.get(yield* keyInPath, Schema.Unknown)
  return Option.match(value, {
    onNone: () => HttpServerResponse.empty({ status: 404 }),
    onSome: (value) => json({ value })
  })
})

const putEntry = Effect.gen(function*() {
  const session = yield* Session.Session
  yield* session.insert(yield* keyInPath, Schema.Unknown, yield* readBody(Schema.Unknown))
  return noContent
})

const deleteEntry = Effect.gen(function*() {
  const session = yield* Session.Session
  yield* session.remove(yield* keyInPath)
  return noContent
})

const incrementEntry = Effect.gen(function*() {
  const session = yield* Session.Session
  return json({ value: yield* session.updateOr(yield* keyInPath, Schema.Number, 1, (n) => n + 1) })
})

const clear = Effect.flatMap(Session.Session, (session) => Effect.as(session.clear, noContent))
const purge = Effect.flatMap(Session.Session, (session) => Effect.as(session.purge, noContent))
const renew = Effect.flatMap(Session.Session, (session) => Effect.as(session.renew, noContent))

const status = Effect.gen(function*() {
  const session = yield* Session.Session
  return json({ status: yield* session.status, id: Option.getOrNull(yield* session.id) })
})

const sessionRoutes = HttpRouter.empty.pipe(
  HttpRouter.get("/", summary),
  HttpRouter.post("/do_something", doSomething),
  HttpRouter.post("/login", login),
  HttpRouter.post("/logout", logout),
  HttpRouter.get("/protected/count", protectedCount),
  HttpRouter.get("/entries", allEntries),
  HttpRouter.get("/entries/:key", getEntry),
  HttpRouter.put("/entries/:key", putEntry),
  HttpRouter.del("/entries/:key", deleteEntry),
  HttpRouter.post("/entries/:key/increment", incrementEntry),
  HttpRouter.post("/clear", clear),
  HttpRouter.post("/purge", purge),
  HttpRouter.post("/renew", renew),
  HttpRouter.get("/status", status),
  HttpRouter.use(adjustable({ beforeDelay: readSession }))
)

const otherRoutes = HttpRouter.empty.pipe(
  HttpRouter.get("/untouched", noContent),
  HttpRouter.use(adjustable({ beforeDelay: Effect.void }))
)

export const router = HttpRouter.concat(sessionRoutes, otherRoutes)
