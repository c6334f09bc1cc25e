/**
 * The import law: who may know whom. Type-only imports count like any other.
 *
 * `src` is a house. A file knows its own room, what stands on the floors below it in its wing, and the ground floors, on which all
 * wings stand. It knows nothing above it, nothing beside it, and no other wing; the roof covers all of them.
 */

/** Each wing from its lowest floor up, and the rooms of each floor. */
const ground = [
  ["internal/effect/"],
  ["SessionKey"],
  ["SessionRecord"],
  ["SessionSignIn"],
  ["SessionEvent", "SessionMetrics"],
  ["internal/cookie/"],
  ["internal/http/", "internal/events/"],
  ["CookieCrypto"],
  ["internal/config/"],
  ["Config"]
]
const wings = {
  stores: [
    ["internal/port/"],
    ["SessionStore"],
    ["internal/memory/", "internal/redis/", "internal/sql/", "stores/CompareAndSwapSessionStore"],
    ["stores/CookieSessionStore", "stores/MemorySessionStore", "stores/RedisSessionStore", "stores/SqlSessionStore"]
  ],
  sessions: [
    ["Session"],
    ["internal/session/"],
    ["SessionStruct", "SessionFlash", "SessionGuard"]
  ],
  origins: [
    ["internal/origin/"],
    ["SessionOrigin"]
  ],
  tools: [
    ["bin/"]
  ]
}
const roof = [
  ["internal/request/"],
  ["SessionMiddleware", "SessionCsrf", "SessionAccounts"],
  ["SessionAccount"],
  ["SessionHttpApi", "SessionHttpLayerRouter", "SessionRpc"],
  ["index", "testing/"]
]

/**
 * The rooms that one face alone shows to the rest of the house, and that face.
 *
 * @type {ReadonlyArray<readonly [room: string, known: ReadonlyArray<string>]>}
 */
const faces = [
  ["internal/events/", ["SessionMiddleware", "SessionAccounts"]],
  ["internal/config/", ["Config", "internal/origin/"]],
  ["internal/port/", ["SessionStore"]],
  ["internal/memory/", ["stores/MemorySessionStore"]],
  ["internal/redis/", ["stores/RedisSessionStore"]],
  ["internal/sql/", ["stores/SqlSessionStore"]],
  ["internal/session/", ["internal/request/", "SessionAccount", "SessionAccounts", "testing/"]],
  ["internal/origin/", ["SessionOrigin"]],
  ["internal/request/", ["SessionMiddleware", "SessionCsrf", "SessionRpc", "SessionAccount", "SessionAccounts"]]
]

/**
 * What is imported in few places, and the files that may.
 *
 * @type {ReadonlyArray<readonly [name: string, reason: string, files: ReadonlyArray<string>]>}
 */
const packages = [
  [
    "@effect/platform",
    "where sessions meet HTTP",
    [
      "Session(Account|Csrf|Guard|HttpApi|HttpLayerRouter|Middleware|Origin|Rpc)\\.ts$",
      "internal/http/",
      "internal/request/(httpSession|rpcCall)\\.ts$",
      "testing/"
    ]
  ],
  ["@effect/rpc", "an optional peer, which calls of procedures alone need", ["SessionRpc\\.ts$"]],
  ["@effect/sql", "an optional peer, which its store alone needs", ["stores/SqlSessionStore\\.ts$", "internal/sql/"]],
  [
    "ioredis",
    "an optional peer, which its store alone needs",
    ["stores/RedisSessionStore\\.ts$", "internal/redis/redisConnection\\.ts$"]
  ],
  ["ipaddr.js", "for the addresses of proxies", ["internal/http/trustedProxies\\.ts$"]]
]

const anySource = "^src/"

/** @param {string} room a file, or a folder with a slash at its end */
const inRoom = (room) => room.endsWith("/") ? `^src/${room}` : `^src/${room}\\.ts$`

/**
 * A package as it is written in an import, whether it is installed or not.
 *
 * @param {string} name
 */
const packageNamed = (name) => `(^|node_modules/)${name.replace(".", "\\.")}(/|$)`

/** @param {string} room */
const nameOf = (room) => room.replaceAll("/", "-").replace(/-$/, "")

/**
 * A rule for each room: what it knows stands below.
 *
 * @param {ReadonlyArray<ReadonlyArray<string>>} floors
 * @param {ReadonlyArray<string>} below
 */
const floorRules = (floors, below) =>
  floors.flatMap((rooms, i) =>
    rooms.map((room) => ({
      name: `floor-of-${nameOf(room)}`,
      comment: "A room knows what stands below it, in its own wing or on the ground.",
      severity: "error",
      from: { path: inRoom(room) },
      to: { path: anySource, pathNot: [room, ...floors.slice(0, i).flat(), ...below].map(inRoom) }
    }))
  )

/** @type {import("dependency-cruiser").IConfiguration} */
module.exports = {
  forbidden: [
    {
      name: "no-circular",
      comment: "A cycle means that two files are one: merge them, or give what they share a file of its own.",
      severity: "error",
      from: {},
      to: { circular: true }
    },
    ...floorRules(ground, []),
    ...Object.values(wings).flatMap((floors) => floorRules(floors, ground.flat())),
    ...floorRules(roof, [...ground, ...Object.values(wings).flat()].flat()),
    {
      name: "every-file-has-a-room",
      comment: "A new file goes into a room, or gets one in the plan of the house, at the top of this file.",
      severity: "error",
      from: {
        path: anySource,
        pathNot: [...ground, ...Object.values(wings).flat(), ...roof].flat().map(inRoom)
      },
      to: {}
    },
    ...faces.map(([room, known]) => ({
      name: `face-of-${nameOf(room)}`,
      comment: "What is in this room is shown to the rest of the house by its face alone.",
      severity: "error",
      from: { path: anySource, pathNot: [room, ...known].map(inRoom) },
      to: { path: inRoom(room) }
    })),
    {
      name: "index-only-names-the-rooms",
      comment:
        "index.ts re-exports the public modules of src/ and nothing deeper: a store's driver must not load with it.",
      severity: "error",
      from: { path: "^src/index\\.ts$" },
      to: { pathNot: "^src/[^/]+\\.ts$" }
    },
    ...packages.map(([name, reason, files]) => ({
      name: `${name.replace("@", "").replace("/", "-").replace(".", "-")}-in-its-place`,
      comment: `${name} is imported in few places: ${reason}.`,
      severity: "error",
      from: { path: anySource, pathNot: files.map((file) => `^src/${file}`) },
      to: { path: packageNamed(name) }
    })),
    {
      name: "only-declared-packages",
      comment:
        "src imports effect and the packages that the rules above give a place; testing/ also those that tests run on.",
      severity: "error",
      from: { path: anySource, pathNot: "^src/testing/" },
      to: {
        dependencyTypesNot: ["core"],
        pathNot: [anySource, ...["effect", ...packages.map(([name]) => name)].map(packageNamed)]
      }
    },
    {
      name: "no-node-builtins",
      comment: "The library runs on node:crypto and node:buffer alone; bin/ and testing/ may use more.",
      severity: "error",
      from: { path: anySource, pathNot: "^src/(bin|testing)/" },
      to: { dependencyTypes: ["core"], pathNot: "^(node:)?(crypto|buffer)$" }
    },
    {
      name: "no-unresolvable",
      comment: "An import that leads nowhere breaks the published package.",
      severity: "error",
      from: {},
      to: { couldNotResolve: true }
    }
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    tsPreCompilationDeps: "specify",
    tsConfig: { fileName: "tsconfig.json" },
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["import", "types", "node", "default"]
    }
  }
}
