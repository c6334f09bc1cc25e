/// <reference lib="dom" />
/**
 * Requests to the API.
 */

/** Which field of the form an error is about. @type {Readonly<Record<string, string>>} */
const fieldOf = { TooManyEntries: "key", NameNeeded: "again" }

/** The API said no, or nothing. */
export class Refusal extends Error {
  /** @param {number} status 0 when there was no answer @param {any} [answer] */
  constructor(status, answer) {
    super(status === 0 ? "The server cannot be reached." : `The server answered ${status}.`)
    this.status = status
    this.answer = answer
  }

  /** What is wrong with a field of the form. @returns {import("./view.js").Problem | undefined} */
  get problem() {
    const issue = this.answer?.issues?.[0]
    if (issue !== undefined) {
      return { field: String(issue.path[0]), text: String(issue.message) }
    }
    const field = fieldOf[this.answer?._tag]
    return field === undefined ? undefined : { field, text: String(this.answer.message) }
  }
}

/**
 * What the API answers. Throws a `Refusal`.
 *
 * @param {string} line such as `GET session`
 * @param {unknown} [payload]
 */
export const ask = async (line, payload) => {
  const [method = "", path = ""] = line.split(" ")
  const body = payload === undefined
    ? {}
    : { headers: { "content-type": "application/json" }, body: JSON.stringify(payload) }
  const response = await fetch(`/api/${path}`, { method, cache: "no-store", ...body }).catch(() => {
    throw new Refusal(0)
  })
  const answer = await response.json().catch(() => undefined)
  if (!response.ok) {
    throw new Refusal(response.status, answer)
  }
  return answer
}
