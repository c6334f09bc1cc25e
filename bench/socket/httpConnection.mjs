/**
 * One kept HTTP connection that sends a prepared request and hears when the answer is complete. It knows as much of HTTP
 * as the answers of the benchmark's own apps need.
 */
import { connect } from "node:net"

export class HttpConnection {
  /** @param {number} port @param {string} path @param {string | undefined} cookie */
  constructor(port, path, cookie) {
    const cookieLine = cookie === undefined ? "" : `Cookie: ${cookie}\r\n`
    this.request = Buffer.from(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n${cookieLine}\r\n`, "latin1")
    this.socket = connect({ port, host: "127.0.0.1", noDelay: true })
    this.socket.on("data", (chunk) => this.receive(chunk))
    this.socket.on("error", (error) => this.fail(error))
    this.socket.on("close", () => this.fail(new Error("the server closed the connection")))
    this.text = ""
    this.waiting = undefined
  }

  /** Sends the request; the answer is its status. @returns {Promise<number>} */
  send() {
    return new Promise((resolve, reject) => {
      this.waiting = { resolve, reject }
      this.socket.write(this.request)
    })
  }

  receive(chunk) {
    this.text += chunk.toString("latin1")
    const headEnd = this.text.indexOf("\r\n\r\n")
    if (headEnd === -1) {
      return
    }
    const length = /\r\ncontent-length: *(\d+)/i.exec(this.text.slice(0, headEnd))?.[1]
    if (length === undefined) {
      this.fail(new Error("the answer has no Content-Length"))
    } else if (this.text.length >= headEnd + 4 + Number(length)) {
      const status = Number(this.text.slice(9, 12))
      this.text = ""
      const { waiting } = this
      this.waiting = undefined
      waiting?.resolve(status)
    }
  }

  fail(error) {
    this.waiting?.reject(error)
    this.waiting = undefined
  }

  close() {
    this.waiting = undefined
    this.socket.destroy()
  }
}
