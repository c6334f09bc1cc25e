/**
 * A visitor of an app that is reached through one function, whether that is `fetch` over a socket or a web handler:
 * keeps the cookies that it was given, and reads answers.
 */
import * as Effect from "effect/Effect"

/** Sends a request for a path of the app. */
export type Send = (path: string, init: RequestInit) => Promise<Response>

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  readonly setCookies: ReadonlyArray<string>
}

export interface Visitor {
  /** The cookies by name, free to be changed. */
  readonly jar: Map<string, string>
  readonly get: (path: string) => Effect.Effect<Answer>
  readonly post: (path: string, body?: unknown) => Effect.Effect<Answer>
  /** Another visitor with the same cookies: a second tab, or a thief. Of another app, if one is given. */
  readonly copy: (send?: Send) => Visitor
}

export const visitorOf = (send: Send, cookies: ReadonlyMap<string, string> = new Map()): Visitor => {
  const jar = new Map(cookies)
  const keep = (line: string) => {
    const [pair = ""] = line.split(";", 1)
    const name = pair.slice(0, pair.indexOf("="))
    if (/;\s*max-age=0\s*(;|$)/i.test(line)) {
      jar.delete(name)
    } else {
      jar.set(name, pair.slice(name.length + 1))
    }
  }
  const request = (method: string, path: string, body?: unknown) =>
    Effect.promise(async (signal): Promise<Answer> => {
      const response = await send(path, {
        method,
        signal,
        headers: {
          ...(jar.size === 0 ? {} : { cookie: Array.from(jar, ([name, value]) => `${name}=${value}`).join("; ") }),
          ...(body === undefined ? {} : { "content-type": "application/json" })
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) })
      })
      const setCookies = response.headers.getSetCookie()
      setCookies.forEach(keep)
      return { status: response.status, headers: response.headers, text: await response.text(), setCookies }
    })
  return {
    jar,
    get: (path) => request("GET", path),
    post: (path, body) => request("POST", path, body),
    copy: (other = send) => visitorOf(other, jar)
  }
}
