/**
 * The library with one part of the protocol of accounts taken out, and the promise that is broken then.
 */
import type { Replacement } from "../../promises/copies.js"
import type { PromiseName } from "./promises.js"

export interface Mutant {
  readonly name: string
  readonly on: "memory" | "compareAndSwap" | "redis"
  readonly breaks: PromiseName
  readonly replacements: ReadonlyArray<Omit<Replacement, "name">>
}

export const mutants: ReadonlyArray<Mutant> = [
  {
    name: "the epoch moves after the sessions were ended",
    on: "compareAndSwap",
    breaks: "endedIsEnded",
    replacements: [
      {
        file: "stores/CompareAndSwapSessionStore.ts",
        from: "        moveNow(SessionSignIn.digest(account), now),\n",
        to: "        Effect.zipRight(endRows(account, now, spared?.id, undefined, []), " +
          "moveNow(SessionSignIn.digest(account), now)),\n"
      },
      {
        file: "stores/CompareAndSwapSessionStore.ts",
        from: "Effect.map(endRows(account, now, spared?.id, undefined, []), (ended) => ({",
        to: "Effect.map(Effect.succeed([]), (ended) => ({"
      }
    ]
  },
  {
    name: "a sign-in does not look again",
    on: "compareAndSwap",
    breaks: "endedIsEnded",
    replacements: [{
      file: "internal/request/accountSessions.ts",
      from: "confirmation._tag === \"Void\"",
      to: "confirmation._tag === \"Void\" && now < 0"
    }]
  },
  {
    name: "a sign-in in Redis does not look again",
    on: "redis",
    breaks: "endedIsEnded",
    replacements: [{
      file: "internal/request/accountSessions.ts",
      from: "confirmation._tag === \"Void\"",
      to: "confirmation._tag === \"Void\" && now < 0"
    }]
  },
  {
    name: "the epoch is read after the write",
    on: "compareAndSwap",
    breaks: "endedIsEnded",
    replacements: [{
      file: "internal/request/accountSessions.ts",
      from: "  chain(accounts.confirm(account, id, ticket, lifetime, now), (confirmation) =>",
      to: "  chain(Effect.flatMap(accounts.enlist(account, id, lifetime, now), ({ ticket }) => " +
        "accounts.confirm(account, id, ticket, lifetime, now)), (confirmation) =>"
    }]
  },
  {
    name: "end all moves no epoch",
    on: "redis",
    breaks: "endedIsEnded",
    replacements: [{
      file: "internal/redis/redisAccountScripts.ts",
      from: "redis.call('HSET', KEYS[1], '${indexFields.epoch}', ARGV[1])\nkeepFor(ARGV[2])",
      to: "keepFor(ARGV[2])"
    }]
  },
  {
    name: "the index of an account forgets a session when its sign-in is confirmed",
    on: "redis",
    breaks: "allKnown",
    replacements: [{
      file: "internal/redis/redisAccountScripts.ts",
      from: "redis.call('HSET', KEYS[1], ARGV[1], ARGV[2] .. ':' .. ARGV[3])\nkeepFor(ARGV[4])",
      to: "redis.call('HDEL', KEYS[1], ARGV[1])\nkeepFor(ARGV[4])"
    }]
  },
  {
    name: "a sign-in renews no key",
    on: "memory",
    breaks: "noFixation",
    replacements: [
      {
        file: "internal/session/sessionLog.ts",
        from: "      this.assign(key, value)\n    }\n    this.renew()",
        to: "      this.assign(key, value)\n    }"
      }
    ]
  },
  {
    name: "a sign-in to another account goes on with the session",
    on: "memory",
    breaks: "oneAccount",
    replacements: [
      {
        file: "internal/session/sessionBase.ts",
        from: "if (before !== found) {",
        to: "if (before !== found && now < 0) {"
      },
      {
        file: "internal/session/sessionBase.ts",
        from: "const isOfOther = signIn !== undefined && signIn.account !== account",
        to: "const isOfOther = signIn !== undefined && account === \"\""
      }
    ]
  },
  {
    name: "whoever knows an id ends the session of another account",
    on: "compareAndSwap",
    breaks: "endsForAReason",
    replacements: [{
      file: "SessionSignIn.ts",
      from: "  accountOf(record.state) === account",
      to: "  accountOf(record.state) !== undefined"
    }]
  },
  {
    name: "nobody goes for a session too many",
    on: "memory",
    breaks: "withinLimit",
    replacements: [{
      file: "internal/request/accountSessions.ts",
      from: "confirmation.count <= limit.max",
      to: "confirmation.count < Infinity"
    }]
  },
  {
    name: "a limit is kept before the write alone",
    on: "compareAndSwap",
    breaks: "withinLimit",
    replacements: [{
      file: "internal/request/accountSessions.ts",
      from: "      tell(SessionEvent.LimitRefused({ id }))\n      return Effect.succeed(false)",
      to: "      return Effect.succeed(true)"
    }]
  }
]
