/**
 * The app as a web handler in this process: real requests and responses, no socket.
 */
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import type { ServedApp } from "./behaviour.js"

export type Environment = Readonly<Record<string, string>>

export type FetchHandler = (request: Request) => Promise<Response>

/** Builds with an environment of its own instead of the process's. */
export const withEnvironment = (environment: Environment) =>
  Layer.setConfigProvider(ConfigProvider.fromMap(new Map(Object.entries(environment))))

/** Serves what `make` makes, and makes it again for a restart. */
export const serveHandler = (
  make: () => Promise<{ readonly handler: FetchHandler; readonly dispose: () => Promise<void> }>
): Effect.Effect<ServedApp, never, Scope.Scope> =>
  Effect.gen(function*() {
    let current = yield* Effect.promise(make)
    const end = Effect.promise(() => current.dispose())
    yield* Effect.addFinalizer(() => end)
    return {
      send: (path, init) => current.handler(new Request(`https://app.test${path}`, init)),
      restart: Effect.zipRight(
        end,
        Effect.promise(async () => {
          current = await make()
        })
      )
    }
  })
