import { assert, describe, it } from "@effect/vitest"
import * as SessionStore from "effect-session/SessionStore"
import * as RedisSessionStore from "effect-session/stores/RedisSessionStore"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { generate } from "selfsigned"
import { handTimers } from "../support/handTimers.js"
import { logging, makeWithout } from "../support/loggingStore.js"
import { redisServer } from "../support/redisServer.js"
import { freePort } from "../support/serverProcess.js"
import { generous } from "../support/timeLimits.js"

const certificate = () =>
  generate([{ name: "commonName", value: "localhost" }], {
    algorithm: "sha256",
    days: 1,
    keySize: 2048,
    extensions: [
      { name: "basicConstraints", cA: true },
      { name: "subjectAltName", altNames: [{ type: 2, value: "localhost" }, { type: 7, ip: "127.0.0.1" }] }
    ]
  })

/** A Redis that speaks TLS alone, under a certificate that it signed itself. */
const tlsServer = Effect.gen(function*() {
  const { cert, private: key } = certificate()
  const directory = yield* Effect.acquireRelease(
    Effect.promise(() => mkdtemp(join(tmpdir(), "certificate-"))),
    (directory) => Effect.promise(() => rm(directory, { recursive: true, force: true }))
  )
  const certFile = join(directory, "cert.pem")
  const keyFile = join(directory, "key.pem")
  yield* Effect.promise(() => Promise.all([writeFile(certFile, cert), writeFile(keyFile, key)]))
  const port = yield* freePort
  yield* redisServer({
    args: [
      ...["--port", "0", "--tls-port", String(port)],
      ...["--tls-cert-file", certFile, "--tls-key-file", keyFile, "--tls-ca-cert-file", certFile],
      ...["--tls-auth-clients", "no", "--requirepass", "planted"]
    ]
  })
  return { cert, url: Redacted.make(`rediss://:planted@127.0.0.1:${port}`) }
})

const lifetime = { ttl: 3_600_000, maxLifetime: undefined }

describe("RedisSessionStore over TLS", () => {
  it.scopedLive("trusts the authority that the options name", () =>
    Effect.gen(function*() {
      const { cert, url } = yield* tlsServer
      const store = SessionStore.withClock(
        yield* RedisSessionStore.make({ url, timeout: generous, redis: { tls: { ca: cert } } })
      )
      const { key } = yield* store.save(new Map([["a", "1"]]), lifetime)
      assert.strictEqual((yield* store.load(key))._tag, "Live")
    }))

  const strangers = [["none", {}], ["undefined", { tls: undefined }], ["another", {
    tls: { ca: certificate().cert }
  }]] as const
  for (const [title, redis] of strangers) {
    it.scopedLive(`does not talk to a server that no trusted authority vouches for (authority: ${title})`, () =>
      Effect.gen(function*() {
        const log = logging()
        const { lines } = log
        const { url } = yield* tlsServer
        const store = yield* makeWithout(yield* handTimers, { url, redis }, log)
        const error = yield* Effect.flip(store.save(new Map(), lifetime))
        assert.strictEqual(error.reason, "Unavailable")
        assert.match(lines.join(), /self-signed certificate|unable to verify/)
        assert.notInclude(lines.join(), "planted")
      }))
  }
})
