/**
 * When all sessions of an account were ended last, for as long as a sign-in may ask that began before.
 *
 * @internal
 */
import type { AccountText } from "../../SessionSignIn.js"
import { epochRetention } from "../../SessionSignIn.js"

interface Mark {
  readonly epoch: string
  readonly at: number
}

/** @internal */
export class EndMarks {
  private count = 0
  /** The one that was set first comes first. */
  private readonly marks = new Map<AccountText, Mark>()

  epochOf(account: AccountText): string | undefined {
    return this.marks.get(account)?.epoch
  }

  /** Sets a mark that differs from each that was set before, and answers it. */
  move(account: AccountText, now: number): string {
    this.forget(now)
    const epoch = String(++this.count)
    this.marks.delete(account)
    this.marks.set(account, { epoch, at: now })
    return epoch
  }

  private forget(now: number): void {
    for (const [account, { at }] of this.marks) {
      if (now - at < epochRetention) {
        return
      }
      this.marks.delete(account)
    }
  }
}
