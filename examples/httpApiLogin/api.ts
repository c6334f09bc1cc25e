/**
 * The API as data, for the server and its clients: docs/guides/http-api-with-login.md goes through it.
 */
import * as HttpApi from "@effect/platform/HttpApi"
import * as HttpApiEndpoint from "@effect/platform/HttpApiEndpoint"
import * as HttpApiGroup from "@effect/platform/HttpApiGroup"
import * as HttpApiSchema from "@effect/platform/HttpApiSchema"
import * as Session from "effect-session/Session"
import * as SessionHttpApi from "effect-session/SessionHttpApi"
import * as Context from "effect/Context"
import * as Schema from "effect/Schema"

export class User extends Schema.Class<User>("User")({ name: Schema.NonEmptyString }) {}

export class Login
  extends Schema.Class<Login>("Login")({ name: Schema.NonEmptyString, password: Schema.Redacted(Schema.String) })
{}

export class WrongPassword extends Schema.TaggedError<WrongPassword>()(
  "WrongPassword",
  {},
  HttpApiSchema.annotations({ status: 403 })
) {}

export const SignedIn = Session.entry("user", User)

export class CurrentUser extends Context.Tag("CurrentUser")<CurrentUser, User>() {}

export class RequireUser extends SessionHttpApi.Guard<RequireUser>()("RequireUser", {
  provides: CurrentUser,
  entry: SignedIn
}) {}

class Account extends HttpApiGroup.make("account")
  .add(HttpApiEndpoint.post("login", "/login").setPayload(Login).addSuccess(User).addError(WrongPassword))
  .add(HttpApiEndpoint.post("logout", "/logout"))
  .add(HttpApiEndpoint.get("me", "/me").addSuccess(User).middleware(RequireUser))
{}

export class Api extends HttpApi.make("shop").add(Account).middleware(SessionHttpApi.Sessions) {}
