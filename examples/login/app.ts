/**
 * The routes of the login example. What changes something is a POST that answers with a redirect, so that reloading the
 * page repeats nothing.
 *
 * Against requests that other sites make in the visitor's name (CSRF), this example relies on `SameSite=Lax`, which keeps
 * the cookie out of their POSTs, and on GET changing nothing. An app with more at stake adds a check of the `Origin`
 * header or a token: a page on a sibling subdomain is the same site, and a login form needs no cookie to be forged.
 */
import * as HttpMiddleware from "@effect/platform/HttpMiddleware"
import * as HttpRouter from "@effect/platform/HttpRouter"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Session from "effect-session/Session"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { fileURLToPath } from "node:url"
import type { Deed, Visit } from "./page.js"
import { page } from "./page.js"

/** How long a session lives after its last change. */
export const ttl = Duration.minutes(15)

const UserName = Schema.Trim.pipe(Schema.minLength(1), Schema.maxLength(80))

const Name = Session.entry("name", UserName)
const Count = Session.entry("count", Schema.NonNegativeInt)
const CountedAt = Session.entry("counted_at", Schema.DateTimeUtc)

const Deeds = Schema.Literal("login", "count", "renew", "logout", "ended", "unnamed")

/** Back to the page, which then says what was done. 303 makes a GET of it. */
const backAfter = (deed: Deed) => HttpServerResponse.redirect(`/?after=${deed}`, { status: 303 })

/** The session as the page shows it, for who is logged in. */
const currentVisit: Effect.Effect<Option.Option<Visit>, Session.SessionGetError, Session.Session> = Effect.gen(
  function*() {
    const session = yield* Session.Session
    const now = yield* DateTime.now
    const expiresAt = yield* session.expiresAt
    return Option.all({
      name: yield* session.get(Name),
      count: Option.orElseSome(yield* session.get(Count), () => 0),
      id: yield* session.id,
      status: Option.some(yield* session.status),
      createdAt: yield* session.createdAt,
      secondsLeft: Option.map(
        expiresAt,
        (end) => Math.max(0, Math.ceil(Duration.toSeconds(DateTime.distanceDuration(now, end))))
      ),
      entries: Option.some(yield* session.entries)
    })
  }
)

const index = Effect.gen(function*() {
  const visit = yield* currentVisit
  const { after } = yield* HttpServerRequest.schemaSearchParams(Schema.Struct({ after: Schema.optional(Deeds) })).pipe(
    Effect.orElseSucceed(() => ({ after: undefined }))
  )
  const view = { visit: Option.getOrUndefined(visit), deed: after, ttlSeconds: Duration.toSeconds(ttl) }
  return HttpServerResponse.html(page(view).text).pipe(HttpServerResponse.setHeader("cache-control", "no-store"))
})

const login = Effect.gen(function*() {
  const session = yield* Session.Session
  const form = yield* Effect.option(HttpServerRequest.schemaBodyUrlParams(Schema.Struct({ name: UserName })))
  if (Option.isNone(form)) {
    return backAfter("unnamed")
  }
  // What an earlier user left in this session is none of the new one's business.
  yield* session.clear
  yield* session.insert(Name, form.value.name)
  yield* session.renew
  return backAfter("login")
})

/** For those whose session is still there; the others are told that it is not. */
const loggedIn = <E, R>(deed: Deed, work: (session: Session.Session) => Effect.Effect<void, E, R>) =>
  Effect.gen(function*() {
    const session = yield* Session.Session
    if (!(yield* session.contains(Name))) {
      return backAfter("ended")
    }
    yield* work(session)
    return backAfter(deed)
  })

const count = loggedIn("count", (session) =>
  Effect.gen(function*() {
    yield* session.updateOr(Count, 1, (n) => n + 1)
    yield* session.insert(CountedAt, yield* DateTime.now)
  }))

const renew = loggedIn("renew", (session) => session.renew)

const logout = loggedIn("logout", (session) => session.purge)

const file = (name: string) =>
  HttpServerResponse.file(fileURLToPath(new URL(name, import.meta.url)), { headers: { "cache-control": "no-cache" } })

/** Nothing but what this server sends runs, styles or frames the page, and its forms go nowhere else. */
const withSecurityHeaders = HttpMiddleware.make((app) =>
  Effect.map(
    app,
    HttpServerResponse.setHeaders({
      "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        + "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
      "cross-origin-opener-policy": "same-origin",
      "referrer-policy": "same-origin",
      "x-content-type-options": "nosniff"
    })
  )
)

export const app = HttpRouter.empty.pipe(
  HttpRouter.get("/", index),
  HttpRouter.post("/login", login),
  HttpRouter.post("/count", count),
  HttpRouter.post("/renew", renew),
  HttpRouter.post("/logout", logout),
  HttpRouter.get("/style.css", file("style.css")),
  HttpRouter.get("/client.js", file("client.js")),
  HttpRouter.get("/icon.svg", file("icon.svg")),
  HttpRouter.use(withSecurityHeaders)
)
