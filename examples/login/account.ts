/**
 * Everything that this app does with a session. The API and the forms of the page both come here.
 */
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as SessionConfig from "effect-session/Config"
import * as Session from "effect-session/Session"
import * as SessionAccount from "effect-session/SessionAccount"
import * as SessionAccounts from "effect-session/SessionAccounts"
import * as SessionFlash from "effect-session/SessionFlash"
import * as Config from "effect/Config"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import {
  Device,
  Done,
  EntryKey,
  EntryValue,
  type Login,
  NameNeeded,
  SessionView,
  type SignOutDevice,
  TooManyEntries,
  User,
  UserName
} from "./models.js"
import { farewells } from "./public/farewells.js"

/** How long a session lives after its last change, and how long for those who want to stay signed in. */
const ttl = Duration.minutes(15)
const rememberedTtl = Duration.days(14)

export const lifecycle = SessionConfig.BrowserSession({ ttl, rememberMe: rememberedTtl, maxLifetime: "60 days" })

// The app's own keys have a colon, which no key of a visitor has: who could write `app:user` could become anybody.
const SignedIn = Session.entry("app:user", User)

/** Who is signed in where. */
export class Account extends SessionAccount.Tag<Account>()("login/Account", {
  id: UserName,
  facts: Schema.Struct({ label: Schema.String })
}) {}

// How long ago a sign-in may be for what ends sessions on other devices.
const FreshFor = Config.withDefault(Config.duration("FRESH_FOR"), Duration.minutes(5))

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
    // It renews the key, and goes first: who signs in under another name gets another session.
    yield* Effect.catchTag(Account.signIn(name, { label: yield* deviceLabel }), "AccountLimitError", Effect.die)
    yield* session.insert(SignedIn, new User({ name }))
    yield* session.remember(remember)
    return yield* done("You are signed in, with a fresh cookie. One from before is worth nothing.")
  })

export const logOut = Effect.gen(function*() {
  const session = yield* Session.Session
  yield* session.purge
  return yield* done(farewells.logout)
})

/** What a browser says that it is, in words. Nobody is believed anything because of it. */
const deviceLabel = Effect.map(HttpServerRequest.HttpServerRequest, ({ headers }) => {
  const userAgent = headers["user-agent"] ?? ""
  const browser = /Firefox|Edg|Chrome|Safari/.exec(userAgent)?.[0] ?? "A browser"
  const system = /Android|iPhone|iPad|Windows|Mac OS|Linux/.exec(userAgent)?.[0] ?? "some system"
  return `${browser} on ${system}`
})

// Where an app has passwords, it asks for the password here.
const provenBy = (again: string) =>
  Effect.gen(function*() {
    const { id } = yield* Account.demand()
    const isFresh = yield* Effect.match(Account.demand({ fresh: yield* Effect.orDie(FreshFor) }), {
      onFailure: () => false,
      onSuccess: () => true
    })
    if (!isFresh && again.trim() !== id) {
      return yield* new NameNeeded({ message: "Your sign-in is some time ago. Please type your name again." })
    }
    if (!isFresh) {
      yield* Account.reauthenticate
    }
    return id
  }).pipe(Effect.catchTag("AccountRequired", (error) => Effect.die(error)))

export const signOutDevice = ({ again, device }: SignOutDevice) =>
  Effect.gen(function*() {
    const id = yield* provenBy(again)
    if (device === "others") {
      const ended = yield* Effect.catchTags(SessionAccounts.endOthers(Account), {
        DeleteError: Effect.die,
        Unauthorized: Effect.die
      })
      return yield* done(ended === 1 ? "One other device is signed out." : `${ended} other devices are signed out.`)
    }
    const wasThere = yield* Effect.orDie(SessionAccounts.end(Account, id, device))
    return yield* done(wasThere ? "That device is signed out." : "That device was signed out already.")
  })

const devices = Effect.gen(function*() {
  const current = yield* Account.current
  if (Option.isNone(current)) {
    return []
  }
  const sessions = yield* Effect.orDie(SessionAccounts.list(Account, current.value.id))
  return sessions.map(({ facts, id, isCurrent, signedInAt }) =>
    new Device({
      id,
      label: Option.match(facts, { onNone: () => "A browser", onSome: ({ label }) => label }),
      signedInAt,
      isThis: isCurrent
    })
  )
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
    devices: yield* devices,
    entries: Array.from(yield* session.entries, ([key, value]) => ({ key, value, isYours: isVisitors(key) }))
  })
})
