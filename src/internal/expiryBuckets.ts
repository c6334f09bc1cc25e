/**
 * Which ids fall due when, by buckets of time, so that expired records can go a few at a time without anybody asking
 * for them, without a timer, and without a scan.
 *
 * @internal
 */

const bucketMillis = 1_000

const bucketOf = (at: number): number => Math.ceil(at / bucketMillis)

/** @internal */
export class ExpiryBuckets {
  private readonly buckets = new Map<number, Set<string>>()
  private swept = -Infinity

  /** Files an id under the time it falls due, and answers the bucket it is in. */
  add(id: string, at: number): number {
    const bucket = Math.max(bucketOf(at), this.swept + 1)
    const ids = this.buckets.get(bucket)
    if (ids === undefined) {
      this.buckets.set(bucket, new Set([id]))
    } else {
      ids.add(id)
    }
    return bucket
  }

  remove(id: string, bucket: number): void {
    const ids = this.buckets.get(bucket)
    if (ids?.delete(id) === true && ids.size === 0) {
      this.buckets.delete(bucket)
    }
  }

  /** Takes out at most `limit` ids whose buckets have passed. */
  take(now: number, limit: number): ReadonlyArray<string> {
    const current = Math.floor(now / bucketMillis)
    if (current <= this.swept) {
      return noIds
    }
    const taken: Array<string> = []
    for (const bucket of this.passed(current)) {
      const ids = this.buckets.get(bucket)!
      for (const id of ids) {
        if (taken.length === limit) {
          return taken
        }
        taken.push(id)
        this.remove(id, bucket)
      }
    }
    this.swept = current
    return taken
  }

  // After a long pause there are more seconds to walk through than buckets to look at.
  private passed(current: number): ReadonlyArray<number> {
    if (current - this.swept > this.buckets.size) {
      return Array.from(this.buckets.keys()).filter((bucket) => bucket <= current)
    }
    const passed: Array<number> = []
    for (let bucket = this.swept + 1; bucket <= current; bucket++) {
      if (this.buckets.has(bucket)) {
        passed.push(bucket)
      }
    }
    return passed
  }
}

const noIds: ReadonlyArray<string> = []
