/**
 * Advisories about what this library has not got, each with the reason why there is nothing to test.
 */
import type { Elsewhere } from "./advisory.js"

export const elsewhere: ReadonlyArray<Elsewhere> = [
  {
    id: "CVE-2024-4183",
    why:
      "A limit on the sessions of one account needs to know whose they are. A session here belongs to a browser; the app "
      + "knows the account, and docs/security.md says so in the row of ASVS 7.1.2."
  },
  {
    id: "CVE-2026-40295",
    why: "An open redirect after a time-out. This library redirects nobody and reads no URL."
  },
  {
    id: "scs: Iterate and Destroy",
    why:
      "Ended sessions that were hashed a second time on the way. No store here can be iterated, so there is no recipe that "
      + "takes an id from one verb to another."
  },
  {
    id: "tower-sessions: CachingSessionStore",
    why:
      "A cache that takes a deleted session up again. No store here has a cache in front of it: each load asks the store."
  }
]
