/**
 * Numbered buckets, each with its first slot, of which the lowest is always at hand: a binary heap that knows where in
 * it each bucket stands. A bucket that comes or goes moves as many others as the heap has levels, and nothing ever looks
 * at all of them, however many there are.
 *
 * @internal
 */

/** @internal */
export class BucketHeap {
  private readonly buckets: Array<number> = []
  /** The first slot of each bucket, in the order of `buckets`. */
  private readonly firsts: Array<number> = []
  private readonly places = new Map<number, number>()

  /** The lowest bucket, `undefined` when there is none. */
  lowest(): number | undefined {
    return this.buckets[0]
  }

  firstOf(bucket: number): number | undefined {
    const place = this.places.get(bucket)
    return place === undefined ? undefined : this.firsts[place]
  }

  /** Says which slot a bucket begins with, `undefined` when it has none any more. */
  set(bucket: number, first: number | undefined): void {
    const place = this.places.get(bucket)
    if (first === undefined) {
      if (place !== undefined) {
        this.delete(bucket, place)
      }
    } else if (place === undefined) {
      this.rise(this.buckets.length, bucket, first)
    } else {
      this.firsts[place] = first
    }
  }

  // The last bucket takes the empty place, and goes up or down from there.
  private delete(bucket: number, place: number): void {
    this.places.delete(bucket)
    const last = this.buckets.pop()!
    const first = this.firsts.pop()!
    if (last === bucket) {
      return
    }
    if (last < bucket) {
      this.rise(place, last, first)
    } else {
      this.sink(place, last, first)
    }
  }

  private rise(from: number, bucket: number, first: number): void {
    let place = from
    while (place > 0) {
      const above = (place - 1) >> 1
      if (this.buckets[above]! < bucket) {
        break
      }
      this.put(place, this.buckets[above]!, this.firsts[above]!)
      place = above
    }
    this.put(place, bucket, first)
  }

  private sink(from: number, bucket: number, first: number): void {
    let place = from
    for (let below = 2 * place + 1; below < this.buckets.length; below = 2 * place + 1) {
      if (below + 1 < this.buckets.length && this.buckets[below + 1]! < this.buckets[below]!) {
        below++
      }
      if (bucket < this.buckets[below]!) {
        break
      }
      this.put(place, this.buckets[below]!, this.firsts[below]!)
      place = below
    }
    this.put(place, bucket, first)
  }

  private put(place: number, bucket: number, first: number): void {
    this.buckets[place] = bucket
    this.firsts[place] = first
    this.places.set(bucket, place)
  }
}
