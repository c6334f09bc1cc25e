/**
 * Requests to app processes that may be killed at any time.
 */
import type { Agent } from "node:http"
import { request } from "node:http"

/** One app process. A client that finds it dead goes on with another. */
export interface Node {
  readonly url: string
}

export interface Reply {
  readonly status: number
  readonly setCookies: ReadonlyArray<string>
  readonly body: string
}

/** A request whose outcome nobody knows. */
export class Lost extends Error {
  /** Whether it can have reached the app. */
  constructor(readonly wasSent: boolean) {
    super("no answer")
  }
}

export const send = (
  agent: Agent,
  url: string,
  method: string,
  cookie: string | undefined,
  body?: string
): Promise<Reply> =>
  new Promise((resolve, reject) => {
    const outgoing = request(
      url,
      { agent, method, headers: { ...cookie === undefined ? {} : { cookie }, "content-length": body?.length ?? 0 } },
      (response) => {
        let text = ""
        response.setEncoding("utf8").on("data", (chunk: string) => text += chunk)
        response.once("error", () => reject(new Lost(true)))
        response.once("end", () =>
          resolve({
            status: response.statusCode ?? 0,
            setCookies: response.headers["set-cookie"] ?? [],
            body: text
          }))
      }
    )
    outgoing.once("error", (error: NodeJS.ErrnoException) => reject(new Lost(error.code !== "ECONNREFUSED")))
    outgoing.end(body)
  })

export const cookieOf = (line: string): string => line.slice(0, line.indexOf(";"))
