/**
 * Stores that are wrong in one way each, and a sound one to make them of: a table of records and the rules of
 * `SessionRecord`, with every part open to a defect.
 */
import * as SessionKey from "effect-session/SessionKey"
import type { SessionChange, SessionState, StoredRecord } from "effect-session/SessionRecord"
import * as SessionRecord from "effect-session/SessionRecord"
import * as SessionStore from "effect-session/SessionStore"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Scope from "effect/Scope"
import { livingFor } from "../support/lifetimes.js"
import { accountDefects } from "./defectiveAccounts.js"
import { type AccountParts, accountsOver, soundParts } from "./soundAccounts.js"

type Row = StoredRecord | undefined

/** What the sound store is made of. */
interface Parts {
  readonly readKey: (text: string) => Option.Option<SessionKey.SessionKey>
  readonly mint: () => SessionKey.SessionKey
  readonly create: typeof SessionRecord.create
  readonly load: typeof SessionStore.loadResult
  readonly update: typeof SessionRecord.update
  readonly renew: typeof SessionRecord.renew
  readonly rotate: typeof SessionRecord.rotate
  readonly refresh: typeof SessionRecord.refresh
  readonly end: typeof SessionRecord.end
  readonly find: typeof SessionStore.foundRecord
  readonly listeners: () => SessionStore.EndListeners
  /** The name of the row of a session. */
  readonly rowName: (id: string) => string
  readonly isTaken: (rows: ReadonlyMap<string, StoredRecord>, name: string) => boolean
  /** What happens between reading a row and writing it. */
  readonly beforeWrite: {
    readonly [verb in "update" | "renew" | "rotate" | "updateTtl" | "delete"]: Effect.Effect<void>
  }
  /** How a row gets from the table to the caller, and how a record gets into it. */
  readonly handOut: (record: StoredRecord) => StoredRecord
  readonly keep: (record: StoredRecord) => StoredRecord
  /** The key of a new session, where one was drawn before. */
  readonly drawn: (key: SessionKey.SessionKey | undefined) => SessionKey.SessionKey | undefined
  readonly accounts: AccountParts
  readonly accountCalls: (
    accounts: SessionStore.AccountVerbs,
    rows: Map<string, StoredRecord>
  ) => Partial<SessionStore.AccountVerbs>
  /** Writes a row, in one step. */
  readonly put: (rows: Map<string, StoredRecord>, name: string, record: StoredRecord) => Effect.Effect<void>
}

const copy = (record: StoredRecord): StoredRecord => ({ ...record, state: new Map(record.state) })

const sound: Parts = {
  readKey: SessionKey.fromText,
  mint: SessionKey.mint,
  create: SessionRecord.create,
  load: SessionStore.loadResult,
  update: SessionRecord.update,
  renew: SessionRecord.renew,
  rotate: SessionRecord.rotate,
  refresh: SessionRecord.refresh,
  end: SessionRecord.end,
  find: SessionStore.foundRecord,
  listeners: SessionStore.makeEndListeners,
  rowName: (id) => id,
  isTaken: (rows, name) => rows.has(name),
  beforeWrite: {
    update: Effect.void,
    renew: Effect.void,
    rotate: Effect.void,
    updateTtl: Effect.void,
    delete: Effect.void
  },
  handOut: copy,
  keep: copy,
  drawn: (key) => key,
  accounts: soundParts,
  accountCalls: () => ({}),
  put: (rows, name, record) => Effect.sync(() => rows.set(name, record))
}

// Nothing happens in a call before what it answers is run.
const makeStore = (parts: Parts): SessionStore.SessionStore => {
  const rows = new Map<string, StoredRecord>()
  const listeners = parts.listeners()
  const accounts = accountsOver(rows, parts.accounts)
  const handedOut = (row: Row): Row => row === undefined ? undefined : parts.handOut(row)

  const write = (
    verb: "update" | "renew" | "rotate" | "updateTtl",
    key: SessionKey.SessionKey,
    newKey: SessionKey.SessionKey,
    rule: (record: Row) => SessionRecord.Rewrite
  ): Effect.Effect<SessionStore.WriteResult> =>
    Effect.suspend(() => {
      const name = parts.rowName(key.id)
      const apply = (row: Row) => {
        const result = rule(handedOut(row))
        if (result._tag !== "Replace") {
          return Effect.succeed<SessionStore.WriteResult>(result)
        }
        const { record } = result
        return Effect.as(
          parts.put(rows, name, parts.keep(record)),
          SessionStore.savedResult(record, key, newKey)
        )
      }
      const between = parts.beforeWrite[verb]
      return between === Effect.void
        ? apply(rows.get(name))
        : Effect.suspend(() => {
          const row = rows.get(name)
          return Effect.zipRight(between, Effect.suspend(() => apply(row)))
        })
    })

  return SessionStore.make({
    readKey: parts.readKey,
    load: (key, now) => Effect.sync(() => parts.load(handedOut(rows.get(parts.rowName(key.id))), key, now)),
    save: (state, lifetime, now, drawn) =>
      Effect.suspend(() => {
        let key = parts.drawn(drawn) ?? parts.mint()
        while (parts.isTaken(rows, parts.rowName(key.id))) {
          key = parts.mint()
        }
        const record = parts.create(key, state, lifetime, now)
        return Effect.as(
          parts.put(rows, parts.rowName(key.id), parts.keep(record)),
          { key, expiresAt: record.expiresAt }
        )
      }),
    update: (key, change, lifetime, now) =>
      write("update", key, key, (record) => parts.update(record, key, change, lifetime, now)),
    updateTtl: (key, lifetime, now) =>
      write("updateTtl", key, key, (record) => parts.refresh(record, key, lifetime, now)),
    renew: (key, change, lifetime, now) =>
      Effect.suspend(() => {
        const newKey = SessionKey.mintSecret(key.id)
        return write("renew", key, newKey, (record) => parts.renew(record, key, newKey, change, lifetime, now))
      }),
    rotate: (key, change, lifetime, rotation, now) =>
      Effect.suspend(() => {
        const newKey = SessionKey.mintSecret(key.id)
        return write(
          "rotate",
          key,
          newKey,
          (record) => parts.rotate(record, key, newKey, change, lifetime, rotation, now)
        )
      }),
    delete: (key, now, successor) =>
      Effect.suspend(() => {
        const name = parts.rowName(key.id)
        const row = rows.get(name)
        const [answer, trace] = parts.end(row, key, successor, now)
        return trace === row
          ? Effect.succeed(answer)
          : Effect.zipRight(
            parts.beforeWrite.delete,
            trace === undefined
              // Somebody may have been faster where there is something to wait for.
              ? Effect.sync(() => rows.delete(name))
              : Effect.as(parts.put(rows, name, parts.keep(trace)), answer)
          ).pipe(Effect.tap(() => Effect.sync(() => listeners.tell(key.id))))
      }),
    endings: {
      find: (id, now) => Effect.sync(() => parts.find(handedOut(rows.get(parts.rowName(id))), now)),
      listen: listeners.listen,
      pollEvery: () => Infinity
    },
    accounts: { ...accounts, ...parts.accountCalls(accounts, rows) }
  }, { timeout: "none" })
}

const layerOf = (store: () => SessionStore.SessionStore): Layer.Layer<SessionStore.SessionStore> =>
  Layer.sync(SessionStore.SessionStore, store)

export const soundStore = layerOf(() => makeStore(sound))

const withParts = (parts: Partial<Parts>) => layerOf(() => makeStore({ ...sound, ...parts }))

/** Spoils the calls of a sound store rather than its parts. */
const withCalls = (spoil: (store: SessionStore.SessionStore) => Partial<SessionStore.SessionStoreVerbs>) =>
  layerOf(() => {
    const store = makeStore(sound)
    return { ...store, ...spoil(store) }
  })

const pause = Effect.yieldNow()

const replaced = (
  rewrite: SessionRecord.Rewrite,
  f: (record: StoredRecord) => Partial<StoredRecord>
): SessionRecord.Rewrite =>
  rewrite._tag === "Replace" ? { ...rewrite, record: { ...rewrite.record, ...f(rewrite.record) } } : rewrite

/** Puts the digest of the caller's secret into the record before a rule looks at it. */
const trusting = (record: Row, key: SessionKey.SessionKey): Row =>
  record === undefined ? undefined : { ...record, digest: SessionKey.digest(key) }

const isSuperseded = (record: Row, key: SessionKey.SessionKey, now: number): boolean =>
  record !== undefined && SessionRecord.verify(record, key, now) === "Superseded"

const withDigestOf = (rewrite: SessionRecord.Rewrite, record: Row): SessionRecord.Rewrite =>
  replaced(rewrite, () => record === undefined ? {} : { digest: record.digest })

const withoutMaxLifetime = ({ ttl }: SessionRecord.Lifetime): SessionRecord.Lifetime => livingFor(ttl)

const seconds = (millis: number): number => Math.ceil(millis / 1_000) * 1_000

const supersededNow = (record: Row, now: number): Row =>
  record === undefined
    ? undefined
    : { ...record, superseded: record.superseded.map((secret) => ({ ...secret, at: now })) }

const withSuperseded = (
  record: Row,
  f: (secret: SessionRecord.SupersededSecret) => Partial<SessionRecord.SupersededSecret>
): Row =>
  record === undefined
    ? undefined
    : { ...record, superseded: record.superseded.map((secret) => ({ ...secret, ...f(secret) })) }

/** Rotates a record that was changed before, or under other terms. */
const rotating = (
  spoil: (record: Row, rotation: Parameters<typeof SessionRecord.rotate>[5], now: number) => {
    readonly record?: Row
    readonly rotation?: Partial<Parameters<typeof SessionRecord.rotate>[5]>
  }
) =>
  withParts({
    rotate: (record, key, newKey, change, lifetime, rotation, now) => {
      const spoilt = spoil(record, rotation, now)
      return SessionRecord.rotate(
        "record" in spoilt ? spoilt.record : record,
        key,
        newKey,
        change,
        lifetime,
        { ...rotation, ...spoilt.rotation },
        now
      )
    }
  })

const mapKeys = (state: SessionState, f: (key: string) => string): SessionState =>
  new Map(Array.from(state, ([key, value]) => [f(key), value] as const))

const mapValues = (state: SessionState, f: (value: string) => string): SessionState =>
  new Map(Array.from(state, ([key, value]) => [key, f(value)] as const))

const keptAs = (f: (state: SessionState) => SessionState) =>
  withParts({ keep: (record) => ({ ...record, state: f(new Map(record.state)) }) })

const throughUtf8 = (text: string): string => Buffer.from(text).toString()

const withoutExpectations = (change: SessionChange): SessionChange => ({ ...change, expect: new Map() })

export interface Defect {
  /** What is wrong with the store. */
  readonly defect: string
  readonly store: Layer.Layer<SessionStore.SessionStore>
  /** The title of a case that has to find it, from its beginning. */
  readonly foundBy: string
}

export const defects: ReadonlyArray<Defect> = [
  // -- endings
  {
    defect: "finds a session that has expired",
    store: withParts({ find: (record) => Option.fromNullable(record) }),
    foundBy: "find shows a session as it is"
  },
  {
    defect: "finds no session that was renewed so long ago that nobody remembers its first key",
    store: withParts({
      find: (record, now) =>
        record?.superseded.some(({ at }) => now - at >= SessionRecord.supersededRetention.millis) === true
          ? Option.none()
          : SessionStore.foundRecord(record, now)
    }),
    foundBy: "find shows a session whose keys are renewed"
  },
  {
    defect: "finds what is left of a session that gave way to another",
    store: withParts({
      find: (record, now) =>
        record === undefined || SessionRecord.isExpired(record, now) ? Option.none() : Option.some(record)
    }),
    foundBy: "find shows no session that has ended"
  },
  {
    defect: "tells one alone of those who listen",
    store: withParts({
      listeners: () => {
        const all = new Map<string, () => void>()
        return {
          ...SessionStore.makeEndListeners(),
          listen: (id, notify) =>
            Effect.acquireRelease(
              Effect.sync(() => all.set(id, notify)),
              () => Effect.sync(() => all.get(id) === notify && all.delete(id))
            ),
          tell: (id) => all.get(id)?.()
        }
      }
    }),
    foundBy: "who listens is told"
  },
  {
    defect: "goes on telling who has stopped to listen",
    store: withParts({
      listeners: () => {
        const inner = SessionStore.makeEndListeners()
        return {
          ...inner,
          tell: inner.tell,
          listen: (id, notify) => Effect.flatMap(Scope.make(), (scope) => Scope.extend(inner.listen(id, notify), scope))
        }
      }
    }),
    foundBy: "who listens is told"
  },
  // -- rotation
  {
    defect: "replaces a secret that is young",
    store: rotating(() => ({ rotation: { every: 0 } })),
    foundBy: "rotate is an update"
  },
  {
    defect: "never rotates",
    store: withParts({
      rotate: (record, key, _newKey, change, lifetime, _rotation, now) =>
        SessionRecord.update(record, key, change, lifetime, now)
    }),
    foundBy: "rotate gives the session a new secret"
  },
  {
    defect: "counts the age of each secret from the beginning of the session",
    store: rotating((record) => ({ record: withSuperseded(record, () => ({ at: record!.createdAt })) })),
    foundBy: "a renewal makes a secret young"
  },
  {
    defect: "counts the grace from the rotation",
    store: withParts({
      rotate: (record, key, newKey, change, lifetime, rotation, now) =>
        replaced(SessionRecord.rotate(record, key, newKey, change, lifetime, rotation, now), (record) => ({
          superseded: withSuperseded(
            record,
            ({ graceEndsAt }) => graceEndsAt === "Open" ? { graceEndsAt: now + rotation.grace } : {}
          )!.superseded
        }))
    }),
    foundBy: "the secret before opens the session"
  },
  {
    defect: "does not tell of a newer key",
    store: withCalls((store) => ({
      update: (key, change, lifetime, now) =>
        Effect.map(
          store.update(key, change, lifetime, now),
          (result) => result._tag === "Saved" ? { ...result, hasNewer: undefined } : result
        )
    })),
    foundBy: "a write with the secret before tells"
  },
  {
    defect: "does not tell how a key stands",
    store: withCalls((store) => ({
      load: (key, now) =>
        Effect.map(
          store.load(key, now),
          (result) => result._tag === "Live" ? SessionStore.LoadResult.Live({ record: result.record }) : result
        )
    })),
    foundBy: "load tells how the key stands"
  },
  {
    defect: "lets a grace begin anew with each use of the new secret",
    store: rotating((record, { grace }, now) => ({
      record: withSuperseded(
        record,
        ({ graceEndsAt }) => typeof graceEndsAt === "number" && graceEndsAt > now ? { graceEndsAt: now + grace } : {}
      )
    })),
    foundBy: "from the first use of the new secret on"
  },
  {
    defect: "has no other secret for one that was lost",
    store: withParts({
      rotate: (record, key, newKey, change, lifetime, rotation, now) =>
        record === undefined || SessionRecord.isNewest(record, key)
          ? SessionRecord.rotate(record, key, newKey, change, lifetime, rotation, now)
          : SessionRecord.update(record, key, change, lifetime, now)
    }),
    foundBy: "a new secret that was lost on its way"
  },
  {
    defect: "gives the secret before another while the new one is in use",
    store: rotating((record) => ({
      record: withSuperseded(record, ({ graceEndsAt }) => graceEndsAt === undefined ? {} : { graceEndsAt: "Open" }),
      rotation: { grace: 0 }
    })),
    foundBy: "the secret before gets no new one"
  },
  {
    defect: "leaves a grace behind a renewal",
    store: withParts({
      renew: (record, key, newKey, change, lifetime, now) =>
        replaced(SessionRecord.renew(record, key, newKey, change, lifetime, now), ({ superseded: [newest] }) => ({
          superseded: [newest!, ...record!.superseded]
        }))
    }),
    foundBy: "a renewal ends every grace"
  },
  {
    defect: "ends nothing by a key after its grace",
    store: withParts({
      end: (record, key, successor, now) =>
        record !== undefined && SessionRecord.verify(record, key, now) === "Reused"
          ? [false, record]
          : SessionRecord.end(record, key, successor, now)
    }),
    foundBy: "each key of a session ends it"
  },
  {
    defect: "forgets at a renewal who had a grace a moment ago",
    store: withParts({
      renew: (record, key, newKey, change, lifetime, now) =>
        SessionRecord.renew(
          record && { ...record, superseded: record.superseded.map(({ at, digest }) => ({ at, digest })) },
          key,
          newKey,
          change,
          lifetime,
          now
        )
    }),
    foundBy: "a key whose grace has ended still ends"
  },
  {
    defect: "mints a secret that nobody can be told of",
    store: rotating(() => ({ rotation: { mint: true } })),
    foundBy: "rotate that may mint no secret"
  },
  {
    defect: "remembers every secret that got lost, and so forgets who came with the one before",
    store: withParts({
      rotate: (record, key, newKey, change, lifetime, rotation, now) =>
        replaced(
          SessionRecord.rotate(record, key, newKey, change, lifetime, rotation, now),
          ({ digest, superseded }) => ({
            superseded: record === undefined || digest === record.digest
              ? superseded
              : [superseded[0]!, ...record.superseded].slice(0, SessionRecord.supersededRetention.renewals)
          })
        )
    }),
    foundBy: "who never comes with what it is given"
  },
  {
    defect: "forgets who had a grace where a session gives way",
    store: withParts({
      end: (record, key, successor, now) => {
        const [answer, trace] = SessionRecord.end(record, key, successor, now)
        return [answer, trace && { ...trace, superseded: record!.superseded }]
      }
    }),
    foundBy: "a key in its grace is told"
  },
  {
    defect: "prolongs whatever it rotates",
    store: rotating(() => ({ rotation: { extend: true } })),
    foundBy: "rotate leaves the expiry alone"
  },
  {
    defect: "rotates whatever is expected",
    store: withParts({
      rotate: (record, key, newKey, change, lifetime, rotation, now) =>
        SessionRecord.rotate(record, key, newKey, withoutExpectations(change), lifetime, rotation, now)
    }),
    foundBy: "rotate that conflicts"
  },
  {
    defect: "reads first and rotates after",
    store: withParts({ beforeWrite: { ...sound.beforeWrite, rotate: pause } }),
    foundBy: "parallel rotations mint one key"
  },
  // -- creation
  {
    defect: "writes over an id that is taken",
    store: withParts({ isTaken: () => false }),
    foundBy: "an id that is taken is drawn again"
  },
  {
    defect: "does not draw its ids by SessionKey.mint",
    store: withParts({
      mint: () =>
        SessionKey.mintSecret(`${crypto.randomUUID().replaceAll("-", "").slice(0, 21)}A` as SessionKey.SessionId)
    }),
    foundBy: "an id that is taken is drawn again"
  },
  {
    defect: "saves a state but once",
    store: withCalls((store) => {
      const saved = new Map<SessionState, SessionStore.Saved>()
      return {
        save: (state, lifetime, now) =>
          Effect.suspend(() => {
            const before = saved.get(state)
            return before === undefined
              ? Effect.tap(store.save(state, lifetime, now), (result) => Effect.sync(() => saved.set(state, result)))
              : Effect.succeed(before)
          })
      }
    }),
    foundBy: "a state that is saved twice"
  },
  {
    defect: "hands out the secret with the record",
    store: withCalls((store) => ({
      load: (key, now) =>
        Effect.map(store.load(key, now), (result) =>
          result._tag === "Live"
            ? SessionStore.LoadResult.Live({
              record: { ...result.record, secret: Redacted.value(key.secret) } as SessionRecord.SessionRecord
            })
            : result)
    })),
    foundBy: "what a load hands out does not hold the secret"
  },
  {
    defect: "creates with update where there is no session",
    store: withParts({
      update: (record, key, change, lifetime, now) =>
        record === undefined
          ? {
            _tag: "Replace",
            record: SessionRecord.create(key, change.set, lifetime, now)
          }
          : SessionRecord.update(record, key, change, lifetime, now)
    }),
    foundBy: "an unknown key is Absent"
  },
  {
    defect: "creates with updateTtl where there is no session",
    store: withParts({
      refresh: (record, key, lifetime, now) =>
        SessionRecord.refresh(
          record ?? SessionRecord.create(key, new Map(), lifetime, now),
          key,
          lifetime,
          now
        )
    }),
    foundBy: "a deleted session stays deleted"
  },
  // -- keys
  {
    defect: "reads a key back as another one",
    store: withParts({
      readKey: (text) => Option.map(SessionKey.fromText(text), ({ id }) => SessionKey.mintSecret(id))
    }),
    foundBy: "the text of a key reads back as that key"
  },
  {
    defect: "names sessions by UUIDs",
    store: withParts({
      mint: () => SessionKey.mintSecret(crypto.randomUUID() as string as SessionKey.SessionId),
      readKey: (text) => {
        const [id = "", secret = ""] = text.split(".")
        return Option.some(SessionKey.make(id as SessionKey.SessionId, secret))
      }
    }),
    foundBy: "the id of a session has the form"
  },
  {
    defect: "gives every session the same secret",
    store: withParts({ mint: () => SessionKey.make(SessionKey.mintId(), "A".repeat(43)) }),
    foundBy: "no two sessions share"
  },
  {
    defect: "trims what it reads as a key",
    store: withParts({ readKey: (text) => SessionKey.fromText(text.trim()) }),
    foundBy: "a key is read strictly"
  },
  {
    defect: "takes any text with a dot for a key",
    store: withParts({
      readKey: (text) =>
        text.includes(".")
          ? Option.some(SessionKey.make(text.split(".")[0] as SessionKey.SessionId, text.split(".")[1]!))
          : Option.none()
    }),
    foundBy: "a text that does not start with a session id"
  },
  {
    defect: "takes any secret for well-formed",
    store: withParts({ readKey: SessionKey.split }),
    foundBy: "a key is read strictly"
  },
  {
    defect: "folds the case of ids",
    store: withParts({ rowName: (id) => id.toLowerCase() }),
    foundBy: "ids that differ in the case"
  },
  // -- time
  {
    defect: "lets a session live at its limit",
    store: withParts({ load: (record, key, now) => SessionStore.loadResult(record, key, now - 1) }),
    foundBy: "a session is over at exactly its limit"
  },
  {
    defect: "updates a session at its limit",
    store: withParts({
      update: (record, key, change, lifetime, now) =>
        record?.expiresAt === now
          ? replaced(
            SessionRecord.update(record, key, change, lifetime, now - 1),
            () => ({ expiresAt: now + lifetime.ttl })
          )
          : SessionRecord.update(record, key, change, lifetime, now)
    }),
    foundBy: "a session is over at exactly its limit"
  },
  {
    defect: "lets a session go a millisecond early",
    store: withParts({ load: (record, key, now) => SessionStore.loadResult(record, key, now + 1) }),
    foundBy: "a session lives until a millisecond before its limit"
  },
  {
    defect: "goes by a clock instead of the time that it is given",
    store: withCalls((store) => {
      const { accounts: _, ...clocked } = SessionStore.withClock(store)
      return {
        ...clocked,
        save: (state, lifetime) => clocked.save(state, lifetime),
        delete: (key, _now, successor) => clocked.delete(key, successor)
      }
    }),
    foundBy: "a call goes by the time that it is given"
  },
  {
    defect: "goes by a clock where a session gives way",
    store: withCalls((store) => ({
      delete: (key, _now, successor) => SessionStore.withClock(store).delete(key, successor)
    })),
    foundBy: "what gave way leaves its trace"
  },
  {
    defect: "counts whole seconds",
    store: withParts({
      keep: (record) => ({ ...copy(record), expiresAt: seconds(record.expiresAt) })
    }),
    foundBy: "a time to live below a second"
  },
  {
    defect: "takes a ttl of zero for no limit",
    store: withParts({
      create: (key, state, lifetime, now) =>
        SessionRecord.create(
          key,
          state,
          { ...lifetime, ttl: lifetime.ttl === 0 ? 1e12 : lifetime.ttl },
          now
        )
    }),
    foundBy: "a time to live of zero or less"
  },
  {
    defect: "removes sessions by a timer, which overflows after 24 days",
    store: withParts({
      put: (rows, name, record) =>
        Effect.sync(() => {
          rows.set(name, record)
          setTimeout(() => rows.delete(name), record.expiresAt - Date.now()).unref()
        })
    }),
    foundBy: "a session of 400 days outlasts every timer"
  },
  {
    defect: "does not count the time anew when it updates",
    store: withParts({
      update: (record, key, change, lifetime, now) =>
        replaced(
          SessionRecord.update(record, key, change, lifetime, now),
          () => record === undefined ? {} : { expiresAt: record.expiresAt }
        )
    }),
    foundBy: "update counts the time to live anew"
  },
  {
    defect: "never shortens a session's time",
    store: withParts({
      refresh: (record, key, lifetime, now) =>
        replaced(
          SessionRecord.refresh(record, key, lifetime, now),
          ({ expiresAt }) => ({ expiresAt: Math.max(expiresAt, record?.expiresAt ?? 0) })
        )
    }),
    foundBy: "updateTtl counts the time to live anew"
  },
  {
    defect: "prolongs what it loads",
    store: withCalls((store) => ({
      load: (key, now) =>
        Effect.tap(
          store.load(key, now),
          (result) => result._tag === "Live" ? Effect.orDie(store.updateTtl(key, livingFor(60_000), now)) : Effect.void
        )
    })),
    foundBy: "neither a load nor a Conflict prolongs"
  },
  {
    defect: "prolongs a session by a write that meets a Conflict",
    store: withCalls((store) => ({
      update: (key, change, lifetime, now) =>
        Effect.tap(
          store.update(key, change, lifetime, now),
          (result) => result._tag === "Conflict" ? store.updateTtl(key, lifetime, now) : Effect.void
        )
    })),
    foundBy: "neither a load nor a Conflict prolongs"
  },
  {
    defect: "begins a session anew with each update",
    store: withParts({
      update: (record, key, change, lifetime, now) =>
        replaced(SessionRecord.update(record, key, change, lifetime, now), () => ({ createdAt: now }))
    }),
    foundBy: "update counts the time to live anew"
  },
  {
    defect: "ignores maxLifetime when it creates",
    store: withParts({
      create: (key, state, lifetime, now) => SessionRecord.create(key, state, withoutMaxLifetime(lifetime), now)
    }),
    foundBy: "a maxLifetime shorter than the time to live"
  },
  {
    defect: "ignores maxLifetime when it updates",
    store: withParts({
      update: (record, key, change, lifetime, now) =>
        SessionRecord.update(record, key, change, withoutMaxLifetime(lifetime), now)
    }),
    foundBy: "update does not go past maxLifetime"
  },
  {
    defect: "ignores maxLifetime when it refreshes",
    store: withParts({
      refresh: (record, key, lifetime, now) => SessionRecord.refresh(record, key, withoutMaxLifetime(lifetime), now)
    }),
    foundBy: "updateTtl does not go past maxLifetime"
  },
  {
    defect: "ignores maxLifetime when it renews",
    store: withParts({
      renew: (record, key, newKey, change, lifetime, now) =>
        SessionRecord.renew(record, key, newKey, change, withoutMaxLifetime(lifetime), now)
    }),
    foundBy: "renew does not go past maxLifetime"
  },
  {
    defect: "goes by the maxLifetime of the session's beginning",
    store: layerOf(() => {
      const limits = new Map<string, number | undefined>()
      const atBeginning = (key: SessionKey.SessionKey, { ttl }: SessionRecord.Lifetime): SessionRecord.Lifetime => ({
        ttl,
        maxLifetime: limits.get(key.id)
      })
      return makeStore({
        ...sound,
        create: (key, state, lifetime, now) => {
          limits.set(key.id, lifetime.maxLifetime)
          return SessionRecord.create(key, state, lifetime, now)
        },
        update: (record, key, change, lifetime, now) =>
          SessionRecord.update(record, key, change, atBeginning(key, lifetime), now)
      })
    }),
    foundBy: "update goes by the maxLifetime of today"
  },
  {
    defect: "refreshes what a shorter ttl has ended",
    store: withParts({
      refresh: (record, key, lifetime, now) =>
        SessionRecord.refresh(record === undefined ? undefined : { ...record, extendedAt: now }, key, lifetime, now)
    }),
    foundBy: "updateTtl goes by the ttl of today"
  },
  {
    defect: "keeps fractions of a millisecond",
    store: withParts({
      create: (key, state, lifetime, now) => ({
        ...SessionRecord.create(key, state, lifetime, now),
        expiresAt: Math.min(now + lifetime.ttl, now + (lifetime.maxLifetime ?? Infinity))
      })
    }),
    foundBy: "the time of maxLifetime is cut"
  },
  {
    defect: "empties what it refreshes",
    store: withParts({
      refresh: (record, key, lifetime, now) =>
        replaced(SessionRecord.refresh(record, key, lifetime, now), () => ({ state: new Map() }))
    }),
    foundBy: "updateTtl changes no value"
  },
  // -- ownership
  {
    defect: "does not look at the secret when it loads",
    store: withParts({ load: (record, key, now) => SessionStore.loadResult(trusting(record, key), key, now) }),
    foundBy: "a wrong secret opens nothing"
  },
  {
    defect: "does not look at the secret when it updates",
    store: withParts({
      update: (record, key, change, lifetime, now) =>
        withDigestOf(SessionRecord.update(trusting(record, key), key, change, lifetime, now), record)
    }),
    foundBy: "a wrong secret opens nothing"
  },
  {
    defect: "does not look at the secret when it renews",
    store: withParts({
      renew: (record, key, newKey, change, lifetime, now) =>
        SessionRecord.renew(trusting(record, key), key, newKey, change, lifetime, now)
    }),
    foundBy: "a wrong secret opens nothing"
  },
  {
    defect: "does not look at the secret when it refreshes",
    store: withParts({
      refresh: (record, key, lifetime, now) =>
        withDigestOf(SessionRecord.refresh(trusting(record, key), key, lifetime, now), record)
    }),
    foundBy: "a wrong secret opens nothing"
  },
  {
    defect: "does not look at the secret when it deletes",
    store: withParts({
      end: (record, key, successor, now) =>
        SessionRecord.end(record === undefined ? record : trusting(record, key), key, successor, now)
    }),
    foundBy: "a wrong secret opens nothing"
  },
  {
    defect: "takes the digest for the secret",
    store: withParts({
      load: (record, key, now) =>
        SessionStore.loadResult(
          record !== undefined && String(record.digest) === Redacted.value(key.secret) ? trusting(record, key) : record,
          key,
          now
        )
    }),
    foundBy: "a wrong secret opens nothing"
  },
  {
    defect: "takes every secret for a superseded one once there is one",
    store: withParts({
      end: (record, key, successor, now) =>
        record !== undefined && record.superseded.length > 0
          ? [true, undefined]
          : SessionRecord.end(record, key, successor, now)
    }),
    foundBy: "a wrong secret is as wrong after a renewal"
  },
  {
    defect: "does not delete",
    store: withCalls(() => ({ delete: () => Effect.succeed(true) })),
    foundBy: "a deleted session stays deleted"
  },
  {
    defect: "deletes every session",
    store: layerOf(() => {
      let store = makeStore(sound)
      return {
        ...store,
        save: (state, lifetime, now) => store.save(state, lifetime, now),
        load: (key, now) => store.load(key, now),
        delete: () =>
          Effect.sync(() => {
            store = makeStore(sound)
            return true
          })
      }
    }),
    foundBy: "delete ends one session and no other"
  },
  {
    defect: "fails to delete what is not there",
    store: withCalls((store) => ({
      delete: (key, now) =>
        Effect.flatMap(store.load(key, now), (result) =>
          result._tag === "Live"
            ? store.delete(key, now)
            : Effect.fail(new SessionStore.DeleteError({ reason: "Unavailable", message: "no such session" }))).pipe(
            Effect.mapError((error) => new SessionStore.DeleteError({ reason: "Unavailable", message: error.message }))
          )
    })),
    foundBy: "delete may be repeated"
  },
  {
    defect: "says of every delete that it ended the session",
    store: withCalls((store) => ({ delete: (...args) => Effect.as(store.delete(...args), true) })),
    foundBy: "of parallel deletes one ends the session"
  },
  {
    defect: "says of no delete that it ended the session",
    store: withCalls((store) => ({ delete: (...args) => Effect.as(store.delete(...args), false) })),
    foundBy: "delete may be repeated"
  },
  {
    defect: "leaves the old key live when it renews",
    store: withCalls((store) => ({ renew: store.update })),
    foundBy: "a renewal draws a new secret each time"
  },
  {
    defect: "renews under another id",
    store: withCalls((store) => ({
      renew: (key, change, lifetime, now) =>
        Effect.gen(function*() {
          const result = yield* store.update(key, change, lifetime, now)
          const loaded = yield* Effect.orDie(store.load(key, now))
          if (result._tag !== "Saved" || loaded._tag !== "Live") {
            return result
          }
          const saved = yield* Effect.orDie(store.save(loaded.record.state, lifetime, now))
          yield* Effect.orDie(store.delete(key, now))
          return SessionStore.WriteResult.Saved(saved)
        })
    })),
    foundBy: "a renewal keeps the id"
  },
  {
    defect: "drops the change of a renewal",
    store: withParts({
      renew: (record, key, newKey, change, lifetime, now) =>
        SessionRecord.renew(record, key, newKey, { ...SessionRecord.noChange, expect: change.expect }, lifetime, now)
    }),
    foundBy: "renew sets and removes the values of its change"
  },
  {
    defect: "remembers no superseded secret",
    store: withParts({
      renew: (record, key, newKey, change, lifetime, now) =>
        replaced(SessionRecord.renew(record, key, newKey, change, lifetime, now), () => ({ superseded: [] }))
    }),
    foundBy: "load: a superseded key is Superseded inside the window"
  },
  {
    defect: "remembers one superseded secret",
    store: withParts({
      renew: (record, key, newKey, change, lifetime, now) =>
        replaced(SessionRecord.renew(record, key, newKey, change, lifetime, now), ({ superseded }) => ({
          superseded: superseded.slice(0, 1)
        }))
    }),
    foundBy: "a key is remembered for 128 renewals"
  },
  {
    defect: "remembers superseded secrets for ever",
    store: withParts({
      update: (record, key, change, lifetime, now) =>
        replaced(SessionRecord.update(supersededNow(record, now), key, change, lifetime, now), () => ({
          superseded: record?.superseded ?? []
        }))
    }),
    foundBy: "a superseded key is remembered for an hour"
  },
  {
    defect: "remembers superseded secrets without number",
    store: withParts({
      renew: (record, key, newKey, change, lifetime, now) =>
        replaced(SessionRecord.renew(record, key, newKey, change, lifetime, now), ({ superseded }) => ({
          superseded: [...superseded.slice(0, 1), ...record?.superseded ?? []]
        }))
    }),
    foundBy: "a key is remembered for 128 renewals"
  },
  {
    defect: "lets a superseded key load",
    store: withParts({
      load: (record, key, now) =>
        record !== undefined && SessionRecord.verify(record, key, now) === "Superseded"
          ? SessionStore.LoadResult.Live({ record })
          : SessionStore.loadResult(record, key, now)
    }),
    foundBy: "load: a superseded key is Superseded inside the window"
  },
  {
    defect: "answers Superseded without end",
    store: withParts({
      load: (record, key, now) =>
        record !== undefined && SessionRecord.verify(record, key, now) === "Superseded"
          ? SessionStore.LoadResult.Superseded()
          : SessionStore.loadResult(record, key, now)
    }),
    foundBy: "load: a superseded key is Superseded inside the window"
  },
  {
    defect: "answers Superseded for a session that has expired",
    store: withParts({
      load: (record, key, now) =>
        record !== undefined && SessionRecord.isExpired(record, now)
          ? SessionStore.loadResult({ ...record, expiresAt: now + 1 }, key, now)._tag === "Superseded"
            ? SessionStore.LoadResult.Superseded()
            : SessionStore.LoadResult.Absent()
          : SessionStore.loadResult(record, key, now)
    }),
    foundBy: "a key that was superseded just before the session's limit"
  },
  {
    defect: "starts every window anew with a renewal",
    store: withParts({
      renew: (record, key, newKey, change, lifetime, now) =>
        replaced(SessionRecord.renew(record, key, newKey, change, lifetime, now), ({ superseded }) => ({
          superseded: superseded.map((secret) => ({ ...secret, at: now }))
        }))
    }),
    foundBy: "load: the window of each superseded key is its own"
  },
  {
    defect: "updates for a superseded key",
    store: withParts({
      update: (record, key, change, lifetime, now) =>
        isSuperseded(record, key, now)
          ? withDigestOf(SessionRecord.update(trusting(record, key), key, change, lifetime, now), record)
          : SessionRecord.update(record, key, change, lifetime, now)
    }),
    foundBy: "a superseded key writes, renews and refreshes nothing"
  },
  {
    defect: "renews for a superseded key",
    store: withParts({
      renew: (record, key, newKey, change, lifetime, now) =>
        SessionRecord.renew(
          isSuperseded(record, key, now) ? trusting(record, key) : record,
          key,
          newKey,
          change,
          lifetime,
          now
        )
    }),
    foundBy: "a superseded key writes, renews and refreshes nothing"
  },
  {
    defect: "refreshes for a superseded key",
    store: withParts({
      refresh: (record, key, lifetime, now) =>
        isSuperseded(record, key, now)
          ? withDigestOf(SessionRecord.refresh(trusting(record, key), key, lifetime, now), record)
          : SessionRecord.refresh(record, key, lifetime, now)
    }),
    foundBy: "a superseded key writes, renews and refreshes nothing"
  },
  {
    defect: "takes a superseded key for a foreign one",
    store: withParts({
      update: (record, key, change, lifetime, now) =>
        isSuperseded(record, key, now) ? { _tag: "Gone" } : SessionRecord.update(record, key, change, lifetime, now)
    }),
    foundBy: "a superseded key writes, renews and refreshes nothing"
  },
  {
    defect: "shows what is there to a superseded key",
    store: withParts({
      update: (record, key, change, lifetime, now) =>
        record !== undefined && isSuperseded(record, key, now) &&
          !SessionRecord.meetsExpectations(record.state, change)
          ? { _tag: "Conflict", found: SessionRecord.foundInstead(record.state, change) }
          : SessionRecord.update(record, key, change, lifetime, now)
    }),
    foundBy: "a superseded key writes, renews and refreshes nothing"
  },
  {
    defect: "refuses the delete of a superseded key",
    store: withParts({
      end: (record, key, successor, now) =>
        record !== undefined && isSuperseded(record, key, now)
          ? [false, record]
          : SessionRecord.end(record, key, successor, now)
    }),
    foundBy: "delete: a superseded key ends the session"
  },
  {
    defect: "does not remember what a session gave way to",
    store: withParts({ end: (record, key, _, now) => SessionRecord.end(record, key, undefined, now) }),
    foundBy: "load: the key of a session that gave way to another is Replaced"
  },
  {
    defect: "does not tell what a session gave way to",
    store: withCalls((store) => ({
      delete: (...args) => Effect.map(store.delete(...args), (answer) => answer === true)
    })),
    foundBy: "delete: who comes to end a session that gave way"
  },
  {
    defect: "lets a later successor take the place of the first",
    store: withParts({
      end: (record, key, successor, now) => {
        const [answer, trace] = SessionRecord.end(record, key, successor, now)
        return typeof answer !== "boolean" && successor !== undefined
          ? [SessionKey.fromDigest(successor.id, SessionKey.digest(successor)), trace]
          : [answer, trace]
      }
    }),
    foundBy: "delete: who comes to end a session that gave way"
  },
  {
    defect: "keeps the values of a session that gave way, and lets them be written",
    store: withParts({
      update: (record, key, change, lifetime, now) =>
        record?.successor === undefined
          ? SessionRecord.update(record, key, change, lifetime, now)
          : SessionRecord.update({ ...record, successor: undefined }, key, change, lifetime, now)
    }),
    foundBy: "a session that gave way to another is Gone"
  },
  {
    defect: "remembers what a session gave way to for as long as it would have lived",
    store: withParts({
      end: (record, key, successor, now) => {
        const [answer, trace] = SessionRecord.end(record, key, successor, now)
        return [answer, trace === undefined || trace === record ? trace : { ...trace, expiresAt: now + 86_400_000 }]
      }
    }),
    foundBy: "what a session gave way to is remembered for an hour"
  },
  {
    defect: "leaves a trace for whoever asks",
    store: withParts({
      end: (record, key, successor, now) =>
        record === undefined && successor !== undefined
          ? [
            false,
            SessionRecord.end(
              SessionRecord.create(key, new Map(), livingFor(60_000), now),
              key,
              successor,
              now
            )[1]
          ]
          : SessionRecord.end(record, key, successor, now)
    }),
    foundBy: "delete: a wrong secret puts no session in the place"
  },
  // -- changes
  {
    defect: "puts the change in the place of the state",
    store: withParts({
      update: (record, key, change, lifetime, now) =>
        replaced(SessionRecord.update(record, key, change, lifetime, now), () => ({ state: change.set }))
    }),
    foundBy: "update sets and removes the values of its change"
  },
  {
    defect: "puts the change of a renewal in the place of the state",
    store: withParts({
      renew: (record, key, newKey, change, lifetime, now) =>
        replaced(SessionRecord.renew(record, key, newKey, change, lifetime, now), () => ({ state: change.set }))
    }),
    foundBy: "renew with no change keeps every value"
  },
  {
    defect: "removes nothing",
    store: withParts({
      update: (record, key, change, lifetime, now) =>
        SessionRecord.update(record, key, { ...change, unset: new Set() }, lifetime, now)
    }),
    foundBy: "update sets and removes the values of its change"
  },
  {
    defect: "removes after it has set",
    store: withParts({
      update: (record, key, change, lifetime, now) =>
        replaced(SessionRecord.update(record, key, change, lifetime, now), ({ state }) => ({
          state: new Map(Array.from(state).filter(([name]) => !change.unset.has(name)))
        }))
    }),
    foundBy: "update sets a key that its change both removes and sets"
  },
  {
    defect: "ends a session with its last value",
    store: withParts({
      load: (record, key, now) => SessionStore.loadResult(record?.state.size === 0 ? undefined : record, key, now)
    }),
    foundBy: "a session without values is a session"
  },
  {
    defect: "ignores what an update expects",
    store: withParts({
      update: (record, key, change, lifetime, now) =>
        SessionRecord.update(record, key, withoutExpectations(change), lifetime, now)
    }),
    foundBy: "update answers Conflict"
  },
  {
    defect: "ignores what a renewal expects",
    store: withParts({
      renew: (record, key, newKey, change, lifetime, now) =>
        SessionRecord.renew(record, key, newKey, withoutExpectations(change), lifetime, now)
    }),
    foundBy: "renew answers Conflict"
  },
  {
    defect: "ignores that a value is expected to be absent",
    store: withParts({
      update: (record, key, change, lifetime, now) =>
        SessionRecord.update(
          record,
          key,
          { ...change, expect: new Map(Array.from(change.expect).filter(([, value]) => value !== undefined)) },
          lifetime,
          now
        )
    }),
    foundBy: "of parallel updates that expect a key to be absent"
  },
  {
    defect: "takes an absent value for null",
    store: withParts({
      update: (record, key, change, lifetime, now) =>
        SessionRecord.update(
          record,
          key,
          {
            ...change,
            expect: new Map(
              Array.from(change.expect, ([name, value]) =>
                [name, value === "null" && !record?.state.has(name) ? undefined : value] as const)
            )
          },
          lifetime,
          now
        )
    }),
    foundBy: "update answers Conflict"
  },
  {
    defect: "writes what met a Conflict",
    store: withCalls((store) => ({
      update: (key, change, lifetime, now) =>
        Effect.tap(
          store.update(key, change, lifetime, now),
          (result) =>
            result._tag === "Conflict" ? store.update(key, withoutExpectations(change), lifetime, now) : Effect.void
        )
    })),
    foundBy: "update answers Conflict"
  },
  {
    defect: "shows nothing in a Conflict",
    store: withCalls((store) => ({
      update: (...args) =>
        Effect.map(store.update(...args), (result) =>
          result._tag === "Conflict"
            ? SessionStore.WriteResult.Conflict({ found: new Map() })
            : result)
    })),
    foundBy: "update tried again with what its Conflict shows"
  },
  // -- contention
  {
    defect: "reads, and then updates",
    store: withParts({ beforeWrite: { ...sound.beforeWrite, update: pause } }),
    foundBy: "of 50 parallel updates that set different keys, all are kept"
  },
  {
    defect: "reads, and then updates, so that compare and set does not",
    store: withParts({ beforeWrite: { ...sound.beforeWrite, update: pause } }),
    foundBy: "parallel loops of compare and set count exactly"
  },
  {
    defect: "reads, and then updates, over a delete",
    store: withParts({ beforeWrite: { ...sound.beforeWrite, update: pause } }),
    foundBy: "a delete is the last word beside parallel calls of update,"
  },
  {
    defect: "reads, and then refreshes, over a delete",
    store: withParts({ beforeWrite: { ...sound.beforeWrite, updateTtl: pause } }),
    foundBy: "a delete is the last word beside parallel calls of updateTtl,"
  },
  {
    defect: "reads, and then renews, over a delete",
    store: withParts({ beforeWrite: { ...sound.beforeWrite, renew: pause } }),
    foundBy: "a delete is the last word beside parallel calls of renew,"
  },
  {
    defect: "reads, and then renews",
    store: withParts({ beforeWrite: { ...sound.beforeWrite, renew: pause } }),
    foundBy: "of parallel renewals one is carried out"
  },
  {
    defect: "reads, and then renews, over an update",
    store: withParts({ beforeWrite: { ...sound.beforeWrite, renew: pause } }),
    foundBy: "an update beside a renewal is kept"
  },
  // -- interruption
  {
    defect: "writes a record in parts",
    store: withParts({
      put: (rows, name, record) =>
        Effect.gen(function*() {
          const state = new Map(rows.get(name)?.state)
          for (const key of state.keys()) {
            if (!record.state.has(key)) {
              state.delete(key)
            }
          }
          for (const [key, value] of record.state) {
            state.set(key, value)
            rows.set(name, { ...record, state: new Map(state) })
            yield* pause
          }
          rows.set(name, record)
        })
    }),
    foundBy: "update: the state is as before or as after"
  },
  {
    defect: "takes a record away to put another one in its place",
    store: withParts({
      put: (rows, name, record) =>
        Effect.suspend(() => {
          rows.delete(name)
          return Effect.zipRight(pause, Effect.sync(() => rows.set(name, record)))
        })
    }),
    foundBy: "updateTtl: no value is touched"
  },
  {
    defect: "creates a record in parts",
    store: withParts({
      put: (rows, name, record) =>
        Effect.suspend(() => {
          if (rows.has(name)) {
            rows.set(name, record)
            return Effect.void
          }
          rows.set(name, { ...record, state: new Map() })
          return Effect.zipRight(pause, Effect.sync(() => rows.set(name, record)))
        })
    }),
    foundBy: "save: the session is there whole"
  },
  {
    defect: "renews in two steps, the values first",
    store: withCalls((store) => ({
      renew: (key, change, lifetime, now) =>
        Effect.gen(function*() {
          const result = yield* store.update(key, change, lifetime, now)
          if (result._tag !== "Saved") {
            return result
          }
          yield* pause
          return yield* store.renew(key, SessionRecord.noChange, lifetime, now)
        })
    })),
    foundBy: "renew: the session is as before"
  },
  {
    defect: "deletes in two steps, the values first",
    store: withCalls((store) => ({
      delete: (key, now) =>
        Effect.gen(function*() {
          const loaded = yield* store.load(key, now)
          if (loaded._tag === "Live") {
            const unset = new Set(loaded.record.state.keys())
            yield* store.update(key, { ...SessionRecord.noChange, unset }, livingFor(60_000), now)
            yield* pause
          }
          return yield* store.delete(key, now)
        }).pipe(
          Effect.mapError((error) => new SessionStore.DeleteError({ reason: "Unavailable", message: error.message }))
        )
    })),
    foundBy: "delete: the session is there whole"
  },
  {
    defect: "keeps the lock of a reader that was interrupted",
    store: layerOf(() => {
      const store = makeStore(sound)
      let isLocked = false
      const locked = <A, E>(call: Effect.Effect<A, E>, onLocked: () => E): Effect.Effect<A, E> =>
        Effect.suspend(() => {
          if (isLocked) {
            return Effect.fail(onLocked())
          }
          isLocked = true
          return Effect.tap(Effect.zipRight(pause, call), () =>
            Effect.sync(() => {
              isLocked = false
            }))
        })
      return {
        ...store,
        load: (key, now) =>
          locked(store.load(key, now), () => new SessionStore.LoadError({ reason: "Unavailable", message: "locked" }))
      }
    }),
    foundBy: "load: a reader that goes away"
  },
  // -- input
  {
    defect: "keeps the state in an object with a prototype",
    store: keptAs((state) => {
      const object: Record<string, string> = {}
      for (const [key, value] of state) {
        object[key] = value
      }
      return new Map(Object.entries(object))
    }),
    foundBy: "save keeps every odd key apart"
  },
  {
    defect: "folds the case of keys",
    store: keptAs((state) => mapKeys(state, (key) => key.toLowerCase())),
    foundBy: "save keeps every odd key apart"
  },
  {
    defect: "compares keys without the space at their end",
    store: keptAs((state) => mapKeys(state, (key) => key.trimEnd())),
    foundBy: "save keeps every odd key apart"
  },
  {
    defect: "brings keys into a normal form",
    store: keptAs((state) => mapKeys(state, (key) => key.normalize("NFC"))),
    foundBy: "save keeps every odd key apart"
  },
  {
    defect: "writes keys as UTF-8",
    store: keptAs((state) => mapKeys(state, throughUtf8)),
    foundBy: "save keeps every odd key apart"
  },
  {
    defect: "ends keys at a NUL",
    store: keptAs((state) => mapKeys(state, (key) => key.split("\0")[0]!)),
    foundBy: "save keeps every odd key apart"
  },
  {
    defect: "cuts keys at 255 characters",
    store: keptAs((state) => mapKeys(state, (key) => key.slice(0, 255))),
    foundBy: "save keeps every odd key apart"
  },
  {
    defect: "drops the empty key",
    store: keptAs((state) => new Map(Array.from(state).filter(([key]) => key !== ""))),
    foundBy: "save keeps every odd key apart"
  },
  {
    defect: "loses a key that is called as a field of its own",
    store: keptAs((state) => new Map(Array.from(state).filter(([key]) => key !== "expiresAt"))),
    foundBy: "save keeps every odd key apart"
  },
  {
    defect: "folds the case of expected keys",
    store: withParts({
      update: (record, key, change, lifetime, now) =>
        record !== undefined && SessionRecord.verify(record, key, now) !== "Foreign" &&
          !SessionRecord.meetsExpectations(mapKeys(record.state, (name) => name.toLowerCase()), {
            ...change,
            expect: new Map(Array.from(change.expect, ([name, value]) => [name.toLowerCase(), value] as const))
          })
          ? { _tag: "Conflict", found: SessionRecord.foundInstead(record.state, change) }
          : SessionRecord.update(record, key, withoutExpectations(change), lifetime, now)
    }),
    foundBy: "expectations tell every odd key"
  },
  {
    defect: "cuts values at 64 KiB",
    store: keptAs((state) => mapValues(state, (value) => value.slice(0, 65_536))),
    foundBy: "a value of a megabyte"
  },
  {
    defect: "parses values and writes them anew, with numbers rounded",
    store: keptAs((state) => mapValues(state, (value) => value === "5e-324" ? "0" : value)),
    foundBy: "every value comes back"
  },
  {
    defect: "unescapes values",
    store: keptAs((state) => mapValues(state, (value) => value.replaceAll("\\\\", "\\"))),
    foundBy: "every value comes back"
  },
  {
    defect: "keeps 500 keys and no more",
    store: keptAs((state) => new Map(Array.from(state).slice(0, 500))),
    foundBy: "a thousand keys"
  },
  // -- isolation
  {
    defect: "keeps the map of its caller",
    store: withParts({ keep: (record) => record, handOut: (record) => record }),
    foundBy: "the map that was saved stays its caller's"
  },
  {
    defect: "hands out its own map",
    store: withParts({ handOut: (record) => record }),
    foundBy: "the map that a load or a Conflict hands out"
  },
  {
    defect: "writes into the map that it handed out",
    store: withParts({
      handOut: (record) => record,
      put: (rows, name, record) =>
        Effect.sync(() => {
          const map = rows.get(name)?.state as Map<string, string> | undefined
          if (map === undefined) {
            rows.set(name, record)
          } else {
            const entries = [...record.state]
            map.clear()
            entries.forEach(([key, value]) => map.set(key, value))
            rows.set(name, { ...record, state: map })
          }
        })
    }),
    foundBy: "a record that was loaded does not follow later writes"
  },
  {
    defect: "empties the change that it has written",
    store: withCalls((store) => ({
      update: (key, change, lifetime, now) =>
        Effect.tap(
          store.update(key, change, lifetime, now),
          () => Effect.sync(() => (change.set as Map<string, string>).clear())
        )
    })),
    foundBy: "the change that was written stays its caller's"
  },
  // -- rules
  {
    defect: "loses one of several values that are written after a renewal",
    store: withParts({
      update: (record, key, change, lifetime, now) =>
        record !== undefined && record.superseded.length > 0 && change.set.size + change.unset.size > 1
          ? SessionRecord.update(record, key, { ...change, set: new Map([...change.set].slice(1)) }, lifetime, now)
          : SessionRecord.update(record, key, change, lifetime, now)
    }),
    foundBy: "random calls in a random order"
  },
  // -- accounts
  {
    defect: "draws another key than the one that was drawn for a session",
    store: withParts({ drawn: () => undefined }),
    foundBy: "a new session has the key that was drawn"
  },
  ...accountDefects.map(({ calls, defect, foundBy, parts }) => ({
    defect,
    foundBy,
    store: withParts({
      accounts: { ...soundParts, ...parts },
      ...(calls === undefined ? {} : { accountCalls: calls })
    })
  }))
]
