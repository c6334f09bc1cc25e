/**
 * One kept HTTP connection, over a socket or whatever else carries bytes: a request at a time. It knows as much of HTTP as
 * the answers of the benchmark's own apps need, so that the load costs little beside the server.
 */
const chunkEnd = "\r\n0\r\n\r\n"

/** @param {string} body as it was sent in chunks */
const joinChunks = (body) => {
  let text = ""
  for (let at = 0;;) {
    const lineEnd = body.indexOf("\r\n", at)
    const size = Number.parseInt(body.slice(at, lineEnd), 16)
    if (size === 0) {
      return text
    }
    text += body.slice(lineEnd + 2, lineEnd + 2 + size)
    at = lineEnd + 2 + size + 2
  }
}

/**
 * @typedef {object} Answer
 * @property {number} status
 * @property {string} body
 * @property {ReadonlyArray<string>} setCookies
 */

export class HttpConnection {
  /** @param {import("node:stream").Duplex} stream */
  constructor(stream) {
    this.stream = stream
    stream.on("data", (chunk) => this.receive(chunk))
    stream.on("error", (error) => this.fail(error))
    stream.on("close", () => this.fail(new Error("the server closed the connection")))
    this.text = ""
    this.waiting = undefined
  }

  /** @param {string} path @param {string | undefined} cookie @returns {Promise<Answer>} */
  get(path, cookie) {
    return new Promise((resolve, reject) => {
      this.waiting = { resolve, reject }
      const cookieLine = cookie === undefined ? "" : `Cookie: ${cookie}\r\n`
      this.stream.write(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n${cookieLine}\r\n`, "latin1")
    })
  }

  receive(chunk) {
    this.text += chunk.toString("latin1")
    const headEnd = this.text.indexOf("\r\n\r\n")
    if (headEnd === -1) {
      return
    }
    const head = this.text.slice(0, headEnd)
    const body = this.text.slice(headEnd + 4)
    const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1]
    if (length !== undefined && body.length >= Number(length)) {
      this.succeed(head, body)
    } else if (length === undefined && /\r\ntransfer-encoding: *chunked/i.test(head)) {
      if (`\r\n${body}`.endsWith(chunkEnd)) {
        this.succeed(head, joinChunks(body))
      }
    } else if (length === undefined) {
      this.fail(new Error("the answer says nothing of its length"))
    }
  }

  succeed(head, body) {
    const { waiting } = this
    this.text = ""
    this.waiting = undefined
    waiting?.resolve({
      status: Number(head.slice(9, 12)),
      body,
      setCookies: Array.from(head.matchAll(/\r\nset-cookie: *([^\r]*)/gi), ([, value]) => value)
    })
  }

  fail(error) {
    this.waiting?.reject(error)
    this.waiting = undefined
  }

  close() {
    this.waiting = undefined
    this.stream.destroy()
  }
}
