/**
 * Which slots hold sessions of which account. It follows the table: what leaves a slot leaves this, so that it never has more than
 * the table.
 *
 * @internal
 */
import type { AccountText } from "../../SessionSignIn.js"

const noSlots: ReadonlySet<number> = new Set()

/** @internal */
export class AccountIndex {
  private readonly accounts = new Map<number, AccountText>()
  private readonly slots = new Map<AccountText, Set<number>>()

  /** Takes note of the account that the session in the slot belongs to; `undefined`: to none. */
  assign(slot: number, account: AccountText | undefined): void {
    const before = this.accounts.get(slot)
    if (before === account) {
      return
    }
    if (before !== undefined) {
      this.remove(slot, before)
    }
    if (account !== undefined) {
      this.add(slot, account)
    }
  }

  slotsOf(account: AccountText): ReadonlySet<number> {
    return this.slots.get(account) ?? noSlots
  }

  private add(slot: number, account: AccountText): void {
    this.accounts.set(slot, account)
    const slots = this.slots.get(account)
    if (slots === undefined) {
      this.slots.set(account, new Set([slot]))
    } else {
      slots.add(slot)
    }
  }

  private remove(slot: number, account: AccountText): void {
    this.accounts.delete(slot)
    const slots = this.slots.get(account)!
    slots.delete(slot)
    if (slots.size === 0) {
      this.slots.delete(account)
    }
  }
}
