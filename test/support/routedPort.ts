import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { AddressInfo, Socket } from "node:net"
import { createConnection, createServer } from "node:net"

/**
 * A port that leads each new connection to the port that `route` says; where it says none, the connection gets stuck: it
 * is accepted, and nothing comes back.
 */
export const routedPort = (route: () => number | undefined): Effect.Effect<number, never, Scope.Scope> =>
  Effect.map(
    Effect.acquireRelease(
      Effect.promise(() =>
        new Promise<{ readonly port: number; readonly stop: () => void }>((resolve) => {
          const sockets: Array<Socket> = []
          const server = createServer((socket) => {
            sockets.push(socket.on("error", () => {}))
            const port = route()
            if (port !== undefined) {
              const redis = createConnection({ port, host: "127.0.0.1" }).on("error", () => {})
              socket.pipe(redis).pipe(socket)
            }
          })
          server.listen(0, "127.0.0.1", () =>
            resolve({
              port: (server.address() as AddressInfo).port,
              stop: () => {
                server.close()
                sockets.forEach((socket) => socket.destroy())
              }
            }))
        })
      ),
      ({ stop }) => Effect.sync(stop)
    ),
    ({ port }) => port
  )
