/**
 * Asks, before the first visitor comes, whether Redis lets its user do what the store does. It writes nothing.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import { mintId } from "../SessionKey.js"
import { SessionStoreConfigError } from "../SessionStore.js"
import { isRefusal, rightsMend, type SendCommand, sendScript } from "./redisCommand.js"
import { script } from "./redisScripts.js"

// Each command is tried on a key that is not there. HSET gets one word too many, which Redis notices after the user's rights
// and before it writes. Answers the errors.
const tryCommands = script(`
local errors = {}
local function try(...)
  local reply = redis.pcall(...)
  if type(reply) == 'table' and reply.err then errors[#errors + 1] = select(1, ...) .. ': ' .. reply.err end
end
try('EXISTS', KEYS[1])
try('HMGET', KEYS[1], 'v')
try('HGET', KEYS[1], 'v')
try('HEXISTS', KEYS[1], 'v')
try('HGETALL', KEYS[1])
try('HKEYS', KEYS[1])
try('HLEN', KEYS[1])
try('HSTRLEN', KEYS[1], 'v')
try('HSET', KEYS[1], 'v', '1', 'v')
try('HDEL', KEYS[1], 'v')
try('PEXPIRE', KEYS[1], '1')
try('DEL', KEYS[1])
return errors
`)

/**
 * Fails where Redis refuses for good what the store sends. One that does not answer is not judged: it may be away, as any
 * Redis may. A warning says so, where it is not the store's own connection, which says it itself.
 *
 * @internal
 */
export const checkRights = (
  send: SendCommand,
  prefix: string,
  option: "client" | "url"
): Effect.Effect<void, SessionStoreConfigError> => {
  const key = prefix + mintId()
  const asked = Effect.zipRight(
    send("hgetall", (client) => client.hgetall(key)),
    sendScript(send, "evalsha", tryCommands, key, [])
  )
  return Effect.matchEffect(asked, {
    onFailure: ({ cause, message }) =>
      cause !== undefined && isRefusal(cause.message)
        ? Effect.fail(refused(option, cause.message))
        : option === "url"
        ? Effect.void
        : Effect.logWarning(`Redis could not be asked whether sessions can be kept in it: ${message}`),
    onSuccess: (errors) => {
      const refusals = Array.isArray(errors) ? errors.filter((error) => isRefusal(String(error))) : []
      return refusals.length === 0 ? Effect.void : Effect.fail(refused(option, refusals.join("; ")))
    }
  })
}

const refused = (option: string, what: string): SessionStoreConfigError =>
  new SessionStoreConfigError({ option, message: `Redis refuses what sessions need: ${what}. ${rightsMend}` })
