/**
 * What the Redis store does for accounts: an index in a key of its own, in another slot than the records, and the records, which decide.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type { SessionId } from "../../SessionKey.js"
import * as SessionKey from "../../SessionKey.js"
import type { Lifetime, SessionState, StoredRecord } from "../../SessionRecord.js"
import type { AccountText } from "../../SessionSignIn.js"
import * as SessionSignIn from "../../SessionSignIn.js"
import * as SessionStore from "../../SessionStore.js"
import * as scripts from "./redisAccountScripts.js"
import type { RedisFailure, SendCommand } from "./redisCommand.js"
import { sendScript } from "./redisCommand.js"
import { fields, timeText } from "./redisRecord.js"
import { readWords } from "./redisReply.js"
import type { RedisScript } from "./redisScripts.js"

/** @internal */
export interface RedisRecords {
  readonly send: SendCommand
  readonly prefix: string
  /** Where it is told that a session has ended. */
  readonly channel: string
  /** The record of an id; fails as `Malformed` where it is none. */
  readonly read: (id: SessionId) => Effect.Effect<StoredRecord | undefined, RedisFailure>
  /** How commands get to each of the servers that hold records. */
  readonly servers: () => ReadonlyArray<SendCommand>
}

/** An id of an index, and what stands beside it. */
type Entry = readonly [id: SessionId, value: string]

interface Page {
  readonly entries: ReadonlyArray<Entry>
  readonly next: string | undefined
  readonly whole: string
}

// How often an index may be evicted while all sessions of its account are ended.
const maxRounds = 8

const evictedAgain: RedisFailure = {
  reason: "Unavailable",
  message:
    `Redis evicted the index of an account ${maxRounds} times while its sessions were ended: give it more memory, or set ` +
    "maxmemory-policy to noeviction"
}

// How many records are read or ended side by side; ioredis sends them together.
const atOnce = 32

/**
 * For how long, in milliseconds, an account knows of a session without being told again.
 */
const spanOf = ({ maxLifetime, ttl }: Lifetime): number =>
  Math.min(Math.max(maxLifetime ?? 2 * ttl, SessionSignIn.ticketValidity), 1e15)

/**
 * The field that a record of an account has beside its values: until when its account knows of it. A write that lets it live longer
 * says so. The account is told once more after the record was written (`confirm`), so that it never knows of it for shorter.
 *
 * @internal
 */
export const listedField = (set: SessionState, lifetime: Lifetime, now: number): ReadonlyArray<string> =>
  set.has(SessionSignIn.accountKey) ? [fields.listed, timeText(now + spanOf(lifetime))] : []

/** @internal */
export class RedisAccounts implements SessionStore.AccountVerbs {
  constructor(private readonly records: RedisRecords) {}

  readonly begin: SessionStore.AccountVerbs["begin"] = (account, now) =>
    Effect.mapBoth(
      this.runOnIndex(account, "begin", scripts.begin, [
        SessionKey.mintId(),
        millisText(SessionSignIn.ticketValidity)
      ], { Begun: 1 }),
      {
        onFailure: (failure) => new SessionStore.UpdateError(failure),
        onSuccess: ([, epoch]) => ({ epoch: epoch!, at: now })
      }
    )

  readonly enlist: SessionStore.AccountVerbs["enlist"] = (account, id, lifetime, now) =>
    Effect.mapBoth(
      this.runOnIndex(account, "enlist", scripts.enlist, [
        id,
        timeText(now),
        timeText(now + spanOf(lifetime)),
        millisText(spanOf(lifetime)),
        SessionKey.mintId()
      ], { Enlisted: 3 }),
      {
        onFailure: (failure) => new SessionStore.UpdateError(failure),
        onSuccess: ([, epoch, count, whole]) => ({ ticket: { epoch: epoch!, at: now }, count: countOf(count, whole) })
      }
    )

  readonly confirm: SessionStore.AccountVerbs["confirm"] = (account, id, ticket, lifetime, now) =>
    SessionSignIn.isVoid(ticket, undefined, now) ? Effect.succeed(void_) : Effect.mapBoth(
      this.runOnIndex(account, "confirm", scripts.confirm, [
        id,
        ticket.epoch ?? "",
        timeText(now + spanOf(lifetime)),
        millisText(spanOf(lifetime))
      ], { Confirmed: 2, Void: 0 }),
      {
        onFailure: (failure) => new SessionStore.UpdateError(failure),
        onSuccess: ([tag, count, whole]) =>
          tag === "Void" ? void_ : SessionStore.Confirmation.Confirmed({ count: countOf(count, whole) })
      }
    )

  readonly list: SessionStore.AccountVerbs["list"] = (account, now, cursor) =>
    Effect.mapError(
      Effect.flatMap(this.listedPage(account, now, cursor), ({ entries, next }) =>
        Effect.flatMap(
          Effect.forEach(entries, ([id]) => this.read(id), { concurrency: atOnce }),
          (records) =>
            Effect.as(
              this.forget(
                account,
                entries.filter(([, value], i) =>
                  !SessionSignIn.isSignedInTo(records[i], account, now) && isOver(value, now)
                )
              ),
              {
                records: records.filter((record) => record !== undefined)
                  .filter((record) => SessionSignIn.isSignedInTo(record, account, now)),
                next
              }
            )
        )),
      (failure) => new SessionStore.LoadError({ ...failure, reason: "Unavailable" })
    )

  readonly end: SessionStore.AccountVerbs["end"] = (account, id, now) =>
    Effect.mapError(this.endOne(account, id, now), deleteFailed)

  // The epoch moves first. From then on no sign-in that began before is confirmed, and all that were are in the index.
  readonly endAll: SessionStore.AccountVerbs["endAll"] = (account, now, spared) => {
    const epoch = SessionKey.mintId()
    const moved = this.runOnIndex(account, "endAll", scripts.moveEpoch, [
      epoch,
      millisText(SessionSignIn.epochRetention)
    ], { Moved: 1 })
    return Effect.mapError(
      Effect.flatMap(moved, ([, before]) =>
        this.endEach(account, epoch, now, spared?.id, 1, new Set()).pipe(
          Effect.map((ended) => ({
            ended: Array.from(ended),
            ticket: spared?.ticket &&
              SessionSignIn.movedTicket(spared.ticket, before === "" ? undefined : before, epoch, now)
          }))
        )),
      deleteFailed
    )
  }

  /** Lets the account know of a session for longer, which a write has extended. What fails here, the next write does. */
  relist(account: AccountText, id: SessionId, lifetime: Lifetime, now: number): Effect.Effect<void> {
    const untilThen = timeText(now + spanOf(lifetime))
    const listed = { Listed: 0 }
    return Effect.zipRight(
      this.runOnIndex(account, "relist", scripts.relist, [id, untilThen, millisText(spanOf(lifetime))], listed),
      this.run(this.records.prefix + id, "relist", scripts.keepListed, [account, untilThen], listed)
    ).pipe(
      Effect.catchAll(({ message }) =>
        Effect.logWarning(`The account of session ${id} could not be told that it goes on: ${message}`)
      ),
      Effect.asVoid
    )
  }

  // What is missing is looked for once, before anything is answered.
  private listedPage(
    account: AccountText,
    now: number,
    cursor: string | undefined
  ): Effect.Effect<Page, RedisFailure> {
    return Effect.flatMap(
      this.pageOf(account, "list", cursor),
      (page) =>
        cursor !== undefined || page.whole === scripts.wholeWord
          ? Effect.succeed(page)
          : Effect.zipRight(this.makeWhole(account, now), this.pageOf(account, "list", cursor))
    )
  }

  /** Looks through all records for those that the index misses, where it may miss any. */
  private makeWhole(account: AccountText, now: number): Effect.Effect<void, RedisFailure> {
    const word = SessionKey.mintId()
    const listed = { Listed: 0 }
    const kept = millisText(SessionSignIn.epochRetention)
    return this.runOnIndex(account, "look", scripts.beginLook, [word, kept], listed).pipe(
      Effect.zipRight(Effect.forEach(this.records.servers(), (send) => this.lookThrough(send, account, now, "0"))),
      Effect.zipRight(this.runOnIndex(account, "look", scripts.endLook, [word], listed)),
      Effect.asVoid
    )
  }

  private lookThrough(
    send: SendCommand,
    account: AccountText,
    now: number,
    cursor: string
  ): Effect.Effect<void, RedisFailure> {
    // A client may put a prefix of its own before the store's.
    const pattern = `*${literally(this.records.prefix)}${"?".repeat(SessionKey.idLength)}`
    const args = [cursor, pattern, account]
    return Effect.flatMap(
      Effect.flatMap(sendScript(send, "look", scripts.look, undefined, args), (reply) => readPairs("look", reply)),
      ({ next, pairs }) =>
        Effect.forEach(pairs, ([key, untilThen]) => {
          const span = millisText(Math.max(SessionSignIn.ticketValidity, Number(untilThen) - now))
          return this.runOnIndex(account, "look", scripts.relist, [key.slice(-SessionKey.idLength), untilThen, span], {
            Listed: 0
          })
        }, { concurrency: atOnce, discard: true }).pipe(
          Effect.zipRight(
            next === undefined ? Effect.void : Effect.suspend(() => this.lookThrough(send, account, now, next))
          )
        )
    )
  }

  // An index may be evicted at any moment. What it missed at the end is looked for, and ends as well.
  private endEach(
    account: AccountText,
    epoch: string,
    now: number,
    spared: SessionId | undefined,
    rounds: number,
    ended: Set<SessionId>
  ): Effect.Effect<ReadonlySet<SessionId>, RedisFailure> {
    return Effect.flatMap(
      this.endPages(account, epoch, now, spared, undefined, ended),
      (whole) =>
        whole === scripts.wholeWord
          ? Effect.succeed(ended)
          : rounds === maxRounds
          ? Effect.fail(evictedAgain)
          : Effect.zipRight(
            this.makeWhole(account, now),
            Effect.suspend(() => this.endEach(account, epoch, now, spared, rounds + 1, ended))
          )
    )
  }

  /** Ends what is in the index, and says whether that was all. */
  private endPages(
    account: AccountText,
    epoch: string,
    now: number,
    spared: SessionId | undefined,
    cursor: string | undefined,
    ended: Set<SessionId>
  ): Effect.Effect<string, RedisFailure> {
    return Effect.flatMap(this.pageOf(account, "endAll", cursor), ({ entries, next, whole }) => {
      const others = entries.filter(([id]) => id !== spared)
      return Effect.forEach(
        others,
        ([id]) => Effect.map(this.endOne(account, id, now), (isEnded) => isEnded && ended.add(id)),
        { concurrency: atOnce, discard: true }
      ).pipe(
        // Those of sign-ins that began since are under way.
        Effect.zipRight(this.forget(account, others.filter(([, value]) => epochOf(value) !== epoch))),
        Effect.zipRight(
          next === undefined
            ? Effect.succeed(whole)
            : Effect.suspend(() => this.endPages(account, epoch, now, spared, next, ended))
        )
      )
    })
  }

  private endOne(account: AccountText, id: SessionId, now: number): Effect.Effect<boolean, RedisFailure> {
    const { channel, prefix } = this.records
    return Effect.map(
      this.run(prefix + id, "end", scripts.endOf, [timeText(now), account, channel, id], { Deleted: 0, Gone: 0 }),
      ([tag]) => tag === "Deleted"
    )
  }

  // What is no record is no session of anybody, and keeps nobody from the others.
  private read(id: SessionId): Effect.Effect<StoredRecord | undefined, RedisFailure> {
    return Effect.catchIf(
      this.records.read(id),
      ({ reason }) => reason === "Malformed",
      () => Effect.succeed(undefined)
    )
  }

  private pageOf(
    account: AccountText,
    verb: string,
    cursor: string | undefined
  ): Effect.Effect<Page, RedisFailure> {
    const sent = sendScript(this.records.send, verb, scripts.page, this.indexKey(account), [cursor ?? "0"])
    return Effect.flatMap(sent, (reply) => readPage(verb, reply))
  }

  private forget(account: AccountText, entries: ReadonlyArray<Entry>): Effect.Effect<void, RedisFailure> {
    return entries.length === 0
      ? Effect.void
      : Effect.asVoid(this.runOnIndex(account, "forget", scripts.forget, entries.flat(), { Forgotten: 0 }))
  }

  private indexKey(account: AccountText): string {
    return `${this.records.prefix}~account:${SessionSignIn.digest(account)}`
  }

  private runOnIndex(
    account: AccountText,
    verb: string,
    script: RedisScript,
    args: ReadonlyArray<string>,
    answers: Readonly<Record<string, number>>
  ) {
    return this.run(this.indexKey(account), verb, script, args, answers)
  }

  private run(
    key: string,
    verb: string,
    script: RedisScript,
    args: ReadonlyArray<string>,
    answers: Readonly<Record<string, number>>
  ): Effect.Effect<ReadonlyArray<string>, RedisFailure> {
    return Effect.flatMap(
      sendScript(this.records.send, verb, script, key, [...args]),
      (reply) => readWords(verb, reply, answers)
    )
  }
}

const void_ = SessionStore.Confirmation.Void()

const deleteFailed = (failure: RedisFailure) => new SessionStore.DeleteError({ ...failure, reason: "Unavailable" })

/** What Redis counts: whole milliseconds. */
const millisText = (millis: number): string => String(Math.ceil(millis))

const epochOf = (value: string): string | undefined => value.split(":", 1)[0]

// A sign-in that is not confirmed may not have written its record yet.
const isOver = (value: string, now: number): boolean => {
  const since = value.split(":")[2]
  return since === undefined || now - Number(since) >= SessionSignIn.ticketValidity
}

/** At most so many sessions: any number where some may be missing. */
const countOf = (count: string | undefined, whole: string | undefined): number =>
  whole === scripts.wholeWord ? Number(count) : Number.MAX_SAFE_INTEGER

/** A text as a pattern that matches it and nothing else. */
const literally = (text: string): string => text.replace(/[\\*?[\]^]/g, "\\$&")

interface Pairs {
  readonly pairs: ReadonlyArray<readonly [string, string]>
  readonly next: string | undefined
  readonly whole: string
}

const readPage = (verb: string, reply: unknown): Either.Either<Page, RedisFailure> =>
  Either.map(readPairs(verb, reply), ({ pairs, ...rest }) => ({
    ...rest,
    entries: pairs.filter((entry): entry is Entry => SessionKey.isSessionId(entry[0]))
  }))

const readPairs = (verb: string, reply: unknown): Either.Either<Pairs, RedisFailure> => {
  const [tag, cursor, texts, whole, ...more] = Array.isArray(reply) ? reply as ReadonlyArray<unknown> : []
  const list = Array.isArray(texts) && texts.length % 2 === 0 && more.length === 0
    ? texts as ReadonlyArray<unknown>
    : [undefined]
  return Either.flatMap(
    readWords(verb, [tag, cursor, whole], { Page: 2 }),
    ([, next, whole]) =>
      Either.map(readWords(verb, ["Pairs", ...list], { Pairs: list.length }), ([, ...words]) => ({
        next: next === "0" ? undefined : next,
        whole: whole!,
        pairs: Array.from({ length: words.length / 2 }, (_, i) => [words[2 * i]!, words[2 * i + 1]!] as const)
      }))
  )
}
