/**
 * A session app on a real database that can be made to fail: Postgres or MariaDB behind a port that can be told to misbehave.
 */
import * as Reactivity from "@effect/experimental/Reactivity"
import * as MysqlClient from "@effect/sql-mysql2/MysqlClient"
import * as PgClient from "@effect/sql-pg/PgClient"
import * as SqlClient from "@effect/sql/SqlClient"
import type * as SqlConnection from "@effect/sql/SqlConnection"
import type { SqlError } from "@effect/sql/SqlError"
import type * as Config from "effect-session/Config"
import * as SqlSessionStore from "effect-session/stores/SqlSessionStore"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Scope from "effect/Scope"
import { mariadbServer } from "../support/mariadbServer.js"
import { postgresServer } from "../support/postgresServer.js"
import type { RunningServer } from "../support/serverProcess.js"
import type { FaultyApp } from "./faultyApp.js"
import { limits, makeFaultyApp } from "./faultyApp.js"
import type { TcpProxy } from "./tcpProxy.js"
import { tcpProxy } from "./tcpProxy.js"

/** A connection of an operator's, which does not lead through the proxy. */
export type Operator = (statement: string) => Effect.Effect<ReadonlyArray<Readonly<Record<string, unknown>>>>

export interface FaultySql extends FaultyApp {
  readonly server: RunningServer
  readonly proxy: TcpProxy
  /** Runs statements, each on a connection of its own. */
  readonly operate: Operator
  /** Runs statements on a connection that stays open until `letGo`. */
  readonly hold: (...statements: ReadonlyArray<string>) => Effect.Effect<Operator>
  /** Closes every connection that was held. */
  readonly letGo: Effect.Effect<void>
  /** The app's own client. */
  readonly sql: () => SqlClient.SqlClient
}

export interface FaultySqlOptions {
  readonly settings?: Readonly<Record<string, string>>
  readonly isDurable?: boolean
  readonly limitMillis?: number
  readonly keys?: Config.SessionOptions["keys"]
  /** What an operator has said before the app connects. */
  readonly before?: ReadonlyArray<string>
}

/** How many connections the app has. */
export const poolSize = 4

type Connect = (url: string) => Effect.Effect<SqlClient.SqlClient, SqlError, Scope.Scope | Reactivity.Reactivity>

const connectTo: { readonly postgres: Connect; readonly mariadb: Connect } = {
  postgres: (url) => PgClient.make({ url: Redacted.make(url), maxConnections: poolSize }),
  mariadb: (url) => MysqlClient.make({ url: Redacted.make(url), maxConnections: poolSize })
}

const makeFaultySql = (
  server: RunningServer & { readonly url: string },
  connect: Connect,
  visitor: { readonly user: string; readonly database: string; readonly creation: ReadonlyArray<string> },
  options: FaultySqlOptions
): Effect.Effect<FaultySql, never, Scope.Scope> =>
  Effect.gen(function*() {
    const proxy = yield* tcpProxy(server.port, "Sql")
    const operator = connect(server.url).pipe(Effect.provide(Reactivity.layer), Effect.orDie)
    const run = (connection: SqlConnection.Connection): Operator => (statement) =>
      Effect.orDie(connection.executeUnprepared(statement, [], undefined)) as ReturnType<Operator>
    const reserved = Effect.flatMap(operator, (sql) => Effect.map(Effect.orDie(sql.reserve), run))
    const operate: Operator = (statement) => Effect.scoped(Effect.flatMap(reserved, (run) => run(statement)))
    let held = yield* Scope.make()
    const letGo = Effect.suspend(() => Scope.close(held, Exit.void))
    yield* Effect.addFinalizer(() => letGo)
    yield* Effect.forEach([...visitor.creation, ...options.before ?? []], operate, { discard: true })

    let sql: SqlClient.SqlClient
    const url = new URL(server.url)
    const address = `${url.protocol}//${visitor.user}@127.0.0.1:${proxy.port}/${visitor.database}`
    const store = SqlSessionStore.layer({
      createTable: true,
      sweep: false,
      timeout: options.limitMillis ?? limits.long
    }).pipe(
      Layer.provide(Layer.scoped(
        SqlClient.SqlClient,
        Effect.tap(connect(address), (client) =>
          Effect.sync(() => {
            sql = client
          }))
      )),
      Layer.provide(Reactivity.layer)
    )
    return {
      ...yield* makeFaultyApp({ ...options, store }),
      server,
      proxy,
      operate,
      hold: (...statements) =>
        Effect.gen(function*() {
          const run = yield* Scope.extend(reserved, held)
          yield* Effect.forEach(statements, run, { discard: true })
          return run
        }),
      letGo: Effect.zipRight(
        letGo,
        Effect.map(Scope.make(), (scope) => {
          held = scope
        })
      ),
      sql: () => sql
    }
  })

/** The app is a user without the rights of an operator. */
export const faultyPostgres = (options: FaultySqlOptions = {}): Effect.Effect<FaultySql, never, Scope.Scope> =>
  Effect.flatMap(postgresServer(options), (server) =>
    makeFaultySql(server, connectTo.postgres, {
      user: "visitor",
      database: "postgres",
      creation: ["CREATE ROLE visitor LOGIN", "GRANT ALL ON SCHEMA public TO visitor"]
    }, options))

export const faultyMariadb = (options: FaultySqlOptions = {}): Effect.Effect<FaultySql, never, Scope.Scope> =>
  Effect.flatMap(mariadbServer(options), (server) =>
    makeFaultySql(server, connectTo.mariadb, {
      user: "visitor",
      database: "app",
      creation: ["CREATE USER visitor@'127.0.0.1'", "GRANT ALL ON app.* TO visitor@'127.0.0.1'"]
    }, options))
