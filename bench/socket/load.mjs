/**
 * The load, in a process of its own: a fixed number of requests over connections that are kept, each of them a visitor
 * with a session of its own whose every answer is checked.
 */
import autocannon from "autocannon"
import { Visitor } from "../visitor.mjs"

/** @type {Map<string, { url: string, isBare: boolean, visitors: ReadonlyArray<Visitor> }>} */
const targets = new Map()

const seed = async (url) => {
  const visitor = new Visitor()
  const response = await fetch(`${url}/seed`)
  await response.text()
  if (response.status !== 200) {
    throw new Error(`GET /seed answered ${response.status}`)
  }
  visitor.receive(response.headers.getSetCookie())
  return visitor
}

const setCookiesOf = (headers) => {
  const values = headers["Set-Cookie"] ?? headers["set-cookie"] ?? []
  return Array.isArray(values) ? values : [values]
}

const load = async ({ url, isBare, visitors }, scenario, amount) => {
  let firstError
  let started = 0
  const result = await autocannon({
    url,
    connections: visitors.length,
    amount,
    sampleInt: 20,
    setupClient: (client) => {
      const visitor = visitors[started++ % visitors.length]
      client.setRequests([{
        method: "GET",
        path: scenario.path,
        headers: scenario.hasCookie && visitor.cookie !== undefined ? { cookie: visitor.cookie } : {},
        onResponse: (status, body, _context, headers) => {
          try {
            if (isBare) {
              visitor.checkBare(status)
              return
            }
            visitor.check(scenario, status, body)
            const setCookies = scenario.hasCookie ? setCookiesOf(headers) : []
            if (setCookies.length > 0) {
              visitor.receive(setCookies)
              client.setHeaders({ cookie: visitor.cookie })
            }
          } catch (error) {
            firstError ??= error
          }
        }
      }])
    }
  })
  if (firstError !== undefined) {
    throw firstError
  }
  if (result["2xx"] !== amount) {
    throw new Error(`${result["2xx"]} of ${amount} answers were 2xx, ${result.errors} connections failed`)
  }
}

const answer = async (message) => {
  switch (message.type) {
    case "seed": {
      const visitors = []
      for (let i = 0; i < message.connections; i++) {
        visitors.push(await seed(message.url))
      }
      message.cookies?.forEach((cookie, i) => visitors[i].cookie = cookie)
      targets.set(message.id, { url: message.url, isBare: message.isBare, visitors })
      return { cookies: visitors.map(({ cookie }) => cookie) }
    }
    case "load": {
      const begin = performance.now()
      await load(targets.get(message.id), message.scenario, message.amount)
      return { millis: performance.now() - begin }
    }
  }
}

process.on(
  "message",
  (message) => answer(message).then((result) => process.send(result), (error) => process.send({ error: String(error) }))
)
process.on("disconnect", () => process.exit(0))
