/**
 * Everything that this app does with a session. The API and the forms of the page both come here.
 */
import * as SessionConfig from "effect-session/Config"
import * as Session from "effect-session/Session"
import * as SessionFlash from "effect-session/SessionFlash"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { Done, EntryKey, EntryValue, type Login, SessionView, TooManyEntries, User } from "./models.js"
import { farewells } from "./public/farewells.js"

/** How long a session lives after its last change, and how long for those who want to stay signed in. */
const ttl = Duration.minutes(15)
const rememberedTtl = Duration.days(14)

export const lifecycle = SessionConfig.BrowserSession({ ttl, rememberMe: rememberedTtl, maxLifetime: "60 days" })

// The app's own keys have a colon, which no key of a visitor has: who could write `app:user` could become anybody.
const SignedIn = Session.entry("app:user", User)

/** Leaves word for the page that comes after a redirect. */
export const Notices = SessionFlash.make("app:notices", Done)

export class CurrentUser extends Context.Tag("login/CurrentUser")<CurrentUser, User>() {}

/** What a route asks for that is for users only. */
export const userRequired = { provides: CurrentUser, entry: SignedIn }

const maxEntries = 12

const isVisitors = Schema.is(EntryKey)

const done = (text: string) =>
  Effect.gen(function*() {
    const session = yield* Session.Session
    return new Done({ status: yield* session.status, text })
  })

export const logIn = ({ name, remember }: Login) =>
  Effect.gen(function*() {
    const session = yield* Session.Session
    // What an earlier user left in this session is none of the new one's business.
    yield* session.clear
    yield* session.insert(SignedIn, new User({ name }))
    yield* session.remember(remember)
    yield* session.renew
    return yield* done("You are signed in, with a fresh cookie. One from before is worth nothing.")
  })

export const logOut = Effect.gen(function*() {
  const session = yield* Session.Session
  yield* session.purge
  return yield* done(farewells.logout)
})

export const renew = Effect.gen(function*() {
  const session = yield* Session.Session
  yield* session.renew
  return yield* done("Your browser has a new cookie and the old one is void. The session is the same.")
})

export const keep = (key: string, value: unknown) =>
  Effect.gen(function*() {
    const session = yield* Session.Session
    const keys = Array.from((yield* session.entries).keys())
    if (!keys.includes(key) && keys.filter((key) => isVisitors(key)).length >= maxEntries) {
      return yield* new TooManyEntries({ message: `There is room for ${maxEntries} entries. Remove one first.` })
    }
    yield* session.insert(key, EntryValue, value)
    return (yield* session.status) === "Unchanged"
      ? yield* done(`“${key}” has that value already, so nothing was written.`)
      : yield* done(`“${key}” is kept, and the session’s time starts anew.`)
  })

export const remove = (key: string) =>
  Effect.gen(function*() {
    const session = yield* Session.Session
    return Option.isSome(yield* session.remove(key))
      ? yield* done(`“${key}” is removed, and the session’s time starts anew.`)
      : yield* done(`There is no “${key}”, so nothing was removed.`)
  })

/** The session of this request, for all to see. */
export const look = Effect.gen(function*() {
  const session = yield* Session.Session
  const isRemembered = yield* session.isRemembered
  return new SessionView({
    user: Option.getOrNull(yield* session.get(SignedIn)),
    id: Option.getOrNull(yield* session.id),
    status: yield* session.status,
    createdAt: Option.getOrNull(yield* session.createdAt),
    expiresAt: Option.getOrNull(yield* session.expiresAt),
    secondsLeft: Option.getOrNull(Option.map(yield* session.timeLeft, (left) => Math.ceil(Duration.toSeconds(left)))),
    ttlSeconds: Duration.toSeconds(isRemembered ? rememberedTtl : ttl),
    isRemembered,
    entries: Array.from(yield* session.entries, ([key, value]) => ({ key, value, isYours: isVisitors(key) }))
  })
})
