/**
 * Child processes that speak over IPC: one question at a time, and an end by their own id.
 */
import { fork } from "node:child_process"

/** Those that end with this process, however it ends. */
const running = new Set()
process.once("exit", () => running.forEach((child) => child.kill("SIGKILL")))

/**
 * @param {URL} file
 * @param {{ args?: ReadonlyArray<string>, execArgv?: ReadonlyArray<string>, env?: Record<string, string> }} [options]
 */
export const startChild = (file, { args = [], env = {}, execArgv = [] } = {}) => {
  const child = fork(file, args, { execArgv: [...execArgv], env: { ...process.env, NODE_ENV: "production", ...env } })
  running.add(child)
  child.once("exit", () => running.delete(child))

  const next = () =>
    new Promise((resolve, reject) => {
      const onMessage = (message) => {
        child.off("exit", onExit)
        resolve(message)
      }
      const onExit = (code) => {
        child.off("message", onMessage)
        reject(new Error(`${file.pathname.split("/").slice(-2).join("/")} ended with code ${code}`))
      }
      child.once("message", onMessage)
      child.once("exit", onExit)
    })

  return {
    next,
    /** @param {unknown} question */
    ask: (question) => {
      const answer = next()
      child.send(question)
      return answer
    },
    stop: () =>
      new Promise((resolve) => {
        if (child.exitCode !== null || child.signalCode !== null) {
          resolve(undefined)
          return
        }
        child.once("exit", () => resolve(undefined))
        child.kill("SIGTERM")
      })
  }
}
