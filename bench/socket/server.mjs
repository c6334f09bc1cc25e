/**
 * One variant in a process of its own. It says over IPC which port it has, and how much CPU time it has used whenever it
 * is asked.
 *
 *     node server.mjs <app> <variant> <databases as JSON>
 */
import { createServer } from "node:http"
import { loadApp } from "../apps/contract.mjs"

const [appName, id, databases] = process.argv.slice(2)

const app = await loadApp(appName)
const { handler } = await app.open(id, JSON.parse(databases))
const server = createServer(handler)
server.keepAliveTimeout = 120_000

server.listen(0, "127.0.0.1", () => process.send({ port: server.address().port }))

process.on("message", () => {
  const { system, user } = process.cpuUsage()
  process.send({ cpuMicros: system + user })
})
process.on("disconnect", () => process.exit(0))
