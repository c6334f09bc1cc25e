/**
 * A visitor of one running example: `fetch` and the cookies it was given, kept whether or not the connection is secure.
 */
import * as Effect from "effect/Effect"

export interface Reply {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  /** The body as JSON. */
  readonly json: () => unknown
}

export interface RequestOptions {
  readonly method?: string
  readonly body?: string
  readonly headers?: Readonly<Record<string, string>>
}

export interface Visitor {
  /** Sends a request: `"GET /path"`. */
  readonly send: (line: string, body?: unknown) => Effect.Effect<Reply>
  /** The cookies, as they go out with each request; `""` when there are none. */
  readonly cookie: () => string
  /** Another visitor with the same cookies: what a thief has, or a second tab. */
  readonly copy: () => Visitor
}

/** Sends one request with exactly these headers. */
export const send = (url: string, { body, headers, method = "GET" }: RequestOptions = {}): Effect.Effect<Reply> =>
  Effect.promise(async (signal) => {
    const response = await fetch(url, {
      method,
      signal,
      redirect: "manual",
      // A kept connection may be closed by the server just when it is used again: each request has one of its own.
      headers: { connection: "close", ...headers },
      ...(body === undefined ? {} : { body })
    })
    const text = await response.text()
    return { status: response.status, headers: response.headers, text, json: () => JSON.parse(text) as unknown }
  })

export const visitor = (url: string, initial: ReadonlyMap<string, string> = new Map()): Visitor => {
  const jar = new Map(initial)
  const cookie = () => Array.from(jar, ([name, value]) => `${name}=${value}`).join("; ")
  const keep = (line: string) => {
    const [pair = ""] = line.split(";")
    const equals = pair.indexOf("=")
    if (/;\s*max-age=0(;|$)/i.test(line)) {
      jar.delete(pair.slice(0, equals))
    } else {
      jar.set(pair.slice(0, equals), pair.slice(equals + 1))
    }
  }
  return {
    cookie,
    copy: () => visitor(url, jar),
    send: (line, body) => {
      const [method = "GET", path = "/"] = line.split(" ")
      const request = Effect.suspend(() =>
        send(url + path, {
          method,
          headers: jar.size === 0 ? {} : { cookie: cookie() },
          ...(body === undefined ? {} : { body: JSON.stringify(body) })
        })
      )
      return Effect.tap(request, (reply) => Effect.sync(() => reply.headers.getSetCookie().forEach(keep)))
    }
  }
}
