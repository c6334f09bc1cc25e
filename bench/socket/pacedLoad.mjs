/**
 * Requests at a steady rate, whatever the answers take: each is due at its moment, and its latency counts from there, so
 * that a server which stalls cannot slow down the load that would show it. (autocannon's rate fills each second from its
 * beginning, at full speed, and then pauses.)
 */
import { connect } from "node:net"
import { setTimeout as sleep } from "node:timers/promises"
import { HttpConnection } from "../httpConnection.mjs"
import { quantile } from "../rounds.mjs"

const expectOk = ({ status }) => {
  if (status !== 200) {
    throw new Error(`answered ${status}`)
  }
}

const withConnections = async ({ cookies, path, port }, use) => {
  const connections = cookies.map((cookie) => {
    const connection = new HttpConnection(connect({ port, host: "127.0.0.1", noDelay: true }))
    return { send: () => connection.get(path, cookie), close: () => connection.close() }
  })
  try {
    return await use(connections)
  } finally {
    connections.forEach((connection) => connection.close())
  }
}

/** As many requests as the server answers, in requests a second. */
const peak = (target, millis) =>
  withConnections(target, async (connections) => {
    const begin = performance.now()
    let done = 0
    await Promise.all(connections.map(async (connection) => {
      while (performance.now() - begin < millis) {
        expectOk(await connection.send())
        done++
      }
    }))
    return { perSecond: done * 1000 / (performance.now() - begin) }
  })

/** Latencies in milliseconds at so many requests a second. */
const paced = (target, millis, perSecond) =>
  withConnections(target, async (connections) => {
    const latencies = []
    const idle = [...connections]
    const queue = []
    let firstError
    const serve = async (connection, due) => {
      try {
        for (let next = due; next !== undefined; next = queue.shift()) {
          expectOk(await connection.send())
          latencies.push(performance.now() - next)
        }
        idle.push(connection)
      } catch (error) {
        firstError ??= error
      }
    }
    const begin = performance.now()
    const total = Math.floor(millis * perSecond / 1000)
    let sent = 0
    while (sent < total && firstError === undefined) {
      const now = performance.now()
      for (const due = Math.min(total, Math.floor((now - begin) * perSecond / 1000)); sent < due; sent++) {
        const connection = idle.pop()
        if (connection === undefined) {
          queue.push(now)
        } else {
          void serve(connection, now)
        }
      }
      await sleep(1)
    }
    while (latencies.length < sent && firstError === undefined) {
      await sleep(1)
    }
    if (firstError !== undefined) {
      throw firstError
    }
    return { p50: quantile(latencies, 0.5), p99: quantile(latencies, 0.99) }
  })

const answer = ({ cookies, millis, path, perSecond, port }) => {
  const target = { cookies, path, port }
  return perSecond === undefined ? peak(target, millis) : paced(target, millis, perSecond)
}

process.on(
  "message",
  (message) => answer(message).then((result) => process.send(result), (error) => process.send({ error: String(error) }))
)
process.on("disconnect", () => process.exit(0))
