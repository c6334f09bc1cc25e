/**
 * One visitor: a cookie jar, and what the next answer has to be. A peer that answers anything else errs, and is reported
 * rather than timed.
 */
import { mergeCookies } from "./cookieJar.mjs"

export class WrongAnswer extends Error {}

export class Visitor {
  constructor() {
    this.jar = new Map()
    /** @type {string | undefined} */
    this.cookie = undefined
    this.counter = 0
  }

  /** @param {ReadonlyArray<string>} setCookies whether the cookie is another one now */
  receive(setCookies) {
    if (setCookies.length > 0) {
      this.cookie = mergeCookies(this.jar, setCookies)
    }
  }

  /**
   * @param {import("./plan.mjs").Scenario} scenario
   * @param {number} status
   * @param {string} body
   */
  check(scenario, status, body) {
    const counter = scenario.writes ? this.counter + 1 : this.counter
    const expected = scenario.path === "/plain" ? "ok" : String(counter)
    if (status !== 200 || body !== expected) {
      throw new WrongAnswer(
        `GET ${scenario.path} answered ${status} "${body.slice(0, 40)}" instead of 200 "${expected}"`
      )
    }
    this.counter = counter
  }

  /** For an app without sessions, whose counter stands still. */
  checkBare(status) {
    if (status !== 200) {
      throw new WrongAnswer(`an app without sessions answered ${status}`)
    }
  }
}
