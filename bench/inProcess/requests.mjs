/**
 * Prepared requests straight into a Node request listener, without a socket.
 */
import inject from "light-my-request"
import { Visitor } from "../visitor.mjs"

const listOf = (header) => header === undefined ? [] : Array.isArray(header) ? header : [header]

/** @param {import("node:http").RequestListener} handler @param {string} path @param {string | undefined} cookie */
const get = (handler, path, cookie) =>
  inject(handler, { method: "GET", url: path, headers: cookie === undefined ? {} : { cookie } })

/** A visitor whose session has begun. @param {import("node:http").RequestListener} handler */
export const newVisitor = async (handler) => {
  const visitor = new Visitor()
  const response = await get(handler, "/seed", undefined)
  if (response.statusCode !== 200) {
    throw new Error(`GET /seed answered ${response.statusCode}`)
  }
  visitor.receive(listOf(response.headers["set-cookie"]))
  return visitor
}

/**
 * @param {import("node:http").RequestListener} handler
 * @param {Visitor} visitor
 * @param {import("../plan.mjs").Scenario} scenario
 * @param {boolean} isBare
 */
export const request = async (handler, visitor, scenario, isBare) => {
  const response = await get(handler, scenario.path, scenario.hasCookie ? visitor.cookie : undefined)
  if (isBare) {
    visitor.checkBare(response.statusCode)
  } else {
    visitor.check(scenario, response.statusCode, response.payload)
    // Without a cookie, each answer may bring a session that nobody comes back to.
    if (scenario.hasCookie) {
      visitor.receive(listOf(response.headers["set-cookie"]))
    }
  }
}

const turnEach = 16

/** So many requests of each visitor, the visitors side by side. */
export const requests = (handler, visitors, scenario, isBare, each) =>
  Promise.all(visitors.map(async (visitor) => {
    for (let i = 0; i < each; i++) {
      await request(handler, visitor, scenario, isBare)
      // A handler that answers at once never lets the event loop turn, and what waits for a turn would pile up.
      if (i % turnEach === turnEach - 1) {
        await new Promise((resolve) => setImmediate(resolve))
      }
    }
  }))
