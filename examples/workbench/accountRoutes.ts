/**
 * The routes of the workbench about accounts: who is signed in, where, and how it ends. Every route takes `?delay=` and `?fail=1` as
 * well.
 */
import * as HttpRouter from "@effect/platform/HttpRouter"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as SessionAccount from "effect-session/SessionAccount"
import * as SessionAccounts from "effect-session/SessionAccounts"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { adjustable, readSession } from "./adjustments.js"

class Account extends SessionAccount.Tag<Account>()("workbench/Account", {
  id: Schema.String,
  facts: Schema.Struct({ label: Schema.String })
}) {}

const json = HttpServerResponse.unsafeJson
const noContent = HttpServerResponse.empty()

const SignIn = Schema.parseJson(Schema.Struct({ account: Schema.String, label: Schema.optional(Schema.String) }))

const signIn = Effect.gen(function*() {
  const request = yield* HttpServerRequest.HttpServerRequest
  const { account, label } = yield* Schema.decode(SignIn)(yield* request.text)
  yield* Account.signIn(account, label === undefined ? undefined : { label })
  return noContent
})

const account = Effect.map(Account.current, (current) =>
  json({
    account: Option.getOrNull(Option.map(current, ({ id }) => id)),
    authenticatedAt: Option.getOrNull(Option.map(current, ({ authenticatedAt }) => DateTime.formatIso(authenticatedAt)))
  }))

const sessions = Effect.gen(function*() {
  const { id } = yield* Account
  const sessions = yield* SessionAccounts.list(Account, id)
  return json({
    sessions: sessions.map(({ createdAt, expiresAt, facts, id, isCurrent }) => ({
      id,
      createdAt: DateTime.formatIso(createdAt),
      expiresAt: DateTime.formatIso(expiresAt),
      isCurrent,
      label: Option.getOrNull(Option.map(facts, ({ label }) => label))
    }))
  })
})

const endSession = Effect.gen(function*() {
  const { id } = yield* Account
  const { session = "" } = yield* HttpRouter.params
  return (yield* SessionAccounts.end(Account, id, session)) ? noContent : HttpServerResponse.empty({ status: 404 })
})

const endOthers = Effect.map(SessionAccounts.endOthers(Account), (ended) => json({ ended }))

const endAll = Effect.gen(function*() {
  const { id } = yield* Account
  return json({ ended: yield* SessionAccounts.endAll(Account, id) })
})

const fresh = Effect.gen(function*() {
  const { seconds } = yield* HttpServerRequest.schemaSearchParams(
    Schema.Struct({ seconds: Schema.NumberFromString.pipe(Schema.nonNegative()) })
  )
  yield* Account.demand({ fresh: Duration.seconds(seconds) })
  return noContent
})

export const accountRoutes = HttpRouter.empty.pipe(
  HttpRouter.post("/signin", signIn),
  HttpRouter.get("/account", account),
  HttpRouter.get("/account/sessions", Account.required(sessions)),
  HttpRouter.del("/account/sessions/:session", Account.required(endSession)),
  HttpRouter.post("/account/end-others", Account.required(endOthers)),
  HttpRouter.post("/account/end-all", Account.required(endAll)),
  HttpRouter.get("/account/fresh", fresh),
  HttpRouter.use(adjustable({ beforeDelay: readSession }))
)
