/**
 * What goes in and comes out, over the API and through the forms of the page.
 */
import * as HttpApiSchema from "@effect/platform/HttpApiSchema"
import * as Schema from "effect/Schema"

export const UserName = Schema.Trim.pipe(
  Schema.minLength(1),
  Schema.maxLength(80),
  Schema.annotations({
    identifier: "UserName",
    jsonSchema: { type: "string", minLength: 1, maxLength: 80, examples: ["Ferris"] },
    message: () => ({ message: "Please give a name of 1 to 80 characters.", override: true })
  })
)

export class User extends Schema.Class<User>("User")({ name: UserName }) {}

export class Login extends Schema.Class<Login>("Login")({
  name: UserName,
  remember: Schema.optionalWith(Schema.Boolean, { default: () => false }).annotations({
    description: "Whether to stay signed in when the browser is closed"
  })
}) {}

/** The key of an entry that a visitor makes. */
export const EntryKey = Schema.String.pipe(
  Schema.pattern(/^[a-z][a-z0-9_-]{0,31}$/i),
  Schema.annotations({
    identifier: "EntryKey",
    description: "1 to 32 letters, digits, - and _, beginning with a letter",
    message: () => "A key has 1 to 32 letters, digits, - and _, and begins with a letter."
  })
)

/** Any JSON, but little of it: everybody may come and fill the store. */
export const EntryValue = Schema.Unknown.pipe(
  Schema.filter((value) => (JSON.stringify(value) ?? "").length <= 200),
  Schema.annotations({
    identifier: "EntryValue",
    jsonSchema: { description: "Any JSON of at most 200 characters", examples: ["teal"] },
    message: () => "A value has at most 200 characters."
  })
)

/** What was done, in words, and what it did to the session. */
export class Done extends Schema.Class<Done>("Done")({
  status: Schema.Literal("Unchanged", "Changed", "Renewed", "Purged"),
  text: Schema.String
}) {}

export class TooManyEntries extends Schema.TaggedError<TooManyEntries>()(
  "TooManyEntries",
  { message: Schema.String },
  HttpApiSchema.annotations({ status: 409, description: "The session holds as many entries as it may" })
) {}

/** A browser on which an account is signed in. */
export class Device extends Schema.Class<Device>("Device")({
  id: Schema.String.annotations({ description: "The public id of its session. It proves nothing." }),
  label: Schema.String,
  signedInAt: Schema.DateTimeUtc,
  isThis: Schema.Boolean
}) {}

/** Which device is to be signed out: the id of one, or all others. */
export class SignOutDevice extends Schema.Class<SignOutDevice>("SignOutDevice")({
  device: Schema.String.annotations({ description: "The id of a device, or `others`" }),
  again: Schema.optionalWith(Schema.String, { default: () => "" }).annotations({
    description: "Your name once more, where the sign-in is some time ago"
  })
}) {}

export class NameNeeded extends Schema.TaggedError<NameNeeded>()(
  "NameNeeded",
  { message: Schema.String },
  HttpApiSchema.annotations({ status: 403, description: "The sign-in is too long ago: say once more who you are" })
) {}

/** A session as a visitor may see it. What is `null` belongs to a session that is not there. */
export class SessionView extends Schema.Class<SessionView>("SessionView")({
  user: Schema.NullOr(User),
  id: Schema.NullOr(Schema.String).annotations({ description: "The public id. It proves nothing." }),
  status: Done.fields.status.annotations({ description: "What this request did to the session" }),
  createdAt: Schema.NullOr(Schema.DateTimeUtc),
  expiresAt: Schema.NullOr(Schema.DateTimeUtc),
  secondsLeft: Schema.NullOr(Schema.NonNegativeInt),
  ttlSeconds: Schema.NonNegativeInt.annotations({ description: "How long it lives after each change" }),
  isRemembered: Schema.Boolean.annotations({ description: "Whether it outlives the browser" }),
  devices: Schema.Array(Device).annotations({ description: "Where else you are signed in, and here" }),
  entries: Schema.Array(Schema.Struct({
    key: Schema.String,
    value: Schema.Unknown.annotations({ jsonSchema: { description: "Any JSON" } }),
    isYours: Schema.Boolean.annotations({ description: "Whether you may change it: the app keeps entries of its own" })
  }))
}) {}

export type SessionJson = typeof SessionView.Encoded
