/**
 * The rules of `SessionRecord`, said in Lua: one script a verb, so that Redis runs each as one atomic step. Every script
 * touches the one key it declares, and uses nothing that Redis 6.2 and Valkey do not have.
 *
 * Times come in as the text that JavaScript wrote and are stored as that text. A script compares them as numbers but never
 * formats one, since Lua would round it to 14 digits.
 *
 * @internal
 */
import { createHash } from "node:crypto"
import * as SessionRecord from "../../SessionRecord.js"
import { accountKey } from "../../SessionSignIn.js"
import { fieldOf, fields, layoutVersion, openGrace } from "./redisRecord.js"

/**
 * A Lua script and the name that Redis caches it under.
 *
 * @internal
 */
export interface RedisScript {
  readonly source: string
  readonly sha: string
}

/**
 * What follows the expiry in the answer `Saved`: that the caller's key is in its grace, or that the new one was taken.
 *
 * @internal
 */
export const savedWords = { older: "older", new: "new" } as const

/** @internal */
export const script = (...parts: ReadonlyArray<string>): RedisScript => {
  const source = parts.join("\n")
  return { source, sha: createHash("sha1").update(source).digest("hex") }
}

// Lua passes arguments on a stack of limited size, so a session with thousands of values is written in slices. The size
// is even: a slice never parts a field from its value.
const sliced = `
local function sliced(command, from, to)
  for i = from, to, 1000 do
    redis.call(command, KEYS[1], unpack(ARGV, i, math.min(i + 999, to)))
  end
end
`

// What all secrets that a record remembers take up, each with its times, is less than this.
const maxSecretBytes = 96 * (SessionRecord.supersededRetention.renewals + 1)

// The bytes of a record: names and values, as they stand in the hash, without the secrets that renewals have replaced, which
// are few and must not keep anybody from a renewal. No value is empty.
const sizes = `
local function sizeOf(field)
  local size = redis.call('HSTRLEN', KEYS[1], field)
  return size > 0 and size + #field or 0
end
local function sizeOfAll()
  local size = 0
  for _, field in ipairs(redis.call('HKEYS', KEYS[1])) do
    if field ~= '${fields.superseded}' then size = size + sizeOf(field) end
  end
  return size
end
`

// Redis counts whole milliseconds, and refuses a number that overflows its clock.
const expire = `
local function expire(at)
  local ttl = math.max(1, math.ceil(tonumber(at) - now))
  redis.call('PEXPIRE', KEYS[1], string.format('%.0f', math.min(ttl, 1e15)))
end
`

// ARGV[1]: digest of the caller's secret. ARGV[2]: now, in milliseconds.
// Goes on only with a live record of whose secrets one is the caller's. `isCurrent`: it opens the session, as the newest one
// or in the grace of a rotation.
const own = `
local digest, now = ARGV[1], tonumber(ARGV[2])
local found = redis.call('HMGET', KEYS[1], '${fields.version}', '${fields.digest}', '${fields.createdAt}',
  '${fields.extendedAt}', '${fields.expiresAt}', '${fields.superseded}', '${fields.successor}', '${fields.listed}')
local version, current, createdAt, extendedAt, expiresAt, superseded, successor, listed = unpack(found, 1, 8)
if not version and redis.call('EXISTS', KEYS[1]) == 0 then return {'Gone'} end
if version ~= '${layoutVersion}' then return {'Malformed', '${fields.version}'} end
if not current then return {'Malformed', '${fields.digest}'} end
if not tonumber(createdAt or '') then return {'Malformed', '${fields.createdAt}'} end
if not tonumber(expiresAt or '') then return {'Malformed', '${fields.expiresAt}'} end
if not tonumber(extendedAt or expiresAt) then return {'Malformed', '${fields.extendedAt}'} end
if now >= tonumber(expiresAt) then return {'Gone'} end
local isNewest = current == digest
local isCurrent = isNewest
superseded = superseded or ''
local function isInGrace(grace)
  return grace == '${openGrace}' or now < (tonumber(grace) or now)
end
if not isNewest then
  local _, colon = string.find(',' .. superseded, ',' .. digest .. ':', 1, true)
  local at, grace = string.match(superseded, '^([^:,]+):?([^,]*)', colon or #superseded + 1)
  if not at then return {'Gone'} end
  if grace == '' and now - tonumber(at) >= ${SessionRecord.supersededRetention.millis} then return {'Gone'} end
  isCurrent = isInGrace(grace)
end
`

// ARGV[3]: when the record would expire if its session had no maxLifetime. ARGV[4]: that of now, or nothing.
// A deadline is a whole number of milliseconds, which Lua writes as JavaScript does as long as it is one exactly.
const writable = `
if successor then return {'Gone'} end
local extended = ARGV[3]
if ARGV[4] ~= '' then
  local deadline = math.floor(tonumber(createdAt) + tonumber(ARGV[4]))
  if deadline <= ${Number.MAX_SAFE_INTEGER} then
    if now >= deadline then return {'Gone'} end
    if deadline < tonumber(extended) then extended = string.format('%.0f', deadline) end
  end
end
if not isCurrent then return {'Superseded'} end
`

// How a write ends. Where the session lives longer now than its account knows of it, the account is named.
const savedAs = `
local function savedAs(word)
  local account = listed and tonumber(extended) > (tonumber(listed) or 0) and
    redis.call('HGET', KEYS[1], '${fieldOf(accountKey)}')
  if account then return {'Saved', extended, word, account} end
  if word == '' then return {'Saved', extended} end
  return {'Saved', extended, word}
end
`

// How one ends that has found the caller's key in the record as it is.
const saved = `
return savedAs(isNewest and '' or '${savedWords.older}')
`

// What is remembered of the secrets that others have replaced, the newest first, once another has taken the place of the newest one.
const replaceSecret = `
local secretPattern = '([^:,]+):([^:,]+):?([^,]*)'
local function listSecrets(first, keep)
  local kept = {first}
  for old, at, grace in string.gmatch(superseded, secretPattern) do
    if #kept >= ${SessionRecord.supersededRetention.renewals} then break end
    kept[#kept + 1] = keep(old, at, grace)
  end
  return table.concat(kept, ',')
end
local function isRecent(at) return now - tonumber(at) < ${SessionRecord.supersededRetention.millis} end
`

// When such a secret opened nothing any more.
const endOfGrace = `
local function endOfGrace(at, grace)
  if isInGrace(grace) then return ARGV[2] end
  return grace == '' and at or grace
end
`

// From ARGV[first] on: how many of each kind follow, then the fields expected to hold a value (each with the value), the
// fields expected to be absent, the fields to remove, and the fields to set (each with its value).
const expectations = `
local valued = first + 3
local absent = valued + 2 * tonumber(ARGV[first])
local unset = absent + tonumber(ARGV[first + 1])
local set = unset + tonumber(ARGV[first + 2])
local expected = {}
local function isMet()
  for i = valued, absent - 1, 2 do
    if redis.call('HGET', KEYS[1], ARGV[i]) ~= ARGV[i + 1] then return false end
    expected[ARGV[i]] = #ARGV[i] + #ARGV[i + 1]
  end
  for i = absent, unset - 1 do
    if redis.call('HEXISTS', KEYS[1], ARGV[i]) == 1 then return false end
    expected[ARGV[i]] = 0
  end
  return true
end
if not isMet() then
  local instead = {'Conflict'}
  for i = valued, absent - 1, 2 do instead[#instead + 1] = redis.call('HGET', KEYS[1], ARGV[i]) end
  for i = absent, unset - 1 do instead[#instead + 1] = redis.call('HGET', KEYS[1], ARGV[i]) end
  return instead
end
`

// ARGV[5]: how many bytes a record may have. One that has more already may shrink. What was expected has its size.
const growth = `
local growth = 0
for i = set, #ARGV, 2 do growth = growth + #ARGV[i] + #ARGV[i + 1] - (expected[ARGV[i]] or sizeOf(ARGV[i])) end
for i = unset, set - 1 do growth = growth - (expected[ARGV[i]] or sizeOf(ARGV[i])) end
if growth > 0 and sizeOfAll() + growth > tonumber(ARGV[5]) then return {'TooLarge'} end
`

// HSET comes first: where Redis is out of memory it is the command that is refused, and nothing has been written then.
// It sets all there is to set, but where fields are removed, which may be among those.
const change = `
local last = unset < set and set - 1 or math.min(set + 997, #ARGV)
redis.call('HSET', KEYS[1], '${fields.extendedAt}', ARGV[2], '${fields.expiresAt}', extended, unpack(ARGV, set, last))
sliced('HDEL', unset, set - 1)
sliced('HSET', last + 1, #ARGV)
expire(extended)
`

/**
 * `ARGV[1]`: how many bytes a record may have. Answers `Found` with the fields and values, of which there are none where there
 * is no key, or `TooLarge`, and then reads no value. A field has three bytes at least, so that too many need not be counted.
 *
 * @internal
 */
export const load = script(
  sizes,
  `
local limit = tonumber(ARGV[1])
if redis.call('HLEN', KEYS[1]) * 3 > limit or sizeOfAll() > limit or sizeOf('${fields.superseded}') > ${maxSecretBytes} then
  return {'TooLarge'}
end
return {'Found', redis.call('HGETALL', KEYS[1])}
`
)

/**
 * `ARGV`: the time to live in milliseconds, then fields and values of the whole record. Answers 1, or 0 where the id is
 * taken, by whatever it may be.
 *
 * @internal
 */
export const save = script(
  `if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end`,
  sliced,
  `sliced('HSET', 2, #ARGV)`,
  `redis.call('PEXPIRE', KEYS[1], ARGV[1])`,
  `return 1`
)

/**
 * Answers `Saved` with the new expiry, `Conflict` with what stands under each field that something was expected of,
 * `TooLarge`, `Superseded`, `Gone`, or `Malformed` with the name of the field that is wrong.
 *
 * @internal
 */
export const update = script(
  own,
  writable,
  "local first = 6",
  expectations,
  sizes,
  growth,
  sliced,
  expire,
  change,
  savedAs,
  saved
)

/**
 * `ARGV[6]`: the new digest. Answers as `update` does.
 *
 * @internal
 */
export const renew = script(
  own,
  writable,
  "local first = 7",
  expectations,
  sizes,
  growth,
  sliced,
  expire,
  replaceSecret,
  endOfGrace,
  `
redis.call('HSET', KEYS[1], '${fields.digest}', ARGV[6],
  '${fields.superseded}', listSecrets(current .. ':' .. ARGV[2], function(old, at, grace)
    local ended = endOfGrace(at, grace)
    return isRecent(ended) and old .. ':' .. ended or nil
  end))
`,
  change,
  savedAs,
  `return savedAs('')`
)

/**
 * `ARGV[6]`: the new digest. `ARGV[7]`, `ARGV[8]`: `every` and `grace` of the rotation. `ARGV[9]`: when a grace that begins now
 * ends. `ARGV[10]`: `1` where the expiry is refreshed. `ARGV[11]`: `1` where there may be a new digest. Answers as `update` does, and whether the new digest was taken.
 *
 * @internal
 */
export const rotate = script(
  own,
  writable,
  "local first = 12",
  expectations,
  sizes,
  growth,
  sliced,
  expire,
  replaceSecret,
  `
local newestSince, isOpen, isAwaited = tonumber(createdAt), isNewest, false
local isBefore, isFirst, position = isNewest, true, 0
local all = {}
for old, at, grace in string.gmatch(superseded, secretPattern) do
  if isFirst then newestSince, isFirst = tonumber(at), false end
  local text = old .. ':' .. at
  if isBefore and grace == '${openGrace}' then
    isAwaited, grace = true, ARGV[9]
  end
  if not isNewest and old == digest then
    isBefore, isOpen, position = true, grace == '${openGrace}', #all + 1
  end
  all[#all + 1] = grace == '' and text or text .. ':' .. grace
end
if isAwaited then superseded = table.concat(all, ',') end
local isDue = ARGV[11] == '1' and isOpen and now - newestSince >= tonumber(isNewest and ARGV[7] or ARGV[8])
if isDue then
  local i = 0
  redis.call('HSET', KEYS[1], '${fields.digest}', ARGV[6], '${fields.superseded}',
    listSecrets(current .. ':' .. ARGV[2] .. ':${openGrace}', function(old, at, grace)
      i = i + 1
      if i >= ${SessionRecord.unusedRetention} and i < position then return nil end
      if grace ~= '' then return old .. ':' .. at .. ':' .. grace end
      return isRecent(at) and old .. ':' .. at or nil
    end))
elseif isAwaited then
  redis.call('HSET', KEYS[1], '${fields.superseded}', superseded)
end
if ARGV[10] == '1' then
`,
  change,
  `
else
  extended = expiresAt
  sliced('HDEL', unset, set - 1)
  sliced('HSET', set, #ARGV)
end
`,
  savedAs,
  `if isDue then return savedAs('${savedWords.new}') end`,
  saved
)

/**
 * `ARGV[5]`: the time to live, in milliseconds. Answers `Saved`, `Superseded`, `Gone` or `Malformed`, as `update` does.
 *
 * @internal
 */
export const updateTtl = script(
  own,
  `if now >= tonumber(extendedAt or expiresAt) + tonumber(ARGV[5]) then return {'Gone'} end`,
  writable,
  expire,
  `
redis.call('HSET', KEYS[1], '${fields.extendedAt}', ARGV[2], '${fields.expiresAt}', extended)
expire(extended)
`,
  savedAs,
  saved
)

/**
 * Tells those who wait for the end of a session. Whoever may not tell them ends it all the same: they ask.
 *
 * @internal
 */
export const tellEnded = `
local function tellEnded(channel, id) redis.pcall('PUBLISH', channel, id) end
`

/**
 * `ARGV[1]`: the channel. Tells nobody of nothing, and answers what Redis says against it, or nothing.
 *
 * @internal
 */
export const tryToTell = script(`
local reply = redis.pcall('PUBLISH', ARGV[1], '')
return type(reply) == 'table' and reply.err or ''
`)

/**
 * `ARGV[3]`: the successor, or nothing. `ARGV[4]`: when the trace that leads there expires. `ARGV[5]`, `ARGV[6]`: the channel on which
 * it is told, and the id. Answers `Deleted` where it was this call that ended the session, `Replaced` with the successor where there is one, `Gone`, or `Malformed`.
 *
 * @internal
 */
export const remove = script(
  own,
  expire,
  endOfGrace,
  tellEnded,
  `
if successor then return {'Replaced', successor} end
local traced = string.gsub(superseded, '([^:,]+):([^:,]+):([^,]+)', function(old, at, grace)
  return old .. ':' .. endOfGrace(at, grace)
end)
redis.call('DEL', KEYS[1])
if ARGV[3] ~= '' then
  redis.call('HSET', KEYS[1], '${fields.version}', version, '${fields.digest}', current, '${fields.createdAt}', createdAt,
    '${fields.extendedAt}', ARGV[2], '${fields.expiresAt}', ARGV[4], '${fields.successor}', ARGV[3])
  if superseded ~= '' then redis.call('HSET', KEYS[1], '${fields.superseded}', traced) end
  expire(ARGV[4])
end
tellEnded(ARGV[5], ARGV[6])
return {'Deleted'}
`
)
