/**
 * The index of an account in Redis: one hash an account, in whatever slot it comes to stand, with a field for each of its sessions. It
 * proves nothing: the record decides, whose scripts are beside this.
 *
 * Fields: `epoch`, which each "end all" replaces; `pruneAt`, the size from which on the fields are looked through; `whole`, where
 * nothing can be missing; `look`, while somebody looks for what is; and for each id `<epoch>:<until>`, which is until when it is listed,
 * or `<epoch>:<until>:<since>` while its sign-in is not confirmed.
 *
 * A Redis that evicts may take an index and leave the records. One that was made anew is not whole there until all records have been
 * looked through.
 *
 * @internal
 */
import { accountKey, ticketValidity } from "../../SessionSignIn.js"
import { fieldOf, fields, layoutVersion } from "./redisRecord.js"
import { script, tellEnded } from "./redisScripts.js"

/** @internal */
export const indexFields = { epoch: "epoch", pruneAt: "pruneAt", whole: "whole", look: "look" } as const

/**
 * What stands for "nothing is missing" in an answer.
 *
 * @internal
 */
export const wholeWord = "whole"

/**
 * The field of a record that holds the account it belongs to.
 *
 * @internal
 */
export const accountField = fieldOf(accountKey)

const smallestPruneAt = 64

// An index is there for as long as one of its sessions may be.
const keep = `
local function keepFor(span)
  if redis.call('PTTL', KEYS[1]) < tonumber(span) then redis.call('PEXPIRE', KEYS[1], span) end
end
`

const count = `
local function countIds()
  local others = 0
  for _, field in ipairs({${Object.values(indexFields).map((field) => `'${field}'`).join(", ")}}) do
    others = others + redis.call('HEXISTS', KEYS[1], field)
  end
  return redis.call('HLEN', KEYS[1]) - others
end
`

// Where Redis does not say whether it evicts, it may.
const whole = `
local function wholeness()
  if redis.call('HEXISTS', KEYS[1], '${indexFields.whole}') == 1 then return '${wholeWord}' end
  local info = redis.pcall('INFO', 'memory')
  if type(info) ~= 'string' then return 'partial' end
  local evictsNever = string.match(info, 'maxmemory:(%d+)') == '0' or
    string.match(info, 'maxmemory_policy:(%w+)') == 'noeviction'
  return evictsNever and '${wholeWord}' or 'partial'
end
`

// An index that is made where nothing is evicted has never missed anything.
const prepare = `
local function prepare(fresh)
  if redis.call('EXISTS', KEYS[1]) == 0 and wholeness() == '${wholeWord}' then
    redis.call('HSET', KEYS[1], '${indexFields.whole}', '1')
  end
  local epoch = redis.call('HGET', KEYS[1], '${indexFields.epoch}') or fresh
  redis.call('HSET', KEYS[1], '${indexFields.epoch}', epoch)
  return epoch
end
`

// Each look doubles the size at which the next one is due, so that it costs a sign-in next to nothing.
const prune = `
local function prune(now)
  if countIds() <= tonumber(redis.call('HGET', KEYS[1], '${indexFields.pruneAt}') or ${smallestPruneAt}) then return end
  local all = redis.call('HGETALL', KEYS[1])
  for i = 1, #all, 2 do
    local untilThen, since = string.match(all[i + 1], '^[^:]*:([^:]*):?([^:]*)$')
    local isOver = untilThen and (tonumber(untilThen) or 0) <= now
    local isLost = since and since ~= '' and now - (tonumber(since) or 0) >= ${ticketValidity}
    if isOver or isLost then redis.call('HDEL', KEYS[1], all[i]) end
  end
  redis.call('HSET', KEYS[1], '${indexFields.pruneAt}', math.max(${smallestPruneAt}, 2 * countIds()))
end
`

/**
 * `ARGV`: an epoch for an index that has none, and for how long the index is kept at least (milliseconds). Answers `Begun` with the
 * epoch.
 *
 * @internal
 */
export const begin = script(
  keep,
  whole,
  prepare,
  `
local epoch = prepare(ARGV[1])
keepFor(ARGV[2])
return {'Begun', epoch}
`
)

/**
 * `ARGV`: the id, now, until when it is listed, for how long the index is kept at least (milliseconds), and an epoch for an index that
 * has none. Answers `Enlisted` with the epoch, the number of ids, and whether they are all.
 *
 * @internal
 */
export const enlist = script(
  keep,
  count,
  whole,
  prepare,
  prune,
  `
local epoch = prepare(ARGV[5])
redis.call('HSET', KEYS[1], ARGV[1], epoch .. ':' .. ARGV[3] .. ':' .. ARGV[2])
prune(tonumber(ARGV[2]))
keepFor(ARGV[4])
return {'Enlisted', epoch, tostring(countIds()), wholeness()}
`
)

/**
 * `ARGV`: the id, the epoch of the ticket, until when the id is listed, and for how long the index is kept at least. Answers
 * `Confirmed` with the number of ids and whether they are all, or `Void`.
 *
 * @internal
 */
export const confirm = script(
  keep,
  count,
  whole,
  `
local found = redis.call('HMGET', KEYS[1], '${indexFields.epoch}', ARGV[1])
if found[1] ~= ARGV[2] or not found[2] then return {'Void'} end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2] .. ':' .. ARGV[3])
keepFor(ARGV[4])
return {'Confirmed', tostring(countIds()), wholeness()}
`
)

/**
 * Lists a session for longer, one that is not there included. `ARGV`: the id, until when, and for how long the index is kept at least.
 *
 * @internal
 */
export const relist = script(
  keep,
  `
local epoch = string.match(redis.call('HGET', KEYS[1], ARGV[1]) or '-', '^[^:]*')
redis.call('HSET', KEYS[1], ARGV[1], epoch .. ':' .. ARGV[2])
keepFor(ARGV[3])
return {'Listed'}
`
)

/**
 * `ARGV`: another epoch, and for how long it is kept at least. Answers `Moved` with the epoch before; nothing, where there was none:
 * then no sign-in can be under way that could be confirmed.
 *
 * @internal
 */
export const moveEpoch = script(
  keep,
  `
local before = redis.call('HGET', KEYS[1], '${indexFields.epoch}')
if not before then return {'Moved', ''} end
redis.call('HSET', KEYS[1], '${indexFields.epoch}', ARGV[1])
keepFor(ARGV[2])
return {'Moved', before}
`
)

/**
 * `ARGV`: a word of whoever looks for what is missing, and for how long the index is kept at least.
 *
 * @internal
 */
export const beginLook = script(
  keep,
  `
redis.call('HSET', KEYS[1], '${indexFields.look}', ARGV[1])
keepFor(ARGV[2])
return {'Listed'}
`
)

/**
 * `ARGV`: the same word. Where the index is still the one that it stands in, nothing is missing any more.
 *
 * @internal
 */
export const endLook = script(`
if redis.call('HGET', KEYS[1], '${indexFields.look}') == ARGV[1] then
  redis.call('HSET', KEYS[1], '${indexFields.whole}', '1')
  redis.call('HDEL', KEYS[1], '${indexFields.look}')
end
return {'Listed'}
`)

/**
 * Looks through records, whatever their keys. `ARGV`: where to begin, a pattern of keys, and the account. Answers `Page` with where to go
 * on (`0`: nowhere), and for each record of the account its key and until when it may be listed.
 *
 * @internal
 */
export const look = script(`
local found = redis.call('SCAN', ARGV[1], 'MATCH', ARGV[2], 'COUNT', 1000)
local records = {}
for _, key in ipairs(found[2]) do
  local record = redis.pcall('HMGET', key, '${accountField}', '${fields.listed}', '${fields.expiresAt}')
  if not record.err and record[1] == ARGV[3] then
    records[#records + 1] = key
    records[#records + 1] = record[2] or record[3] or '0'
  end
end
return {'Page', found[1], records, ''}
`)

/**
 * `ARGV[1]`: where to begin, `0` at first. Answers `Page` with where to go on (`0`: nowhere), the fields and values, and whether all ids
 * are there.
 *
 * @internal
 */
export const page = script(
  whole,
  `
local found = redis.call('HSCAN', KEYS[1], ARGV[1], 'COUNT', 128)
return {'Page', found[1], found[2], wholeness()}
`
)

/**
 * `ARGV`: ids and their values, by turns. Takes those away that are still as they were.
 *
 * @internal
 */
export const forget = script(`
for i = 1, #ARGV, 2 do
  if redis.call('HGET', KEYS[1], ARGV[i]) == ARGV[i + 1] then redis.call('HDEL', KEYS[1], ARGV[i]) end
end
return {'Forgotten'}
`)

/**
 * Of a record. `ARGV`: now, the account, the channel on which it is told, and the id. Answers `Deleted` where the session was a live one
 * of the account, or `Gone`.
 *
 * @internal
 */
export const endOf = script(
  tellEnded,
  `
local found = redis.call('HMGET', KEYS[1], '${fields.version}', '${fields.expiresAt}', '${fields.successor}', '${accountField}')
if found[1] ~= '${layoutVersion}' or found[3] or found[4] ~= ARGV[2] then return {'Gone'} end
if tonumber(ARGV[1]) >= (tonumber(found[2] or '') or 0) then return {'Gone'} end
redis.call('DEL', KEYS[1])
tellEnded(ARGV[3], ARGV[4])
return {'Deleted'}
`
)

/**
 * Of a record. `ARGV`: the account, and until when the session is listed from now on.
 *
 * @internal
 */
export const keepListed = script(`
if redis.call('HGET', KEYS[1], '${accountField}') == ARGV[1] then redis.call('HSET', KEYS[1], '${fields.listed}', ARGV[2]) end
return {'Listed'}
`)
