/**
 * Sessions in the Postgres that an app has, in a table beside its own, made by the app's migrations: docs/guides/sessions-in-postgres.md
 * goes through it. It needs `DATABASE_URL` and `SESSION_KEYS`; run it with
 * `SESSION_KEYS=$(npx tsx src/bin/generateKey.ts) DATABASE_URL=postgres://localhost:5432/shop npx tsx examples/postgresSessions.ts`.
 * `PORT` chooses another port than 3000.
 */
import * as NodeContext from "@effect/platform-node/NodeContext"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as HttpRouter from "@effect/platform/HttpRouter"
import * as HttpServer from "@effect/platform/HttpServer"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as PgClient from "@effect/sql-pg/PgClient"
import * as PgMigrator from "@effect/sql-pg/PgMigrator"
import * as SqlClient from "@effect/sql/SqlClient"
import * as SessionConfig from "effect-session/Config"
import * as Session from "effect-session/Session"
import * as SessionMiddleware from "effect-session/SessionMiddleware"
import * as SqlSessionStore from "effect-session/stores/SqlSessionStore"
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { PromptServer } from "./promptServer.js"

// -- the database, and its tables

const Sql = PgClient.layerConfig({ url: Config.redacted("DATABASE_URL") })

const createOrders = Effect.flatMap(
  SqlClient.SqlClient,
  (sql) => sql`CREATE TABLE orders (id bigserial PRIMARY KEY, customer text NOT NULL)`
)

const Migrations = PgMigrator.layer({
  loader: PgMigrator.fromRecord({
    "0001_create_orders": createOrders,
    "0002_create_sessions": SqlSessionStore.migration({ table: "web_sessions" })
  })
}).pipe(Layer.provide(NodeContext.layer))

const Store = SqlSessionStore.layerConfig({
  table: Config.succeed("web_sessions"),
  timeout: Config.withDefault(Config.duration("SESSION_TIMEOUT"), "2 seconds")
}).pipe(Layer.provide(Migrations))

// -- the app

const Customer = Session.entry("customer", Schema.NonEmptyString)
const Visits = Session.entry("visits", Schema.NonNegativeInt)

const index = Effect.gen(function*() {
  const session = yield* Session.Session
  const visits = yield* session.updateOr(Visits, 1, (n) => n + 1)
  const customer = Option.getOrElse(yield* session.get(Customer), () => "nobody")
  return HttpServerResponse.text(`Visit ${visits} of ${customer}\n`)
})

const signIn = Effect.gen(function*() {
  const session = yield* Session.Session
  yield* session.renew
  yield* session.insert(Customer, "ada")
  return HttpServerResponse.empty()
})

const order = Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  const session = yield* Session.Session
  const customer = yield* session.get(Customer)
  if (Option.isNone(customer)) {
    return HttpServerResponse.empty({ status: 401 })
  }
  const insert = sql`INSERT INTO orders (customer) VALUES (${customer.value})`
  const orders = sql<{ readonly n: number }>`SELECT count(*)::int AS n FROM orders WHERE customer = ${customer.value}`
  const [row] = yield* sql.withTransaction(Effect.zipRight(insert, orders))
  return HttpServerResponse.text(`${row?.n ?? 0} ordered\n`)
})

const app = HttpRouter.empty.pipe(
  HttpRouter.get("/", index),
  HttpRouter.post("/sign-in", signIn),
  HttpRouter.post("/orders", order),
  SessionMiddleware.session,
  HttpServer.serve(),
  HttpServer.withLogAddress,
  Layer.provide(SessionMiddleware.layerConfig(SessionConfig.fromEnv)),
  Layer.provide(Store),
  Layer.provide(Sql),
  Layer.provide(
    NodeHttpServer.layerConfig(() => new PromptServer(), { port: Config.withDefault(Config.integer("PORT"), 3000) })
  )
)

NodeRuntime.runMain(Layer.launch(app))
