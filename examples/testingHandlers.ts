/**
 * A shop to be tested: docs/guides/testing-handlers.md goes through it and through examples/testingHandlers.test.ts.
 */
import * as HttpRouter from "@effect/platform/HttpRouter"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Session from "effect-session/Session"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"

export const User = Session.entry("user", Schema.NonEmptyString)
export const Cart = Session.entry("cart", Schema.Array(Schema.NonEmptyString))

/** Puts an item into the cart and answers what is in it now. */
export const put = (item: string) =>
  Effect.flatMap(Session.Session, (session) => session.updateOr(Cart, [item], (cart) => [...cart, item]))

/** Signs in; the cart comes along. */
export const logIn = (name: string) =>
  Effect.gen(function*() {
    const session = yield* Session.Session
    yield* session.insert(User, name)
    yield* session.renew
  })

export const logOut = Effect.flatMap(Session.Session, (session) => session.purge)

/** Who is there, and what is in the cart. */
export const look = Effect.gen(function*() {
  const session = yield* Session.Session
  const user = yield* session.get(User)
  const cart = yield* session.get(Cart)
  return { user: Option.getOrElse(user, () => "nobody"), cart: Option.getOrElse(cart, () => []) }
})

const param = (name: string) => Effect.map(HttpRouter.params, (params) => params[name] ?? "")

export const router = HttpRouter.empty.pipe(
  HttpRouter.get("/", Effect.flatMap(look, HttpServerResponse.json)),
  HttpRouter.post("/cart/:item", Effect.as(Effect.flatMap(param("item"), put), HttpServerResponse.empty())),
  HttpRouter.post("/login/:name", Effect.as(Effect.flatMap(param("name"), logIn), HttpServerResponse.empty())),
  HttpRouter.post("/logout", Effect.as(logOut, HttpServerResponse.empty()))
)
