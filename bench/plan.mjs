/**
 * What is run and for how long. All durations are chosen here, so that the whole of it stays under twenty minutes on two
 * cores.
 */

/**
 * @typedef {object} Scenario
 * @property {string} id
 * @property {string} title
 * @property {string} path
 * @property {boolean} hasCookie
 * @property {boolean} writes
 */

/** @type {ReadonlyArray<Scenario>} */
export const scenarios = [
  { id: "none", title: "no cookie", path: "/plain", hasCookie: false, writes: false },
  { id: "untouched", title: "valid cookie, untouched", path: "/plain", hasCookie: true, writes: false },
  { id: "read", title: "read one value", path: "/read", hasCookie: true, writes: false },
  { id: "write", title: "read and write", path: "/count", hasCookie: true, writes: true }
]

// The compiler is done with a request of Effect after some eight thousand of them; before that it costs twice as much.
const full = {
  socket: { rounds: 5, millis: 300, warmupMillis: 600, warmupRequests: 10_000, connections: 16 },
  latency: { rounds: 7, warmupMillis: 4000, peakMillis: 800, millis: 1600, connections: 64 },
  inProcess: { rounds: 13, millis: 80, warmupMillis: 500, warmupRequests: 10_000, lanes: 8 },
  bySize: { rounds: 7, millis: 80, warmupMillis: 300, warmupRequests: 5_000, lanes: 8 },
  micro: { rounds: 3, millis: 60 },
  scale: {
    sizes: [1_000, 10_000, 100_000, 1_000_000],
    rounds: 7,
    operations: 20_000,
    redisOperations: 4_000,
    postgresOperations: 3_000
  }
}

const quick = {
  socket: { rounds: 2, millis: 150, warmupMillis: 300, warmupRequests: 0, connections: 16 },
  latency: { rounds: 1, warmupMillis: 700, peakMillis: 700, millis: 1500, connections: 64 },
  inProcess: { rounds: 3, millis: 80, warmupMillis: 300, warmupRequests: 0, lanes: 8 },
  bySize: { rounds: 2, millis: 60, warmupMillis: 100, warmupRequests: 0, lanes: 8 },
  micro: { rounds: 1, millis: 20 },
  scale: {
    sizes: [1_000, 10_000, 50_000],
    rounds: 3,
    operations: 5_000,
    redisOperations: 1_000,
    postgresOperations: 1_000
  }
}

export const planOf = (isQuick) => isQuick ? quick : full
