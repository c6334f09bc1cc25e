/**
 * Cases about the sessions of an account: which are listed, which end, and that no sign-in outlives the end of all.
 *
 * @internal
 */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/TestClock"
import * as SessionKey from "../../SessionKey.js"
import type { Lifetime, SessionRecord } from "../../SessionRecord.js"
import type { AccountText } from "../../SessionSignIn.js"
import * as SessionSignIn from "../../SessionSignIn.js"
import type { ClockedAccountVerbs, ClockedVerbs, Confirmation, SessionStoreError, Spared } from "../../SessionStore.js"
import type { ContractCase } from "./contractCase.js"
import { contractCase } from "./contractCase.js"
import {
  changeOf,
  comparable,
  expectLoad,
  hour,
  hourly,
  livingFor,
  loadRecord,
  minute,
  now,
  save,
  savedBy,
  sorted
} from "./contractWords.js"

// A backend keeps what earlier cases did, so that each has accounts of its own.
const newAccount = (name = "ada"): AccountText => JSON.stringify(`${name} ${SessionKey.mintId()}`)

const accountsOf = ({ accounts }: ClockedVerbs): ClockedAccountVerbs => {
  assert(accounts !== undefined, "the store has no verbs for accounts")
  return accounts
}

const entriesOf = (account: AccountText, at: number) =>
  SessionSignIn.toEntries({ account, signedInAt: at, authenticatedAt: at })

/** A sign-in up to what the store says of it, with something between its first two steps. */
const signIn = <E = never>(
  store: ClockedVerbs,
  account: AccountText,
  options: { readonly lifetime?: Lifetime; readonly before?: Effect.Effect<unknown, E> } = {}
) =>
  Effect.gen(function*() {
    const lifetime = options.lifetime ?? hourly
    const drawn = SessionKey.mint()
    const { ticket } = yield* accountsOf(store).enlist(account, drawn.id, lifetime)
    yield* options.before ?? Effect.void
    const { key } = yield* store.save(new Map(entriesOf(account, yield* now)), lifetime, drawn)
    return { key, confirmation: yield* accountsOf(store).confirm(account, key.id, ticket, lifetime) }
  })

/** One that is confirmed. */
const signedIn = (store: ClockedVerbs, account: AccountText, lifetime?: Lifetime) =>
  Effect.map(signIn(store, account, lifetime === undefined ? {} : { lifetime }), ({ confirmation, key }) => {
    expectConfirmation(confirmation, "Confirmed", "of a sign-in that nobody ended")
    return key
  })

const expectConfirmation = (confirmation: Confirmation, tag: Confirmation["_tag"], what: string) =>
  assert.strictEqual(confirmation._tag, tag, `the answer of confirm, ${what}`)

const listed = (store: ClockedVerbs, account: AccountText) =>
  Effect.gen(function*() {
    let records: ReadonlyArray<SessionRecord> = []
    let next: string | undefined = undefined
    do {
      const page: Effect.Effect.Success<ReturnType<ClockedAccountVerbs["list"]>> = yield* accountsOf(store).list(
        account,
        next
      )
      records = records.concat(page.records)
      next = page.next
    } while (next !== undefined)
    return records
  })

const expectListed = (
  store: ClockedVerbs,
  account: AccountText,
  keys: ReadonlyArray<SessionKey.SessionKey>,
  when: string
) =>
  Effect.map(listed(store, account), (records) =>
    assert.deepStrictEqual(
      Array.from(new Set(records.map(({ id }) => id))).sort(),
      keys.map(({ id }) => id).sort(),
      `what is listed, ${when}`
    ))

const endAll = (store: ClockedVerbs, account: AccountText, spared?: Spared) =>
  Effect.map(
    accountsOf(store).endAll(account, spared),
    ({ ended, ticket }) => ({ ended: Array.from(ended).sort(), ticket })
  )

const expectEnded = (store: ClockedVerbs, keys: ReadonlyArray<SessionKey.SessionKey>, when: string) =>
  Effect.forEach(keys, (key) => expectLoad(store, key, "Absent", when))

// More than anybody hands out in one page.
const many = 300

const signInMany = (store: ClockedVerbs, account: AccountText) =>
  Effect.forEach(Array.from({ length: many }), () => signedIn(store, account), { concurrency: 10 })

const accountCase = (
  title: string,
  body: (store: ClockedVerbs) => Effect.Effect<void, SessionStoreError>
): ContractCase => contractCase(title, body, { for: "Stores" })

/** @internal */
export const contractOfAccounts: ReadonlyArray<ContractCase> = [
  accountCase("a session is listed with its record from its sign-in on", (store) =>
    Effect.gen(function*() {
      const account = newAccount()
      yield* expectListed(store, account, [], "before anybody has signed in")
      const key = yield* signedIn(store, account)
      const [record] = yield* listed(store, account)
      assert.deepStrictEqual(comparable(record!), comparable(yield* loadRecord(store, key)))
      assert.strictEqual(SessionSignIn.accountOf(record!.state), account)
    })),
  accountCase(
    "a new session has the key that was drawn for it, and another where its id is taken",
    (store) =>
      Effect.gen(function*() {
        const drawn = SessionKey.mint()
        const first = yield* store.save(new Map([["a", "1"]]), hourly, drawn)
        assert.strictEqual(SessionKey.toText(first.key), SessionKey.toText(drawn))
        const second = yield* store.save(new Map([["a", "2"]]), hourly, SessionKey.mintSecret(drawn.id))
        assert.notStrictEqual(second.key.id, drawn.id)
        assert.deepStrictEqual(sorted((yield* loadRecord(store, drawn)).state), [["a", "1"]])
        assert.deepStrictEqual(sorted((yield* loadRecord(store, second.key)).state), [["a", "2"]])
      })
  ),
  accountCase("a session that was there before its sign-in is listed from then on", (store) =>
    Effect.gen(function*() {
      const account = newAccount()
      const { key } = yield* save(store, [["a", "1"]])
      const { ticket } = yield* accountsOf(store).enlist(account, key.id, hourly)
      yield* expectListed(store, account, [], "while its record names no account")
      const renewed = savedBy(yield* store.renew(key, changeOf(entriesOf(account, yield* now)), hourly))
      expectConfirmation(yield* accountsOf(store).confirm(account, key.id, ticket, hourly), "Confirmed", "of a renewal")
      yield* expectListed(store, account, [renewed.key], "after the sign-in")
    })),
  accountCase(
    "a session is listed however often it is written, renewed or refreshed",
    (store) =>
      Effect.gen(function*() {
        const account = newAccount()
        const key = yield* signedIn(store, account)
        yield* store.update(key, changeOf([["a", "1"]]), hourly)
        yield* store.updateTtl(key, hourly)
        const renewed = savedBy(yield* store.renew(key, changeOf([["b", "2"]]), hourly))
        yield* expectListed(store, account, [renewed.key], "after the writes")
        const [record] = yield* listed(store, account)
        assert.deepStrictEqual(comparable(record!), comparable(yield* loadRecord(store, renewed.key)))
      })
  ),
  accountCase("a session that has ended or expired is not listed", (store) =>
    Effect.gen(function*() {
      const account = newAccount()
      const ended = yield* signedIn(store, account)
      yield* signedIn(store, account, livingFor(minute))
      const left = yield* signedIn(store, account)
      yield* store.delete(ended)
      yield* TestClock.adjust(minute)
      yield* expectListed(store, account, [left], "once one has ended and one has expired")
    })),
  accountCase(
    "what is left of a session that gave way is not listed, and does not end",
    (store) =>
      Effect.gen(function*() {
        const account = newAccount()
        const key = yield* signedIn(store, account)
        const { key: successor } = yield* save(store, [["a", "1"]])
        yield* store.delete(key, successor)
        yield* expectListed(store, account, [], "once it gave way")
        assert.isFalse(yield* accountsOf(store).end(account, key.id), "the answer of end")
        assert.deepStrictEqual((yield* endAll(store, account)).ended, [], "what endAll has ended")
        yield* expectLoad(store, successor, "Live", "the session in its place")
        yield* expectLoad(store, key, "Replaced", "the one that gave way")
      })
  ),
  accountCase("end ends a session of the account, once, and none of another", (store) =>
    Effect.gen(function*() {
      const [account, other] = [newAccount(), newAccount()]
      const key = yield* signedIn(store, account)
      const left = yield* signedIn(store, account)
      const { key: anonymous } = yield* save(store, [["a", "1"]])
      yield* accountsOf(store).enlist(account, anonymous.id, hourly)
      assert.isFalse(yield* accountsOf(store).end(other, key.id), "for another account")
      assert.isFalse(yield* accountsOf(store).end(account, anonymous.id), "for a session of nobody")
      assert.isFalse(yield* accountsOf(store).end(account, SessionKey.mintId()), "for a session that is not there")
      yield* expectLoad(store, key, "Live", "after the end by another account")
      yield* expectLoad(store, anonymous, "Live", "as the session of nobody")
      assert.isTrue(yield* accountsOf(store).end(account, key.id), "for the account")
      assert.isFalse(yield* accountsOf(store).end(account, key.id), "the second time")
      yield* expectEnded(store, [key], "after its end")
      yield* expectListed(store, account, [left], "after one has ended")
    })),
  accountCase("an expired session is not there to be ended", (store) =>
    Effect.gen(function*() {
      const account = newAccount()
      const key = yield* signedIn(store, account, livingFor(minute))
      const all = yield* signedIn(store, account, livingFor(minute))
      yield* TestClock.adjust(minute)
      assert.isFalse(yield* accountsOf(store).end(account, key.id), "the answer of end")
      assert.notInclude((yield* endAll(store, account)).ended, all.id, "what endAll has ended")
    })),
  accountCase(
    "all sessions of an account are listed and end, however many, and none of another",
    (store) =>
      Effect.gen(function*() {
        const [account, other] = [newAccount(), newAccount()]
        const keys = yield* signInMany(store, account)
        const left = yield* signedIn(store, other)
        yield* expectListed(store, account, keys, "of many")
        const { ended } = yield* endAll(store, account)
        assert.deepStrictEqual(ended, keys.map(({ id }) => id).sort(), "what endAll has ended")
        yield* expectEnded(store, keys, "after the end of all")
        yield* expectListed(store, account, [], "after the end of all")
        yield* expectListed(store, other, [left], "for another account")
        assert.deepStrictEqual((yield* endAll(store, account)).ended, [], "what the second endAll has ended")
      })
  ),
  accountCase("all sessions end but the one that is spared", (store) =>
    Effect.gen(function*() {
      const account = newAccount()
      const [first, spared, last] = yield* Effect.all([
        signedIn(store, account),
        signedIn(store, account),
        signedIn(store, account)
      ])
      const { ended } = yield* endAll(store, account, { id: spared.id })
      assert.deepStrictEqual(ended, [first.id, last.id].sort(), "what endAll has ended")
      yield* expectListed(store, account, [spared], "after the end of the others")
      yield* expectLoad(store, spared, "Live", "as the spared one")
      assert.deepStrictEqual((yield* endAll(store, account)).ended, [spared.id], "what the next one has ended")
    })),
  accountCase("a sign-in that began before the end of all is void", (store) =>
    Effect.gen(function*() {
      for (const isFirst of [true, false]) {
        const account = newAccount()
        const before = isFirst ? [] : [yield* signedIn(store, account)]
        const { confirmation } = yield* signIn(store, account, { before: endAll(store, account) })
        expectConfirmation(confirmation, "Void", `after the end of all ${before.length}`)
        yield* expectEnded(store, before, "of before")
      }
    })),
  accountCase(
    "a sign-in that began in a session of nobody before the end of all is void",
    (store) =>
      Effect.gen(function*() {
        const account = newAccount()
        const { key } = yield* save(store, [["a", "1"]])
        const { ticket } = yield* accountsOf(store).enlist(account, key.id, hourly)
        yield* endAll(store, account)
        yield* store.renew(key, changeOf(entriesOf(account, yield* now)), hourly)
        expectConfirmation(
          yield* accountsOf(store).confirm(account, key.id, ticket, hourly),
          "Void",
          "after the end of all"
        )
      })
  ),
  accountCase(
    "a sign-in may begin before there is a session for it, and is void all the same",
    (store) =>
      Effect.gen(function*() {
        const account = newAccount()
        const confirmedBy = (before: Effect.Effect<unknown, SessionStoreError>) =>
          Effect.gen(function*() {
            const ticket = yield* accountsOf(store).begin(account)
            yield* before
            const drawn = SessionKey.mint()
            yield* accountsOf(store).enlist(account, drawn.id, hourly)
            yield* store.save(new Map(entriesOf(account, yield* now)), hourly, drawn)
            return yield* accountsOf(store).confirm(account, drawn.id, ticket, hourly)
          })
        expectConfirmation(yield* confirmedBy(Effect.void), "Confirmed", "of one that began before its session")
        expectConfirmation(yield* confirmedBy(endAll(store, account)), "Void", "after the end of all")
        expectConfirmation(yield* confirmedBy(Effect.void), "Confirmed", "of one that began after it")
      })
  ),
  accountCase(
    "a sign-in that began after the end of all, or while another account ended, is confirmed",
    (store) =>
      Effect.gen(function*() {
        const [account, other] = [newAccount(), newAccount()]
        yield* signedIn(store, account)
        yield* endAll(store, account)
        const { confirmation, key } = yield* signIn(store, account, { before: endAll(store, other) })
        expectConfirmation(confirmation, "Confirmed", "after the end of all")
        yield* expectListed(store, account, [key], "after the end of all")
      })
  ),
  accountCase(
    "the sign-in of the spared session is confirmed by its new ticket, and no other is",
    (store) =>
      Effect.gen(function*() {
        const account = newAccount()
        yield* signedIn(store, account)
        const [drawn, late] = [SessionKey.mint(), SessionKey.mint()]
        const { ticket } = yield* accountsOf(store).enlist(account, drawn.id, hourly)
        const other = yield* accountsOf(store).enlist(account, late.id, hourly)
        const moved = yield* endAll(store, account, { id: drawn.id, ticket })
        assert(moved.ticket !== undefined, "endAll gives the spared sign-in a ticket")
        for (const key of [drawn, late]) {
          yield* store.save(new Map(entriesOf(account, yield* now)), hourly, key)
        }
        expectConfirmation(
          yield* accountsOf(store).confirm(account, drawn.id, moved.ticket, hourly),
          "Confirmed",
          "by the new ticket"
        )
        expectConfirmation(
          yield* accountsOf(store).confirm(account, late.id, other.ticket, hourly),
          "Void",
          "of another"
        )
      })
  ),
  accountCase("a spared sign-in that was void before stays so", (store) =>
    Effect.gen(function*() {
      const account = newAccount()
      yield* signedIn(store, account)
      const drawn = SessionKey.mint()
      const { ticket } = yield* accountsOf(store).enlist(account, drawn.id, hourly)
      yield* endAll(store, account)
      const { ticket: moved = ticket } = yield* endAll(store, account, { id: drawn.id, ticket })
      yield* store.save(new Map(entriesOf(account, yield* now)), hourly, drawn)
      expectConfirmation(yield* accountsOf(store).confirm(account, drawn.id, moved, hourly), "Void", "of a void ticket")
    })),
  accountCase("a ticket is good for less than an hour", (store) =>
    Effect.gen(function*() {
      const account = newAccount()
      const lifetime = livingFor(4 * hour)
      const inTime = yield* signIn(store, account, {
        lifetime,
        before: TestClock.adjust(SessionSignIn.ticketValidity - 1)
      })
      expectConfirmation(inTime.confirmation, "Confirmed", "in time")
      const late = yield* signIn(store, account, { lifetime, before: TestClock.adjust(SessionSignIn.ticketValidity) })
      expectConfirmation(late.confirmation, "Void", "too late")
    })),
  accountCase("the sessions of an account are never counted too low", (store) =>
    Effect.gen(function*() {
      const account = newAccount()
      for (let n = 1; n <= 5; n++) {
        const drawn = SessionKey.mint()
        const { count, ticket } = yield* accountsOf(store).enlist(account, drawn.id, hourly)
        assert.isAtLeast(count, n, "the count of enlist")
        yield* store.save(new Map(entriesOf(account, yield* now)), hourly, drawn)
        const confirmation = yield* accountsOf(store).confirm(account, drawn.id, ticket, hourly)
        assert(confirmation._tag === "Confirmed")
        assert.isAtLeast(confirmation.count, n, "the count of confirm")
      }
    })),
  accountCase("any text is an account, and none is another", (store) =>
    Effect.gen(function*() {
      const id = SessionKey.mintId()
      const texts = ["a", "A", "a ", "ä", "a\u0308", "__proto__", "*", "a:b", "a\u0000", "7"].map((text) => text + id)
      const accounts = [
        ...texts.map((text) => JSON.stringify(text)),
        JSON.stringify("x".repeat(488) + id),
        "7",
        "\"7\""
      ]
      const keys = yield* Effect.forEach(accounts, (account) => signedIn(store, account))
      for (const [i, account] of accounts.entries()) {
        assert.include((yield* listed(store, account)).map(({ id }) => id), keys[i]!.id, account)
        assert.include((yield* endAll(store, account)).ended, keys[i]!.id, account)
        yield* Effect.forEach(keys.slice(i + 1), (key) => expectLoad(store, key, "Live", `after the end of ${account}`))
      }
    })),
  accountCase(
    "a session that has lived for much longer than it was to at its sign-in ends with the others",
    (store) =>
      Effect.gen(function*() {
        const account = newAccount()
        let key = yield* signedIn(store, account)
        for (let hours = 0; hours < 12; hours++) {
          yield* TestClock.adjust(hour - minute)
          yield* hours % 2 === 0
            ? store.update(key, changeOf([["hours", String(hours)]]), hourly)
            : store.updateTtl(key, hourly)
          if (hours % 5 === 4) {
            key = savedBy(yield* store.renew(key, changeOf([]), hourly)).key
          }
          // Others come and go meanwhile.
          yield* signedIn(store, account, livingFor(minute))
        }
        assert.include((yield* listed(store, account)).map(({ id }) => id), key.id, "what is listed")
        yield* endAll(store, account)
        yield* expectEnded(store, [key], "after the end of all")
      })
  ),
  contractCase(
    "of parallel sign-ins and ends of all, no sign-in that began before an end lives on",
    (store) =>
      Effect.gen(function*() {
        const account = newAccount()
        for (let round = 0; round < 5; round++) {
          const began: Array<SessionKey.SessionKey> = []
          // Each takes its time, so that an end comes before, between and after their steps.
          const pause = (turns: number) => Effect.repeatN(Effect.yieldNow(), turns)
          const signsIn = (i: number) =>
            Effect.gen(function*() {
              const drawn = SessionKey.mint()
              const { ticket } = yield* accountsOf(store).enlist(account, drawn.id, hourly)
              began.push(drawn)
              yield* pause(i % 4)
              yield* store.save(new Map(entriesOf(account, yield* now)), hourly, drawn)
              yield* pause(i % 3)
              const { _tag } = yield* accountsOf(store).confirm(account, drawn.id, ticket, hourly)
              if (_tag === "Void") {
                yield* store.delete(drawn)
              }
            })
          let before = 0
          const ends = Effect.gen(function*() {
            yield* Effect.yieldNow()
            const count = began.length
            yield* accountsOf(store).endAll(account)
            before = Math.max(before, count)
          })
          yield* Effect.all([...Array.from({ length: 12 }, (_, i) => signsIn(i)), ends, ends], {
            concurrency: "unbounded"
          })
          yield* expectEnded(store, began.slice(0, before), "of a sign-in that began before an end of all")
        }
      }),
    { for: "Stores", clock: "Live" }
  )
]
