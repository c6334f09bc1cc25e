/**
 * The page and its forms, for browsers with and without script. What changes something is a POST that answers with a
 * redirect, so that reloading the page repeats nothing; what cannot be done is shown at once, with what was typed.
 */
import * as HttpLayerRouter from "@effect/platform/HttpLayerRouter"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Session from "effect-session/Session"
import * as SessionGuard from "effect-session/SessionGuard"
import * as SessionHttpLayerRouter from "effect-session/SessionHttpLayerRouter"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as account from "./account.js"
import { documentOf, type Page } from "./document.js"
import { type Done, EntryKey, EntryValue, Login, SessionView, SignOutDevice } from "./models.js"
import { farewells } from "./public/farewells.js"
import { textOf, valueOf } from "./public/value.js"

const Search = Schema.Struct({
  after: Schema.optional(Schema.Literal("logout", "ended")),
  change: Schema.optional(EntryKey)
})

const currentSession = Effect.flatMap(account.look, (view) => Effect.orDie(Schema.encode(SessionView)(view)))

const show = (page: Page) => HttpServerResponse.html(documentOf(page).text)

const index = Effect.gen(function*() {
  const notices = yield* account.Notices.take
  const session = yield* currentSession
  const { after, change } = yield* Effect.orElseSucceed(
    HttpServerRequest.schemaSearchParams(Search),
    (): typeof Search.Type => ({})
  )
  const changed = session.entries.find(({ key }) => key === change)
  return show({
    session,
    lastStatus: notices.at(-1)?.status ?? "Unchanged",
    notice: notices.at(-1)?.text ?? (after && farewells[after]),
    fields: changed && { key: changed.key, value: textOf(changed.value) }
  })
})

/** Back to the page. 303 makes a GET of it. */
const back = (address: string = "/") => HttpServerResponse.redirect(address, { status: 303 })

const backWithNotice = (done: Done) => Effect.as(account.Notices.add(done), back())

const refuse = (fields: Page["fields"], problem: Page["problem"]) =>
  Effect.map(
    currentSession,
    (session) => HttpServerResponse.setStatus(show({ session, lastStatus: "Unchanged", problem, fields }), 422)
  )

/** What was typed, and what it means; when that is nothing, the page again with a word beside the field. */
const withForm = <A, I, E, R>(
  schema: Schema.Schema<A, I>,
  read: (fields: Record<string, string>) => unknown,
  use: (value: A, fields: Record<string, string>) => Effect.Effect<HttpServerResponse.HttpServerResponse, E, R>
) =>
  Effect.gen(function*() {
    const request = yield* HttpServerRequest.HttpServerRequest
    const fields = Object.fromEntries(yield* request.urlParamsBody)
    const decoded = yield* Effect.either(Schema.decodeUnknown(schema)(read(fields)))
    if (decoded._tag === "Right") {
      return yield* use(decoded.right, fields)
    }
    const [issue] = ParseResult.ArrayFormatter.formatErrorSync(decoded.left)
    return yield* refuse(fields, { field: String(issue?.path[0]), text: issue?.message ?? "" })
  })

const logIn = withForm(
  Login,
  (fields) => ({ name: fields["name"] ?? "", remember: fields["remember"] === "on" }),
  (login) => Effect.flatMap(account.logIn(login), backWithNotice)
)

const keep = withForm(
  Schema.Struct({ key: EntryKey, value: EntryValue }),
  (fields) => ({ key: fields["key"] ?? "", value: valueOf(fields["value"] ?? "") }),
  ({ key, value }, fields) =>
    account.keep(key, value).pipe(
      Effect.flatMap(backWithNotice),
      Effect.catchTag("TooManyEntries", ({ message }) => refuse(fields, { field: "key", text: message }))
    )
)

const remove = withForm(
  Schema.Struct({ key: EntryKey }),
  (fields) => fields,
  ({ key }) => Effect.flatMap(account.remove(key), backWithNotice)
)

const signOutDevice = withForm(
  SignOutDevice,
  (fields) => ({ device: fields["device"] ?? "", again: fields["again"] ?? "" }),
  (payload, fields) =>
    account.signOutDevice(payload).pipe(
      Effect.flatMap(backWithNotice),
      Effect.catchTag("NameNeeded", ({ message }) => refuse(fields, { field: "again", text: message }))
    )
)

/** Tells a page when its session has ended, by whomever. */
const ended = Effect.map(Session.Session, (session) =>
  HttpServerResponse.stream(
    Stream.make(": listening\n\n").pipe(
      Stream.concat(Stream.never),
      Stream.interruptWhen(session.ended),
      Stream.concat(Stream.make("event: ended\ndata:\n\n")),
      Stream.encodeText
    ),
    { contentType: "text/event-stream" }
  ))

const renew = Effect.flatMap(account.renew, backWithNotice)

const logOut = Effect.as(account.logOut, back("/?after=logout"))

/** For users only; the others are told that their session is not there any more. */
const forUsers = SessionGuard.make({ ...account.userRequired, orElse: Effect.succeed(back("/?after=ended")) })

const forms = [
  HttpLayerRouter.route("POST", "/login", logIn),
  HttpLayerRouter.route("POST", "/logout", logOut),
  HttpLayerRouter.route("POST", "/renew", forUsers(renew)),
  HttpLayerRouter.route("POST", "/devices/sign-out", forUsers(signOutDevice)),
  HttpLayerRouter.route("POST", "/entries", forUsers(keep)),
  HttpLayerRouter.route("POST", "/entries/remove", forUsers(remove))
]

// Whoever goes to the address of a form, as after a reload of a refused one, finds the page.
const waysBack = forms.map(({ path }) => HttpLayerRouter.route("GET", path, Effect.succeed(back())))

export const Pages = HttpLayerRouter.addAll([
  HttpLayerRouter.route("GET", "/", index),
  HttpLayerRouter.route("GET", "/ended", ended),
  ...forms,
  ...waysBack
]).pipe(
  Layer.provide(SessionHttpLayerRouter.layer)
)
