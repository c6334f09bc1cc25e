/**
 * Requests to a server in the same process: Node's own HTTP server and parser, over connections without a system call.
 */
import { createServer } from "node:http"
import { HttpConnection } from "../httpConnection.mjs"
import { Visitor } from "../visitor.mjs"
import { pipe } from "./pipe.mjs"

class ConnectedVisitor extends Visitor {
  /** @param {HttpConnection} connection */
  constructor(connection) {
    super()
    this.connection = connection
  }
}

/** Connections to a server that listens nowhere. @param {import("node:http").RequestListener} handler */
export const serve = (handler) => {
  const server = createServer(handler)
  return {
    /** A visitor whose session has begun. */
    newVisitor: async () => {
      const [here, there] = pipe()
      server.emit("connection", there)
      const visitor = new ConnectedVisitor(new HttpConnection(here))
      const { setCookies, status } = await visitor.connection.get("/seed", undefined)
      if (status !== 200) {
        throw new Error(`GET /seed answered ${status}`)
      }
      visitor.receive(setCookies)
      return visitor
    }
  }
}

/**
 * @param {ConnectedVisitor} visitor
 * @param {import("../plan.mjs").Scenario} scenario
 * @param {boolean} isBare
 */
export const request = async (visitor, scenario, isBare) => {
  const answer = await visitor.connection.get(scenario.path, scenario.hasCookie ? visitor.cookie : undefined)
  if (isBare) {
    visitor.checkBare(answer.status)
  } else {
    visitor.check(scenario, answer.status, answer.body)
    // Without a cookie, each answer may bring a session that nobody comes back to.
    if (scenario.hasCookie) {
      visitor.receive(answer.setCookies)
    }
  }
}

/** So many requests of each visitor, the visitors side by side. */
export const requests = (visitors, scenario, isBare, each) =>
  Promise.all(visitors.map(async (visitor) => {
    for (let i = 0; i < each; i++) {
      await request(visitor, scenario, isBare)
    }
  }))
