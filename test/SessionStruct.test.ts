import { assert, describe, it } from "@effect/vitest"
import * as Session from "effect-session/Session"
import * as SessionStruct from "effect-session/SessionStruct"
import * as CookieSessionStore from "effect-session/stores/CookieSessionStore"
import * as TestSession from "effect-session/testing/TestSession"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { inspect } from "node:util"
import { expectTypeOf } from "vitest"
import { handle, type Handler, makeWebApp } from "./support/webApp.js"

const User = Schema.Struct({ name: Schema.String, since: Schema.Date })
type User = typeof User.Type
const ferris: User = { name: "ferris", since: new Date(0) }
const ferrisEncoded = { name: "ferris", since: "1970-01-01T00:00:00.000Z" }

const Theme = Schema.Literal("light", "dark")
type Theme = typeof Theme.Type

const Shop = SessionStruct.make({
  counter: Schema.NonNegativeInt,
  user: User,
  coupon: Schema.optional(Schema.String),
  theme: Schema.optionalWith(Theme, { default: () => "light" }),
  hits: Schema.optionalWith(Schema.NonNegativeInt, { default: () => 0 }),
  referrer: Schema.optionalWith(Schema.String, { as: "Option" }),
  cart: Schema.propertySignature(Schema.Array(Schema.String)).pipe(Schema.fromKey("basket"))
})

const given = (state: { readonly [key: string]: Session.Json } = {}) => Effect.provide(TestSession.layer(state))

const entriesOf = (session: Session.Session) =>
  Effect.map(session.entries, (entries): Record<string, Session.Json> => Object.fromEntries(entries))

const stored = Effect.flatMap(Session.Session, entriesOf)

describe("SessionStruct", () => {
  describe("by field", () => {
    it.effect("a field that is not there is none, and one with a default is its default", () =>
      Effect.gen(function*() {
        const shop = yield* Shop
        assert.deepStrictEqual(yield* shop.get("counter"), Option.none())
        assert.deepStrictEqual(yield* shop.get("coupon"), Option.none())
        assert.deepStrictEqual(yield* shop.get("cart"), Option.none())
        assert.strictEqual(yield* shop.get("theme"), "light")
        assert.deepStrictEqual(yield* shop.get("referrer"), Option.none())
        assert.strictEqual(yield* shop.session.status, "Unchanged")
      }).pipe(given()))

    it.effect("a field that is there is decoded", () =>
      Effect.gen(function*() {
        const shop = yield* Shop
        assert.deepStrictEqual(yield* shop.get("user"), Option.some(ferris))
        assert.deepStrictEqual(yield* shop.get("coupon"), Option.some("HALF"))
        assert.strictEqual(yield* shop.get("theme"), "dark")
        assert.deepStrictEqual(yield* shop.get("referrer"), Option.some("https://example.com"))
      }).pipe(given({ user: ferrisEncoded, coupon: "HALF", theme: "dark", referrer: "https://example.com" })))

    it.effect("an insert is encoded under the key of its field", () =>
      Effect.gen(function*() {
        const shop = yield* Shop
        yield* shop.insert("user", ferris)
        yield* shop.insert("coupon", "HALF")
        yield* shop.insert("theme", "dark")
        yield* shop.insert("referrer", Option.some("https://example.com"))
        yield* shop.insert("cart", ["tea"])
        assert.deepStrictEqual(yield* stored, {
          user: ferrisEncoded,
          coupon: "HALF",
          theme: "dark",
          referrer: "https://example.com",
          basket: ["tea"]
        })
      }).pipe(given()))

    it.effect("what a Schema encodes by leaving it out is removed by an insert", () =>
      Effect.gen(function*() {
        const shop = yield* Shop
        yield* shop.insert("referrer", Option.none())
        assert.deepStrictEqual(yield* stored, { coupon: "HALF" })
      }).pipe(given({ coupon: "HALF", referrer: "https://example.com" })))

    it.effect("a failed insert is a typed error and changes nothing", () =>
      Effect.gen(function*() {
        const shop = yield* Shop
        for (const insert of [shop.insert("counter", -1), shop.insert("hits", -1)]) {
          const error = yield* Effect.flip(insert)
          assert.strictEqual(error.reason, "EncodeFailed")
          assert.include(error.message, "NonNegativeInt")
        }
        assert.strictEqual(yield* shop.session.status, "Unchanged")
      }).pipe(given()))

    it.effect("update changes what is there, and leaves absent what is not", () =>
      Effect.gen(function*() {
        const shop = yield* Shop
        assert.deepStrictEqual(yield* shop.update("counter", (n) => n + 1), Option.some(4))
        assert.deepStrictEqual(yield* shop.update("user", () => assert.fail("called")), Option.none())
        assert.deepStrictEqual(yield* stored, { counter: 4 })
      }).pipe(given({ counter: 3 })))

    it.effect("updateOr inserts as it is what it is given, then updates", () =>
      Effect.gen(function*() {
        const shop = yield* Shop
        assert.strictEqual(yield* shop.updateOr("counter", 1, (n) => n + 1), 1)
        assert.strictEqual(yield* shop.updateOr("counter", 1, (n) => n + 1), 2)
        assert.strictEqual(yield* shop.updateOr("coupon", "HALF", (coupon) => `${coupon}!`), "HALF")
        assert.deepStrictEqual(yield* stored, { counter: 2, coupon: "HALF" })
      }).pipe(given()))

    it.effect("the first update of a field with a default is given the default", () =>
      Effect.gen(function*() {
        const shop = yield* Shop
        assert.strictEqual(yield* shop.update("hits", (n) => n + 10), 10)
        assert.strictEqual(yield* shop.update("hits", (n) => n + 10), 20)
        assert.deepStrictEqual(yield* stored, { hits: 20 })
      }).pipe(given()))

    it.effect("an update of a stored value has nothing to do with the default", () =>
      Effect.gen(function*() {
        const Strict = SessionStruct.make({
          hits: Schema.optionalWith(Schema.Number, { default: () => assert.fail("asked for") })
        })
        const strict = yield* Strict
        assert.strictEqual(yield* strict.update("hits", (n) => n + 1), 8)
        assert.strictEqual(yield* strict.get("hits"), 8)
      }).pipe(given({ hits: 7 })))

    it.effect("an update that leaves absent what is absent writes nothing, and one that would leave out what is there fails", () =>
      Effect.gen(function*() {
        const shop = yield* Shop
        const more = Option.map((referrer: string) => `${referrer}!`)
        assert.deepStrictEqual(yield* shop.update("referrer", more), Option.none())
        assert.strictEqual(yield* shop.session.status, "Unchanged")
        assert.deepStrictEqual(yield* shop.update("referrer", () => Option.some("a")), Option.some("a"))
        assert.deepStrictEqual(yield* shop.update("referrer", more), Option.some("a!"))
        const error = yield* Effect.flip(shop.update("referrer", Option.none))
        assert.strictEqual(error.reason, "EncodeFailed")
        assert.deepStrictEqual(yield* stored, { referrer: "a!" })
      }).pipe(given()))

    it.effect("remove answers the JSON and removeAs the value that was there", () =>
      Effect.gen(function*() {
        const shop = yield* Shop
        assert.deepStrictEqual(yield* shop.remove("user"), Option.some(ferrisEncoded))
        assert.deepStrictEqual(yield* shop.removeAs("cart"), Option.some(["tea"]))
        assert.deepStrictEqual(yield* shop.removeAs("theme"), Option.some("dark" as const))
        assert.deepStrictEqual(yield* shop.removeAs("theme"), Option.none())
        assert.strictEqual(yield* shop.get("theme"), "light")
        assert.deepStrictEqual(yield* stored, {})
      }).pipe(given({ user: ferrisEncoded, basket: ["tea"], theme: "dark" })))

    it.effect("a name that was not declared is a defect which says what was", () =>
      Effect.gen(function*() {
        const shop = yield* Shop
        assert.throws(() => shop.get("Counter" as "counter"), /no field "Counter": it has counter, user/)
      }).pipe(given()))

    it.effect("two fibers of one request that update one field with a default both count", () =>
      Effect.gen(function*() {
        const shop = yield* Shop
        yield* Effect.all(
          Array.from({ length: 20 }, () => shop.update("hits", (n) => n + 1)),
          { concurrency: "unbounded" }
        )
        assert.strictEqual(yield* shop.get("hits"), 20)
      }).pipe(given()))
  })

  describe("as a whole", () => {
    it.effect("all answers every field, and nothing else of the session", () =>
      Effect.gen(function*() {
        const shop = yield* Shop
        assert.deepStrictEqual(yield* shop.all, {
          counter: Option.some(3),
          user: Option.none(),
          coupon: Option.none(),
          theme: "light",
          hits: 0,
          referrer: Option.none(),
          cart: Option.some(["tea"])
        })
      }).pipe(given({ counter: 3, basket: ["tea"], other: 1 })))

    it.effect("all may be run as often as one likes", () =>
      Effect.gen(function*() {
        const { all, insert } = yield* Effect.map(
          Shop,
          (shop) => ({ all: shop.all, insert: shop.insert("counter", 1) })
        )
        assert.deepStrictEqual((yield* all).counter, Option.none())
        yield* insert
        assert.deepStrictEqual((yield* all).counter, Option.some(1))
      }).pipe(given()))

    it.effect("all fails for the first field that does not decode, by its key", () =>
      Effect.gen(function*() {
        const shop = yield* Shop
        const error = yield* Effect.flip(shop.all)
        assert.strictEqual(error.reason, "DecodeFailed")
        assert.strictEqual(error.key, "theme")
      }).pipe(given({ counter: 3, theme: "purple", basket: "none" })))

    it.effect("a store that is away is a typed error of every operation", () =>
      Effect.gen(function*() {
        const shop = yield* Shop
        const failures: ReadonlyArray<Effect.Effect<unknown, Session.SessionGetError | Session.SessionInsertError>> = [
          shop.get("theme"),
          shop.all,
          shop.insert("theme", "dark"),
          shop.insert("referrer", Option.none()),
          shop.update("hits", (n) => n + 1),
          shop.updateOr("counter", 1, (n) => n + 1),
          shop.remove("cart"),
          shop.removeAs("cart")
        ]
        for (const failure of failures) {
          assert.strictEqual((yield* Effect.flip(failure)).reason, "StoreUnavailable")
        }
      }).pipe(Effect.provide(TestSession.layerUnavailable)))
  })

  describe("declaring", () => {
    it.effect("the entry of a field is for all that takes an entry", () =>
      Effect.gen(function*() {
        const session = yield* Session.Session
        const { cart, coupon, counter, theme, user } = Shop.entries
        assert.strictEqual(cart.key, "basket")
        yield* session.insert(user, ferris)
        yield* session.insert(cart, ["tea"])
        assert.deepStrictEqual(yield* session.get(user), Option.some(ferris))
        assert.deepStrictEqual(yield* session.get(cart), Option.some(["tea"]))
        assert.deepStrictEqual(yield* session.get(theme), Option.none())
        assert.deepStrictEqual(yield* session.get(coupon), Option.none())
        assert.deepStrictEqual(yield* session.updateOr(counter, 1, (n) => n + 1), 1)
        assert.isFalse(yield* session.contains(theme))
        assert.strictEqual((yield* Effect.flip(session.insert(theme, "purple" as Theme))).reason, "EncodeFailed")
      }).pipe(given()))

    it.effect("over another session tag it leaves the default session alone", () =>
      Effect.gen(function*() {
        class AdminSession extends Context.Tag("AdminSession")<AdminSession, Session.Session>() {}
        const Admin = SessionStruct.make(
          { failures: Schema.optionalWith(Schema.Int, { default: () => 0 }) },
          AdminSession
        )
        expectTypeOf(Admin).toExtend<Effect.Effect<unknown, never, AdminSession>>()
        yield* Effect.gen(function*() {
          const admin = yield* Admin
          assert.strictEqual(yield* admin.update("failures", (n) => n + 1), 3)
          assert.deepStrictEqual(yield* stored, { failures: 7 })
          assert.deepStrictEqual(yield* Effect.flatMap(AdminSession, entriesOf), { failures: 3 })
        }).pipe(Effect.provide(Layer.effect(AdminSession, TestSession.make({ failures: 2 }))))
      }).pipe(given({ failures: 7 })))

    it.effect("of sees a session that one has", () =>
      Effect.gen(function*() {
        const session = yield* TestSession.make({ counter: 3 })
        assert.deepStrictEqual(yield* Shop.of(session).get("counter"), Option.some(3))
        assert.strictEqual(Shop.of(session).session, session)
      }))

    it("two fields under one key are refused, with both names and the mend", () => {
      assert.throws(
        () =>
          SessionStruct.make({
            cart: Schema.String,
            basket: Schema.propertySignature(Schema.String).pipe(Schema.fromKey("cart"))
          }),
        /"cart" and "basket" would both be kept under the key "cart": give one of them another name/
      )
    })

    it("two fields that swap their names are kept apart", () => {
      const Swapped = SessionStruct.make({
        a: Schema.propertySignature(Schema.String).pipe(Schema.fromKey("b")),
        b: Schema.propertySignature(Schema.String).pipe(Schema.fromKey("a"))
      })
      assert.deepStrictEqual([Swapped.entries.a.key, Swapped.entries.b.key], ["b", "a"])
    })

    it("a key that is a symbol is refused", () => {
      const renamed = Schema.propertySignature(Schema.String).pipe(Schema.fromKey(Symbol("a")))
      assert.throws(
        () => SessionStruct.make({ a: renamed }),
        /"a" is renamed to a symbol.*give Schema.fromKey a string/
      )
    })

    it("names and keys that every object has are refused, with the mend", () => {
      for (const name of ["__proto__", "constructor", "toString", "valueOf"]) {
        const renamed = Schema.propertySignature(Schema.String).pipe(Schema.fromKey(name))
        const refusal = new RegExp(`cannot be called ${name}.*give it another name`)
        assert.throws(() => SessionStruct.make({ [name]: Schema.String }), refusal)
        assert.throws(() => SessionStruct.make({ a: renamed }), refusal)
      }
    })

    it.effect("the empty name is a name", () =>
      Effect.gen(function*() {
        const odd = yield* SessionStruct.make({ "": Schema.Number })
        yield* odd.insert("", 1)
        assert.deepStrictEqual(yield* odd.all, { "": Option.some(1) })
        assert.deepStrictEqual(yield* stored, { "": 1 })
      }).pipe(given()))

    it.effect("a default that is against its Schema is a typed error which names the field", () =>
      Effect.gen(function*() {
        const bad = yield* SessionStruct.make({ n: Schema.optionalWith(Schema.NonNegativeInt, { default: () => -1 }) })
        const error = yield* Effect.flip(bad.get("n"))
        assert.strictEqual(error.reason, "DecodeFailed")
        assert.match(error.message, /default of the session field "n"/)
      }).pipe(given()))

    it("types say what may be absent", () => {
      type Fields = typeof Shop.fields
      expectTypeOf<SessionStruct.Whole<Fields>>().toEqualTypeOf<{
        readonly counter: Option.Option<number>
        readonly user: Option.Option<User>
        readonly coupon: Option.Option<string>
        readonly theme: Theme
        readonly hits: number
        readonly referrer: Option.Option<string>
        readonly cart: Option.Option<ReadonlyArray<string>>
      }>()
      expectTypeOf<SessionStruct.NamesThatMayBeAbsent<Fields>>()
        .toEqualTypeOf<"counter" | "user" | "coupon" | "cart">()
      expectTypeOf(Shop.entries.theme).toEqualTypeOf<Session.SessionEntry<Theme, Theme>>()
      expectTypeOf(Shop.entries.coupon).toEqualTypeOf<Session.SessionEntry<string, string>>()
      expectTypeOf(Shop.entries.user)
        .toEqualTypeOf<Session.SessionEntry<User, { readonly name: string; readonly since: string }>>()
      expectTypeOf(Shop).toExtend<
        Effect.Effect<SessionStruct.TypedSession<Fields>, never, Session.Session>
      >()
      const all = Effect.flatMap(Shop, (shop) => shop.all)
      expectTypeOf(all).toEqualTypeOf<
        Effect.Effect<SessionStruct.Whole<Fields>, Session.SessionGetError, Session.Session>
      >()
    })

    it("types refuse other names, other values, and an alternative to a default", () => {
      const misuse = (shop: SessionStruct.TypedSession<typeof Shop.fields>) => [
        // @ts-expect-error no such field
        () => shop.get("Counter"),
        // @ts-expect-error not a number
        () => shop.insert("counter", "1"),
        // @ts-expect-error an optional field is removed, not set to undefined
        () => shop.insert("coupon", undefined),
        // @ts-expect-error there is always a theme
        () => shop.updateOr("theme", "dark", () => "dark"),
        // @ts-expect-error not a theme
        () => shop.update("theme", () => "purple")
      ]
      assert.isFunction(misuse)
    })

    it.effect("the services of a field's Schema are asked for by that field, and by the whole", () =>
      Effect.gen(function*() {
        class Factor extends Context.Tag("Factor")<Factor, number>() {}
        const Scaled = Schema.transformOrFail(Schema.Number, Schema.Number, {
          strict: true,
          decode: (n) => Effect.map(Factor, (factor) => n * factor),
          encode: (n) => Effect.map(Factor, (factor) => n / factor)
        })
        const Scales = SessionStruct.make({
          plain: Schema.Number,
          scaled: Scaled,
          defaulted: Schema.optionalWith(Scaled, { default: () => 50 })
        })
        const scales = yield* Scales
        expectTypeOf(scales.get("plain")).toEqualTypeOf<
          Effect.Effect<Option.Option<number>, Session.SessionGetError>
        >()
        expectTypeOf(scales.get("scaled")).toEqualTypeOf<
          Effect.Effect<Option.Option<number>, Session.SessionGetError, Factor>
        >()
        expectTypeOf(scales.all).toEqualTypeOf<
          Effect.Effect<SessionStruct.Whole<typeof Scales.fields>, Session.SessionGetError, Factor>
        >()
        yield* scales.insert("plain", 1)
        yield* Effect.gen(function*() {
          yield* scales.insert("scaled", 30)
          assert.strictEqual(yield* scales.update("defaulted", (n) => n + 10), 60)
          assert.deepStrictEqual(yield* scales.all, { plain: Option.some(1), scaled: Option.some(30), defaulted: 60 })
        }).pipe(Effect.provideService(Factor, 10))
        assert.deepStrictEqual(yield* stored, { plain: 1, scaled: 3, defaulted: 6 })
      }).pipe(given()))
  })

  describe("old records", () => {
    it.effect("a new field with a default meets a record from before it", () =>
      Effect.gen(function*() {
        const Newer = SessionStruct.make({
          user: Schema.String,
          language: Schema.optionalWith(Schema.String, { default: () => "en" })
        })
        const newer = yield* Newer
        assert.deepStrictEqual(yield* newer.all, { user: Option.some("ferris"), language: "en" })
        assert.deepStrictEqual(yield* stored, { user: "ferris" })
      }).pipe(given({ user: "ferris" })))

    it.effect("a renamed field is read from and written to its old key", () =>
      Effect.gen(function*() {
        const Newer = SessionStruct.make({
          basket: Schema.optionalWith(Schema.Array(Schema.String), { default: () => [] }).pipe(Schema.fromKey("cart"))
        })
        const newer = yield* Newer
        assert.deepStrictEqual(yield* newer.get("basket"), ["tea"])
        assert.deepStrictEqual(yield* newer.update("basket", (basket) => [...basket, "milk"]), ["tea", "milk"])
        assert.deepStrictEqual(yield* stored, { cart: ["tea", "milk"] })
      }).pipe(given({ cart: ["tea"] })))

    it.effect("a widened value reads both forms and writes the new one", () =>
      Effect.gen(function*() {
        const Quantity = Schema.Struct({ name: Schema.String, quantity: Schema.Int })
        const Line = Schema.Union(
          Quantity,
          Schema.transform(Schema.String, Schema.typeSchema(Quantity), {
            strict: true,
            decode: (name) => ({ name, quantity: 1 }),
            encode: ({ name }) => name
          })
        )
        const newer = yield* SessionStruct.make({ cart: Schema.Array(Line) })
        const line = { name: "milk", quantity: 2 }
        const cart = yield* newer.update("cart", (cart) => [...cart, line])
        assert.deepStrictEqual(cart, Option.some([{ name: "tea", quantity: 1 }, line]))
        assert.deepStrictEqual(yield* stored, { cart: [{ name: "tea", quantity: 1 }, line] })
      }).pipe(given({ cart: ["tea"] })))

    it.effect("a null of old counts as absent where the Schema says so, and stays while it is not replaced", () =>
      Effect.gen(function*() {
        const Newer = SessionStruct.make({
          nick: Schema.optionalWith(Schema.String, { nullable: true }),
          theme: Schema.optionalWith(Theme, { nullable: true, default: () => "light" })
        })
        const newer = yield* Newer
        assert.deepStrictEqual(yield* newer.all, { nick: Option.none(), theme: "light" })
        assert.deepStrictEqual(yield* newer.update("nick", () => assert.fail("called")), Option.none())
        assert.strictEqual(yield* newer.session.status, "Unchanged")
        assert.strictEqual(
          (yield* Effect.flip(newer.session.get(Newer.entries.nick))).reason,
          "DecodeFailed"
        )
        assert.strictEqual(yield* newer.updateOr("nick", "crab", (nick) => `${nick}!`), "crab")
        assert.strictEqual(yield* newer.update("theme", (theme) => theme === "light" ? "dark" : "light"), "dark")
        assert.deepStrictEqual(yield* stored, { nick: "crab", theme: "dark" })
      }).pipe(given({ nick: null, theme: null })))

    it.effect("what is no field any more stays untouched in the record", () =>
      Effect.gen(function*() {
        const newer = yield* SessionStruct.make({ counter: Schema.Int })
        yield* newer.updateOr("counter", 1, (n) => n + 1)
        assert.deepStrictEqual(yield* stored, { counter: 4, legacy: { a: 1 } })
      }).pipe(given({ counter: 3, legacy: { a: 1 } })))

    it.effect("a value that a narrowed Schema refuses is a typed error of its own field, without the value", () =>
      Effect.gen(function*() {
        const Newer = SessionStruct.make({
          user: Schema.String,
          shade: Schema.propertySignature(Theme).pipe(Schema.fromKey("theme")),
          accent: Schema.optionalWith(Theme, { default: () => "light" })
        })
        const newer = yield* Newer
        const failing: ReadonlyArray<[key: string, get: Effect.Effect<unknown, Session.SessionGetError>]> = [
          ["theme", newer.get("shade")],
          ["accent", newer.get("accent")]
        ]
        for (const [key, get] of failing) {
          const error = yield* Effect.flip(get)
          assert.strictEqual(error.reason, "DecodeFailed")
          assert.strictEqual(error.key, key)
          assert.include(error.message, `"light" | "dark"`)
          assert.notInclude(inspect(error, { depth: 9 }) + JSON.stringify(error), "s3cr3t")
        }
        assert.strictEqual((yield* Effect.flip(newer.update("shade", () => "dark"))).reason, "DecodeFailed")
        assert.deepStrictEqual(yield* newer.get("user"), Option.some("ferris"))
        assert.strictEqual(yield* newer.session.status, "Unchanged")
      }).pipe(given({ user: "ferris", theme: "s3cr3t", accent: "s3cr3t" })))

    it.effect("such a value is mended by a fallback in the Schema, or by removing it", () =>
      Effect.gen(function*() {
        const Fallback = Theme.annotations({ decodingFallback: () => Either.right("light" as const) })
        const fallback = yield* SessionStruct.make({ theme: Fallback })
        assert.deepStrictEqual(yield* fallback.get("theme"), Option.some("light" as const))

        const newer = yield* SessionStruct.make({ theme: Schema.optionalWith(Theme, { default: () => "light" }) })
        const theme = newer.get("theme").pipe(
          Effect.catchIf(
            (error) => error.reason === "DecodeFailed",
            () => Effect.zipRight(newer.remove("theme"), newer.get("theme"))
          )
        )
        assert.strictEqual(yield* theme, "light")
        assert.deepStrictEqual(yield* stored, { user: "ferris" })
      }).pipe(given({ user: "ferris", theme: "purple" })))
  })
})

const hit = Effect.flatMap(Shop, (shop) => shop.update("hits", (n) => n + 1))
const answer = <A, E>(effect: Effect.Effect<A, E, Session.Session>): Handler =>
  handle((session) => Effect.provideService(effect, Session.Session, session))
const read = answer(stored)

/** Runs `meanwhile` while a request has read its session and not yet done its work. */
const inFlight = <A, E, B, F>(
  visit: (handler: Handler) => Effect.Effect<A, E>,
  work: Handler,
  meanwhile: Effect.Effect<B, F>
) =>
  Effect.gen(function*() {
    const loaded = yield* Deferred.make<void>()
    const gate = yield* Deferred.make<void>()
    const late = Effect.flatMap(Session.Session, (session) => session.entries).pipe(
      Effect.zipRight(Deferred.succeed(loaded, undefined)),
      Effect.zipRight(Deferred.await(gate)),
      Effect.zipRight(work)
    )
    const request = yield* Effect.fork(visit(late))
    yield* Deferred.await(loaded)
    yield* meanwhile
    yield* Deferred.succeed(gate, undefined)
    return yield* Fiber.join(request)
  })

describe("SessionStruct in parallel requests", () => {
  const begin = (state: { readonly [key: string]: Session.Json }) =>
    Effect.gen(function*() {
      const app = yield* makeWebApp()
      const browser = app.browser()
      yield* browser.visit(handle((session) =>
        Effect.forEach(Object.entries(state), ([key, json]) => session.insert(key, Schema.Unknown, json))
      ))
      return browser
    })

  it.scoped("different fields all keep their writes", () =>
    Effect.gen(function*() {
      const browser = yield* begin({ counter: 1 })
      yield* inFlight(
        browser.visit,
        answer(Effect.flatMap(Shop, (shop) => shop.insert("theme", "dark"))),
        browser.visit(answer(Effect.flatMap(Shop, (shop) => shop.insert("cart", ["tea"]))))
      )
      assert.deepStrictEqual((yield* browser.visit(read)).body, { counter: 1, theme: "dark", basket: ["tea"] })
    }))

  for (const [what, state, hits] of [["its default", { counter: 1 }, 3], ["a value", { hits: 5 }, 8]] as const) {
    it.scoped(`updates of a field that began with ${what} all count`, () =>
      Effect.gen(function*() {
        const browser = yield* begin(state)
        const meanwhile = inFlight(browser.visit, answer(hit), browser.visit(answer(hit)))
        yield* inFlight(browser.visit, answer(hit), meanwhile)
        assert.deepStrictEqual((yield* browser.visit(read)).body, { ...state, hits })
      }))
  }

  it.scoped("an update of a field under its old key counts as well", () =>
    Effect.gen(function*() {
      const browser = yield* begin({ basket: [] })
      const put = (item: string) =>
        answer(Effect.flatMap(Shop, (shop) => shop.update("cart", (cart) => [...cart, item])))
      yield* inFlight(browser.visit, put("tea"), browser.visit(put("milk")))
      assert.deepStrictEqual((yield* browser.visit(read)).body, { basket: ["milk", "tea"] })
    }))

  it.scoped("a user stays logged in though another value of the session does not decode", () =>
    Effect.gen(function*() {
      const browser = yield* begin({ user: ferrisEncoded, theme: "purple" })
      const failed = yield* browser.visit(answer(Effect.either(Effect.flatMap(Shop, (shop) => shop.get("theme")))))
      assert.strictEqual((failed.body as { readonly _tag: string })._tag, "Left")
      const name = Effect.map(Effect.flatMap(Shop, (shop) => shop.get("user")), Option.map(({ name }) => name))
      const user = yield* browser.visit(answer(Effect.map(name, Option.getOrNull)))
      assert.strictEqual(user.body, "ferris")
    }))

  it.scoped("works over a cookie that holds the state", () =>
    Effect.gen(function*() {
      const app = yield* makeWebApp({ store: CookieSessionStore.layer })
      const browser = app.browser()
      for (const hits of [1, 2, 3]) {
        assert.strictEqual((yield* browser.visit(answer(hit))).body, hits)
      }
      assert.deepStrictEqual((yield* browser.visit(read)).body, { hits: 3 })
    }))
})
