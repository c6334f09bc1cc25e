/**
 * The procedures of a small shop, which server and client share: sign in, ask who one is, fill a cart, and watch it.
 */
import * as Rpc from "@effect/rpc/Rpc"
import * as RpcGroup from "@effect/rpc/RpcGroup"
import * as Session from "effect-session/Session"
import * as SessionRpc from "effect-session/SessionRpc"
import * as Context from "effect/Context"
import * as Schema from "effect/Schema"

export class User extends Schema.Class<User>("User")({ name: Schema.NonEmptyString }) {}

export class CurrentUser extends Context.Tag("CurrentUser")<CurrentUser, User>() {}

export const SignedIn = Session.entry("user", User)

export const Cart = Session.entry("cart", Schema.Array(Schema.NonEmptyString))

export class RequireUser extends SessionRpc.Guard<RequireUser>()("RequireUser", {
  provides: CurrentUser,
  entry: SignedIn
}) {}

export class Shop extends RpcGroup.make(
  Rpc.make("Login", { payload: { name: Schema.NonEmptyString }, success: User, error: SessionRpc.Failure }),
  Rpc.make("Logout", { error: SessionRpc.Failure }),
  Rpc.make("Me", { success: User }).middleware(RequireUser),
  Rpc.make("AddToCart", {
    payload: { article: Schema.NonEmptyString },
    success: Schema.Number,
    error: SessionRpc.Failure
  }).middleware(RequireUser),
  Rpc.make("Articles", { success: Schema.NonEmptyString, error: SessionRpc.Failure, stream: true }).middleware(
    RequireUser
  )
).middleware(SessionRpc.Sessions) {}
