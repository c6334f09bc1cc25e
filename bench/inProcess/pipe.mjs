/**
 * Two ends of a connection inside the process. What is written to one arrives at the other in a later turn of the event
 * loop, as it does from a socket.
 */
import { Duplex } from "node:stream"

class End extends Duplex {
  /** @type {End | undefined} */
  other = undefined

  _read() {}

  _write(chunk, _encoding, done) {
    setImmediate(() => {
      this.other.push(chunk)
      done()
    })
  }

  _final(done) {
    this.other.push(null)
    done()
  }
}

/** @returns {readonly [Duplex, Duplex]} */
export const pipe = () => {
  const left = new End()
  const right = new End()
  left.other = right
  right.other = left
  return [left, right]
}
