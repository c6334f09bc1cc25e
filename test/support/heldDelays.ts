/**
 * Loaded into the process of an example before the example: what waits for `heldLimit` there waits until the tests send a
 * message, and they are sent one for each wait that begins.
 */
import { replaceTimers } from "./handTimers.js"

const { elapse } = replaceTimers(() => process.send?.("waiting"))
process.on("message", elapse)
// The tests must not keep alive what wants to end.
process.channel?.unref()
