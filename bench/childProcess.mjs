/**
 * Child processes that speak over IPC: one question at a time, and an end by their own id.
 */
import { fork } from "node:child_process"

/**
 * @param {URL} file
 * @param {{ args?: ReadonlyArray<string>, execArgv?: ReadonlyArray<string>, env?: Record<string, string> }} [options]
 */
export const startChild = (file, { args = [], env = {}, execArgv = [] } = {}) => {
  const child = fork(file, args, { execArgv: [...execArgv], env: { ...process.env, NODE_ENV: "production", ...env } })
  const endWithProcess = () => child.kill("SIGKILL")
  process.once("exit", endWithProcess)
  child.once("exit", () => process.off("exit", endWithProcess))

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
