/**
 * Stores that are wrong about accounts, in one way each.
 */
import type { StoredRecord } from "effect-session/SessionRecord"
import * as SessionRecord from "effect-session/SessionRecord"
import type { Ticket } from "effect-session/SessionSignIn"
import * as SessionSignIn from "effect-session/SessionSignIn"
import type { AccountVerbs } from "effect-session/SessionStore"
import * as Effect from "effect/Effect"
import type { AccountParts } from "./soundAccounts.js"

/** Spoils the parts of what a sound store does for accounts, or its calls. */
export interface AccountDefect {
  readonly defect: string
  readonly foundBy: string
  readonly parts?: Partial<AccountParts>
  readonly calls?: (accounts: AccountVerbs, rows: Map<string, StoredRecord>) => Partial<AccountVerbs>
}

const { isSignedInTo } = SessionSignIn

const names = (record: StoredRecord | undefined, account: string): boolean =>
  record !== undefined && SessionSignIn.accountOf(record.state) === account

/** Which ids were enlisted for which account, and until when they are known. */
const enlisting = (accounts: AccountVerbs) => {
  const enlisted = new Map<string, { readonly account: string; readonly knownUntil: number }>()
  const enlist: AccountVerbs["enlist"] = (account, id, lifetime, now) => {
    enlisted.set(id, { account, knownUntil: now + 2 * lifetime.ttl })
    return accounts.enlist(account, id, lifetime, now)
  }
  return { enlisted, enlist }
}

const pauses = Effect.repeatN(Effect.yieldNow(), 20)

export const accountDefects: ReadonlyArray<AccountDefect> = [
  {
    defect: "lists sessions without their values",
    calls: (accounts) => ({
      list: (account, now, next) =>
        Effect.map(accounts.list(account, now, next), (page) => ({
          ...page,
          records: page.records.map((record) => ({ ...record, state: new Map() }))
        }))
    }),
    foundBy: "a session is listed with its record"
  },
  {
    defect: "lists whatever was enlisted",
    calls: (accounts, rows) => {
      const { enlist, enlisted } = enlisting(accounts)
      return {
        enlist,
        list: (account) =>
          Effect.sync(() => ({
            records: Array.from(rows).filter(([id]) => enlisted.get(id)?.account === account).map(([, row]) => row),
            next: undefined
          }))
      }
    },
    foundBy: "a session that was there before its sign-in"
  },
  {
    defect: "no longer finds a session that was renewed since",
    parts: {
      isSignedInTo: (record, account, now) => isSignedInTo(record, account, now) && record!.superseded.length === 0
    },
    foundBy: "a session is listed however often"
  },
  {
    defect: "lists what has expired",
    calls: (_, rows) => ({
      list: (account) =>
        Effect.sync(() => ({
          records: Array.from(rows.values()).filter((row) => names(row, account)),
          next: undefined
        }))
    }),
    foundBy: "a session that has ended or expired"
  },
  {
    defect: "ends what is left of a session",
    calls: (accounts, rows) => {
      const { enlist, enlisted } = enlisting(accounts)
      return {
        enlist,
        end: (account, id, now) =>
          Effect.suspend(() =>
            enlisted.get(id)?.account === account && rows.get(id)?.successor !== undefined
              ? Effect.succeed(rows.delete(id))
              : accounts.end(account, id, now)
          )
      }
    },
    foundBy: "what is left of a session that gave way"
  },
  {
    defect: "ends whatever session it is told to",
    calls: (_, rows) => ({ end: (_account, id) => Effect.sync(() => rows.delete(id)) }),
    foundBy: "end ends a session of the account"
  },
  {
    defect: "ends what has expired",
    parts: { isSignedInTo: (record, account) => names(record, account) && record!.successor === undefined },
    foundBy: "an expired session is not there to be ended"
  },
  {
    defect: "hands out the first page alone",
    calls: (accounts) => ({
      list: (account, now) => Effect.map(accounts.list(account, now), ({ records }) => ({ records, next: undefined }))
    }),
    foundBy: "all sessions of an account are listed and end"
  },
  {
    defect: "spares nobody",
    calls: (accounts) => ({ endAll: (account, now) => accounts.endAll(account, now) }),
    foundBy: "all sessions end but the one that is spared"
  },
  {
    defect: "does not remember who was ended",
    parts: { isVoid: (ticket, _epoch, now) => SessionSignIn.isVoid(ticket, undefined, now) },
    foundBy: "a sign-in that began before the end of all"
  },
  {
    defect: "gives who begins a ticket of whenever",
    calls: (accounts) => {
      const firstEpochs = new Map<string, Ticket>()
      return {
        begin: (account, now) =>
          Effect.map(accounts.begin(account, now), (ticket) => {
            const first = firstEpochs.get(account) ?? ticket
            firstEpochs.set(account, first)
            return first
          })
      }
    },
    foundBy: "a sign-in may begin before there is a session"
  },
  {
    defect: "remembers it for all accounts at once",
    parts: { markName: () => "all" },
    foundBy: "a sign-in that began after the end of all"
  },
  {
    defect: "gives the spared sign-in no other ticket",
    parts: { movedTicket: (ticket) => ticket },
    foundBy: "the sign-in of the spared session"
  },
  {
    defect: "gives each spared sign-in a good ticket",
    parts: { movedTicket: (ticket, _before, epoch) => ({ ...ticket, epoch }) },
    foundBy: "a spared sign-in that was void before"
  },
  {
    defect: "takes a ticket of any age",
    parts: { isVoid: (ticket, epoch) => epoch !== undefined && epoch !== ticket.epoch },
    foundBy: "a ticket is good for less than an hour"
  },
  {
    defect: "does not count the session that signs in",
    calls: (accounts) => ({
      enlist: (account, id, lifetime, now) =>
        Effect.map(accounts.enlist(account, id, lifetime, now), (answer) => ({ ...answer, count: answer.count - 1 }))
    }),
    foundBy: "the sessions of an account are never counted too low"
  },
  {
    defect: "takes accounts for one that differ in case",
    parts: {
      isSignedInTo: (record, account, now) =>
        record !== undefined && !SessionRecord.isExpired(record, now) &&
        SessionSignIn.accountOf(record.state)?.toLowerCase() === account.toLowerCase()
    },
    foundBy: "any text is an account"
  },
  {
    defect: "knows of a session for as long as it was to live at its sign-in",
    calls: (accounts, rows) => {
      const { enlist, enlisted } = enlisting(accounts)
      return {
        enlist,
        endAll: (account, now, spared) =>
          Effect.suspend(() => {
            const forgotten = Array.from(rows).filter(([id]) => now >= (enlisted.get(id)?.knownUntil ?? Infinity))
            return Effect.tap(
              accounts.endAll(account, now, spared),
              () => Effect.sync(() => forgotten.forEach(([id, row]) => rows.set(id, row)))
            )
          })
      }
    },
    foundBy: "a session that has lived for much longer"
  },
  {
    defect: "ends sessions before it remembers that",
    parts: { marksFirst: false, betweenMarkAndEnds: pauses },
    foundBy: "of parallel sign-ins and ends of all"
  }
]
