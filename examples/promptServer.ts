/**
 * An HTTP server for examples, which end at once when they are told to.
 */
import { Server } from "node:http"

/**
 * Hangs up on every client when it closes. Node's own server waits for requests that are not answered yet, and for
 * connections that a browser has opened in advance and not used.
 */
export class PromptServer extends Server {
  override close(callback?: (error?: Error) => void): this {
    super.close(callback)
    this.closeAllConnections()
    return this
  }
}
