/**
 * A WebSocket client of a few lines, which says what a real one keeps to itself: status, cookies, how it goes.
 */
import { randomBytes } from "node:crypto"
import * as Http from "node:http"

export interface Client {
  readonly status: number
  readonly setCookies: ReadonlyArray<string>
  readonly send: (text: string) => void
  /** The next message; `undefined` when the server has closed the socket. */
  readonly next: () => Promise<string | undefined>
  readonly close: (code: number) => void
  readonly destroy: () => void
}

const frame = (opcode: number, payload: Buffer): Buffer => {
  const mask = randomBytes(4)
  const masked = payload.map((byte, index) => byte ^ mask[index % 4]!)
  return Buffer.concat([Buffer.from([0x80 | opcode, 0x80 | payload.length]), mask, masked])
}

export const connect = (
  port: number,
  path: string,
  cookie?: string,
  more: Readonly<Record<string, string>> = {}
): Promise<Client> =>
  new Promise((resolve, reject) => {
    const request = Http.request({
      port,
      path,
      host: "127.0.0.1",
      agent: false,
      headers: {
        connection: "Upgrade",
        upgrade: "websocket",
        "sec-websocket-version": "13",
        "sec-websocket-key": randomBytes(16).toString("base64"),
        ...(cookie === undefined ? {} : { cookie }),
        ...more
      }
    })
    request.on("error", reject)
    request.on("response", (response) => {
      response.resume()
      const none = () => {
        throw new Error("the upgrade was refused")
      }
      resolve({
        status: response.statusCode!,
        setCookies: response.headers["set-cookie"] ?? [],
        send: none,
        next: none,
        close: none,
        destroy: none
      })
    })
    request.on("upgrade", (response, socket, head) => {
      let received = head
      let isOver = false
      let wake = () => {}
      socket.on("data", (chunk) => {
        received = Buffer.concat([received, chunk])
        wake()
      })
      socket.on("close", () => {
        isOver = true
        wake()
      })
      socket.on("error", () => {})
      const next = async (): Promise<string | undefined> => {
        while (received.length < 2 || received.length < 2 + received[1]!) {
          if (isOver) {
            return undefined
          }
          await new Promise<void>((resolve) => wake = resolve)
        }
        const [opcode, end] = [received[0]! & 15, 2 + received[1]!]
        const payload = received.subarray(2, end)
        received = received.subarray(end)
        if (opcode === 8) {
          socket.end(frame(8, payload))
        }
        return opcode === 1 ? payload.toString() : next()
      }
      resolve({
        status: response.statusCode!,
        setCookies: response.headers["set-cookie"] ?? [],
        next,
        send: (text) => socket.write(frame(1, Buffer.from(text))),
        close: (code) => socket.write(frame(8, Buffer.from([code >> 8, code & 255]))),
        destroy: () => socket.destroy()
      })
    })
    request.end()
  })
