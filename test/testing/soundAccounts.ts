/**
 * What a sound store of the tests does for accounts: it looks through all of its rows, and remembers who was ended when.
 */
import type { SessionId } from "effect-session/SessionKey"
import type { StoredRecord } from "effect-session/SessionRecord"
import * as SessionSignIn from "effect-session/SessionSignIn"
import type { AccountVerbs } from "effect-session/SessionStore"
import * as SessionStore from "effect-session/SessionStore"
import * as Effect from "effect/Effect"

/** Every part is open to a defect. */
export interface AccountParts {
  readonly isSignedInTo: typeof SessionSignIn.isSignedInTo
  readonly isVoid: typeof SessionSignIn.isVoid
  readonly movedTicket: typeof SessionSignIn.movedTicket
  /** The name of the mark of an account. */
  readonly markName: (account: string) => string
  /** What happens between the mark and the ends. */
  readonly betweenMarkAndEnds: Effect.Effect<void>
  readonly marksFirst: boolean
}

export const soundParts: AccountParts = {
  isSignedInTo: SessionSignIn.isSignedInTo,
  isVoid: SessionSignIn.isVoid,
  movedTicket: SessionSignIn.movedTicket,
  markName: (account) => account,
  betweenMarkAndEnds: Effect.void,
  marksFirst: true
}

export const accountsOver = (rows: Map<string, StoredRecord>, parts: AccountParts): AccountVerbs => {
  const marks = new Map<string, string>()
  const markOf = (account: string) => marks.get(parts.markName(account))
  const namesOf = (account: string, now: number) =>
    Array.from(rows).filter(([, row]) => parts.isSignedInTo(row, account, now)).map(([name]) => name).sort()
  const remove = (name: string) => rows.delete(name)
  const mark = (account: string) => {
    const epoch = String(marks.size + Math.random())
    marks.set(parts.markName(account), epoch)
    return epoch
  }
  const endThem = (account: string, now: number, spared: SessionId | undefined) =>
    namesOf(account, now).filter((name) => name !== spared).filter(remove) as Array<SessionId>

  return {
    begin: (account, now) => Effect.sync(() => ({ epoch: markOf(account), at: now })),
    enlist: (account, id, _lifetime, now) =>
      Effect.sync(() => ({
        ticket: { epoch: markOf(account), at: now },
        count: new Set([...namesOf(account, now), id]).size
      })),
    confirm: (account, _id, ticket, _lifetime, now) =>
      Effect.sync(() =>
        parts.isVoid(ticket, markOf(account), now)
          ? SessionStore.Confirmation.Void()
          : SessionStore.Confirmation.Confirmed({ count: namesOf(account, now).length })
      ),
    list: (account, now, next = "") =>
      Effect.sync(() => {
        const names = namesOf(account, now).filter((name) => name > next)
        const page = names.slice(0, 100)
        return { records: page.map((name) => rows.get(name)!), next: names.length > 100 ? page.at(-1) : undefined }
      }),
    end: (account, id, now) => Effect.sync(() => namesOf(account, now).includes(id) && remove(id)),
    endAll: (account, now, spared) =>
      Effect.gen(function*() {
        const before = markOf(account)
        const marked = parts.marksFirst ? mark(account) : undefined
        const first = endThem(account, now, spared?.id)
        yield* parts.betweenMarkAndEnds
        const epoch = marked ?? mark(account)
        return { ended: first, ticket: spared?.ticket && parts.movedTicket(spared.ticket, before, epoch, now) }
      })
  }
}
