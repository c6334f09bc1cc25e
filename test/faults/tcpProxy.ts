/**
 * A port between an app and its database that can be told to misbehave, and that notes down every command that the app sends to Redis.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { AddressInfo, Server, Socket } from "node:net"
import { createConnection, createServer } from "node:net"

/**
 * What becomes of what passes through, from now on and on every connection.
 *
 * - `Pass`: it passes.
 * - `Silence`: connections are accepted, and nothing passes in either direction. What has met with silence stays silent.
 * - `Delay`: each reply waits for `millis`, and up to `jitter` milliseconds more.
 * - `Keep`: each reply is kept until `release`, on a connection that has kept one the next ones too.
 * - `Cut`: after so many more bytes of replies the connection is broken, by a reset (RST) or by an ordinary end (FIN).
 *   Once that has happened, everything passes.
 */
export type Behaviour =
  | { readonly _tag: "Pass" }
  | { readonly _tag: "Silence" }
  | { readonly _tag: "Delay"; readonly millis: number; readonly jitter: number }
  | { readonly _tag: "Keep" }
  | { readonly _tag: "Cut"; readonly bytes: number; readonly by: "Reset" | "End" }

export interface TcpProxy {
  readonly port: number
  readonly behave: (behaviour: Behaviour) => Effect.Effect<void>
  /** Passes on all replies that were kept. */
  readonly release: Effect.Effect<void>
  /** Breaks all connections and lets nobody connect until `accept`. */
  readonly refuse: Effect.Effect<void>
  readonly accept: Effect.Effect<void>
  /** The commands that the app sent to Redis, each as its words, in lower case the first. */
  readonly commands: Array<ReadonlyArray<string>>
  /** Every byte that the app sent. */
  readonly sent: () => Buffer
  /** How many bytes of replies have been passed on. */
  readonly replied: () => number
}

export const pass: Behaviour = { _tag: "Pass" }
export const silence: Behaviour = { _tag: "Silence" }
export const keep: Behaviour = { _tag: "Keep" }
export const delay = (millis: number, jitter = 0): Behaviour => ({ _tag: "Delay", millis, jitter })
export const cut = (bytes: number, by: "Reset" | "End" = "Reset"): Behaviour => ({ _tag: "Cut", bytes, by })

export const tcpProxy = (
  target: number,
  database: "Redis" | "Sql" = "Redis"
): Effect.Effect<TcpProxy, never, Scope.Scope> =>
  Effect.acquireRelease(Effect.promise(() => open(target, database)), ({ refuse }) => refuse)

const open = async (target: number, database: "Redis" | "Sql"): Promise<TcpProxy> => {
  let behaviour = pass as Behaviour
  let replied = 0
  const links = new Set<readonly [app: Socket, server: Socket]>()
  const releases = new Set<() => void>()
  const commands: Array<ReadonlyArray<string>> = []
  const sent: Array<Buffer> = []

  const link = (app: Socket) => {
    const server = createConnection({ port: target, host: "127.0.0.1", noDelay: true })
    const pair = [app, server] as const
    links.add(pair)
    const kept: Array<Buffer> = []
    const read = database === "Redis" ? commandReader((command) => commands.push(command)) : () => {}
    const reply = (chunk: Buffer) => {
      replied += chunk.length
      app.write(chunk)
    }
    const release = () => kept.splice(0).forEach(reply)
    releases.add(release)
    const unlink = () => {
      releases.delete(release)
      links.delete(pair)
      app.destroy()
      server.destroy()
    }
    // A chunk that was held up must not overtake the one before it.
    let last = 0
    let isSilent = false
    app.setNoDelay(true)
    app.on("data", (chunk) => {
      sent.push(chunk)
      read(chunk)
      isSilent ||= behaviour._tag === "Silence"
      if (!isSilent) {
        server.write(chunk)
      }
    })
    // An app that has given up may still listen for a moment: what is kept for it can come in this moment.
    app.on("end", () => kept.length > 0 || app.end())
    server.on("data", (chunk) => {
      isSilent ||= behaviour._tag === "Silence"
      if (isSilent) {
        return
      }
      if (kept.length > 0) {
        kept.push(chunk)
        return
      }
      switch (behaviour._tag) {
        case "Silence":
        case "Pass":
          return reply(chunk)
        case "Keep":
          kept.push(chunk)
          return
        case "Delay": {
          const now = performance.now()
          last = Math.max(last, now + behaviour.millis + Math.random() * behaviour.jitter)
          setTimeout(() => reply(chunk), last - now)
          return
        }
        case "Cut": {
          const { by, bytes } = behaviour
          if (chunk.length < bytes) {
            behaviour = { _tag: "Cut", bytes: bytes - chunk.length, by }
            return reply(chunk)
          }
          behaviour = pass
          links.delete(pair)
          server.destroy()
          if (by === "End") {
            app.end(chunk.subarray(0, bytes))
          } else {
            // A reset may throw away what was written just before it, so that the app, in this process, has to read first.
            app.write(
              chunk.subarray(0, bytes),
              () => setImmediate(() => setImmediate(() => setImmediate(() => app.resetAndDestroy())))
            )
          }
          return
        }
      }
    })
    for (const socket of pair) {
      socket.on("error", () => {})
      socket.on("close", unlink)
    }
  }

  let listener: Server | undefined
  const listen = (port: number) =>
    new Promise<number>((resolve, reject) => {
      listener = createServer({ allowHalfOpen: true }, link).once("error", reject)
      listener.listen(port, "127.0.0.1", () => resolve((listener!.address() as AddressInfo).port))
    })
  const port = await listen(0)
  return {
    port,
    commands,
    sent: () => Buffer.concat(sent),
    replied: () => replied,
    behave: (next) =>
      Effect.sync(() => {
        behaviour = next
      }),
    release: Effect.sync(() => releases.forEach((release) => release())),
    refuse: Effect.promise(() =>
      new Promise<void>((resolve) => {
        if (listener === undefined) {
          return resolve()
        }
        listener.close(() => resolve())
        listener = undefined
        for (const pair of links) {
          pair.forEach((socket) => socket.destroy())
        }
      })
    ),
    accept: Effect.promise(async () => {
      if (listener === undefined) {
        await listen(port)
      }
    })
  }
}

/** Reads what a Redis client sends: lists of strings, each with its length before it. */
const commandReader = (onCommand: (command: ReadonlyArray<string>) => void) => {
  let rest = Buffer.alloc(0)
  return (chunk: Buffer) => {
    rest = Buffer.concat([rest, chunk])
    for (let next = readCommand(rest); next !== undefined; next = readCommand(rest)) {
      rest = rest.subarray(next.length)
      onCommand(next.command)
    }
  }
}

const readCommand = (
  buffer: Buffer
): { readonly command: ReadonlyArray<string>; readonly length: number } | undefined => {
  let position = 0
  const readNumber = (mark: string): number | undefined => {
    const end = buffer.indexOf("\r\n", position)
    if (end === -1) {
      return undefined
    }
    const line = buffer.toString("latin1", position, end)
    if (!line.startsWith(mark)) {
      throw new Error(`A Redis client sends no ${JSON.stringify(line)} here`)
    }
    position = end + 2
    return Number(line.slice(1))
  }
  const count = readNumber("*")
  const command: Array<string> = []
  for (let word = 0; word < (count ?? 1); word++) {
    const length = count === undefined ? undefined : readNumber("$")
    if (length === undefined || position + length + 2 > buffer.length) {
      return undefined
    }
    const text = buffer.toString("utf8", position, position + length)
    command.push(word === 0 ? text.toLowerCase() : text)
    position += length + 2
  }
  return { command, length: position }
}
