/**
 * The state of the n-th session: small, and like no other.
 */
export const stateOf = (n) => {
  const user = {
    id: `8f14e45f-ceea-467f-ab5b-${String(n).padStart(12, "0")}`,
    name: `Ada Lovelace ${n}`,
    roles: ["admin"]
  }
  return { counter: n % 1000, user }
}

/** As a plain Map would keep it. */
export const textOf = (n) => JSON.stringify(stateOf(n))

/** As a store takes it: JSON text by key. */
export const valuesOf = (n) => {
  const { counter, user } = stateOf(n)
  return new Map([["counter", JSON.stringify(counter)], ["user", JSON.stringify(user)]])
}

export const lifetime = { ttl: 86_400_000, maxLifetime: undefined }

/** A change that always finds something to do. */
export const changeOf = (n) => ({ set: new Map([["counter", String(n)]]), unset: new Set(), expect: new Map() })
