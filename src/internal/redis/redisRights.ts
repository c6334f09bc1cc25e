/**
 * Asks, before the first visitor comes, whether Redis lets its user do what the store does. It writes nothing.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import { isRefusal, type RedisFailure, rightsMend, type SendCommand, sendScript } from "./redisCommand.js"
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
try('HSCAN', KEYS[1], '0')
try('PEXPIRE', KEYS[1], '1')
try('PTTL', KEYS[1])
try('DEL', KEYS[1])
return errors
`)

/**
 * What Redis refuses for good of what the store sends, with the mend, or `undefined`. Fails where Redis does not answer: it may
 * be away, as any Redis may, and so is not judged. `key` is one that is not there.
 *
 * @internal
 */
export const refusedRights = (send: SendCommand, key: string): Effect.Effect<string | undefined, RedisFailure> =>
  Effect.matchEffect(
    Effect.zipRight(
      send("hgetall", (client) => client.hgetall(key)),
      sendScript(send, "evalsha", tryCommands, key, [])
    ),
    {
      onFailure: (failure) =>
        failure.cause !== undefined && isRefusal(failure.cause.message)
          ? Effect.succeed(refused(failure.cause.message))
          : Effect.fail(failure),
      onSuccess: (errors) => {
        const refusals = Array.isArray(errors) ? errors.filter((error) => isRefusal(String(error))) : []
        return Effect.succeed(refusals.length === 0 ? undefined : refused(refusals.join("; ")))
      }
    }
  )

const refused = (what: string): string => `Redis refuses what sessions need: ${what}. ${rightsMend}`
