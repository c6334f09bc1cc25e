/**
 * What interleaved requests may come to where the cookie is the session: each does to the values that it was sent with
 * what it would do alone, and the browser keeps the answer that arrived last.
 */
import type * as SessionKey from "effect-session/SessionKey"
import * as SessionStore from "effect-session/SessionStore"
import type { History } from "./interleave.js"
import {
  alone,
  changed,
  type Finding,
  hasValues,
  isSame,
  type Outcome,
  purges,
  type Verdict
} from "./serializability.js"

export const judgeEachAlone = async ({ requests, situation }: History): Promise<Verdict> => {
  const { app, middleware } = situation
  const { load } = SessionStore.withClock(middleware.store)
  const valuesIn = async (key: SessionKey.SessionKey | undefined): Promise<Outcome> => {
    const result = key === undefined ? undefined : await app.run(load(key))
    return result?._tag === "Live"
      ? Object.fromEntries(Array.from(result.record.state, ([name, value]) => [name, Number(value)]))
      : undefined
  }
  const findings: Array<Finding> = []
  for (const [index, { answer, presented, program, set }] of requests.entries()) {
    const before = await valuesIn(presented)
    const own = hasValues(alone(program)) ? alone(program) : undefined
    const expected = before === undefined || purges(program) ? own : changed(before, program)
    const { news } = answer
    const kept = news._tag === "Value" ? await valuesIn(set) : news._tag === "Removal" ? undefined : before
    if (answer.status !== 200) {
      findings.push({ fault: "failed request", detail: `request ${index + 1} was answered ${answer.status}` })
    }
    if (!isSame(kept, expected)) {
      findings.push({
        fault: "lost write",
        detail: `request ${index + 1} leaves ${JSON.stringify(kept)} instead of ${JSON.stringify(expected)}`
      })
    }
    if (set !== undefined && before !== undefined && !purges(program) && set.id !== presented?.id) {
      findings.push({ fault: "foreign state", detail: `request ${index + 1} was given another session than its own` })
    }
    if (program[0]?._tag === "Read" && !isSame((answer.body as ReadonlyArray<Outcome>)[0], before ?? {})) {
      findings.push({ fault: "foreign state", detail: `request ${index + 1} has read what was not in its cookie` })
    }
  }
  return { findings, isJarOvertaken: false }
}
