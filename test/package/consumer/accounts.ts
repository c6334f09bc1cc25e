/** Accounts, and the types that their declaration gives to what handlers do with them. */
import type * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Session from "effect-session/Session"
import * as SessionAccount from "effect-session/SessionAccount"
import * as SessionAccounts from "effect-session/SessionAccounts"
import * as SessionHttpApi from "effect-session/SessionHttpApi"
import * as SessionMiddleware from "effect-session/SessionMiddleware"
import type * as SessionStore from "effect-session/SessionStore"
import type * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import type * as Option from "effect/Option"
import * as Schema from "effect/Schema"

class Account extends SessionAccount.Tag<Account>()("Account", {
  id: Schema.Int,
  facts: Schema.Struct({ label: Schema.String }),
  before: Session.entry("user_id", Schema.Int)
}) {}

class AdminSession extends SessionMiddleware.Tag("AdminSession")<AdminSession>() {}
class Admin extends SessionAccount.Tag<Admin>()("Admin", { id: Schema.NonEmptyString, session: AdminSession }) {}

export const signIn: Effect.Effect<
  void,
  SessionAccount.AccountLimitError | Session.SessionInsertError,
  Session.Session | SessionAccounts.SessionAccounts
> = Account.signIn(1, { label: "a browser" })

export const signInAsAdmin: Effect.Effect<
  void,
  SessionAccount.SignInError,
  AdminSession | SessionAccounts.SessionAccounts<AdminSession>
> = Admin.signIn("root")

// @ts-expect-error: the id of this account is a number
export const wrongId = Account.signIn("1")

// @ts-expect-error: an account without facts takes none
export const wrongFacts = Admin.signIn("root", { label: "a browser" })

export const current: Effect.Effect<
  Option.Option<SessionAccount.SignedIn<number, { readonly label: string }>>,
  Session.SessionGetError,
  Session.Session
> = Account.current

export const list: Effect.Effect<
  ReadonlyArray<SessionAccounts.AccountSession<{ readonly label: string }>>,
  SessionStore.LoadError,
  SessionAccounts.SessionAccounts
> = SessionAccounts.list(Account, 1)

// @ts-expect-error: the sessions of another account
export const wrongList = SessionAccounts.list(Account, "root")

export const layer: Layer.Layer<
  SessionAccounts.SessionAccounts<AdminSession>,
  SessionStore.SessionStoreConfigError,
  SessionStore.SessionStore
> = SessionAccounts.layerFor(AdminSession)

/** The guard takes away the need for the account, and puts that for a session in the place. */
export const guarded = (
  app: Effect.Effect<HttpServerResponse.HttpServerResponse, never, Account>
): Effect.Effect<
  HttpServerResponse.HttpServerResponse,
  SessionAccount.AccountRequired | Session.SessionGetError,
  Session.Session | Effect.Effect.Context<ReturnType<typeof Account.required<never, never>>>
> => Account.required(app)

export class RequireFresh extends SessionHttpApi.AccountGuard<RequireFresh>()("RequireFresh", {
  account: Account,
  fresh: "5 minutes"
}) {}

export const requireFresh: Layer.Layer<RequireFresh, never, SessionMiddleware.SessionMiddleware> = RequireFresh.layer
