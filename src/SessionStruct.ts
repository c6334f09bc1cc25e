/**
 * A typed whole: the session declared as a struct of Schemas, each field of which is one key of the session state.
 *
 * Because a field is a key, parallel requests that write different fields merge, a value that no longer decodes breaks
 * its own field and no other, and what the struct does not name stays untouched in the record.
 *
 * @example
 * ```ts
 * import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
 * import * as Effect from "effect/Effect"
 * import * as Schema from "effect/Schema"
 * import * as SessionStruct from "effect-session/SessionStruct"
 *
 * const Shop = SessionStruct.make({
 *   visits: Schema.NonNegativeInt,
 *   user: Schema.Struct({ id: Schema.String, name: Schema.String }),
 *   theme: Schema.optionalWith(Schema.Literal("light", "dark"), { default: () => "light" })
 * })
 *
 * const index = Effect.gen(function*() {
 *   const shop = yield* Shop
 *   const visits = yield* shop.updateOr("visits", 1, (n) => n + 1) // number
 *   const user = yield* shop.get("user") // Option<{ id: string, name: string }>
 *   const theme = yield* shop.get("theme") // "light" | "dark": a field with a default is always there
 *   return HttpServerResponse.unsafeJson({ visits, user, theme })
 * })
 * ```
 *
 * @since 0.1.0
 */
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Effectable from "effect/Effectable"
import * as Option from "effect/Option"
import * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import * as AST from "effect/SchemaAST"
import * as Session from "./Session.js"

/**
 * Marks the objects that are session structs.
 *
 * @since 0.1.0
 * @category type ids
 */
export const TypeId = "~effect-session/SessionStruct"

/**
 * The type of `TypeId`.
 *
 * @since 0.1.0
 * @category type ids
 */
export type TypeId = typeof TypeId

/**
 * What a session is declared of: what `Schema.Struct` takes, with names that are strings. `Schema.fromKey` says under which
 * key of the session state a field is kept, where that is not its name.
 *
 * @since 0.1.0
 * @category models
 */
export type Fields = { readonly [name: string]: Schema.Struct.Field }

/**
 * Whether a field is always there, because its Schema makes a value of an absent key: `Schema.optionalWith` with a
 * `default` or `as: "Option"`.
 *
 * @since 0.1.0
 * @category models
 */
export type IsAlwaysThere<F extends Schema.Struct.Field> = F extends
  { readonly _TypeToken: ":"; readonly _EncodedToken: "?:" } ? true : false

/**
 * The value of a field, when it has one.
 *
 * @since 0.1.0
 * @category models
 */
export type Value<F extends Schema.Struct.Field> = IsAlwaysThere<F> extends true ? Schema.Schema.Type<F>
  : Exclude<Schema.Schema.Type<F>, undefined>

/**
 * What reading a field answers: its value where it is always there, an `Option` of it where it is not.
 *
 * @since 0.1.0
 * @category models
 */
export type Read<F extends Schema.Struct.Field> = IsAlwaysThere<F> extends true ? Value<F> : Option.Option<Value<F>>

/**
 * What reading the whole session answers.
 *
 * @since 0.1.0
 * @category models
 */
export type Whole<F extends Fields> = { readonly [Name in keyof F]: Read<F[Name]> }

/**
 * The fields that may be absent.
 *
 * @since 0.1.0
 * @category models
 */
export type NamesThatMayBeAbsent<F extends Fields> = {
  readonly [Name in keyof F]: IsAlwaysThere<F[Name]> extends true ? never : Name
}[keyof F]

/**
 * The entries of the fields, each for the operations of `Session` and for whatever else takes an entry. An entry knows of
 * no default: where the key is absent, it reads as `none`.
 *
 * @since 0.1.0
 * @category models
 */
export type Entries<F extends Fields> = {
  readonly [Name in keyof F]: Session.SessionEntry<
    Value<F[Name]>,
    Exclude<Schema.Schema.Encoded<F[Name]>, undefined>,
    Schema.Schema.Context<F[Name]>
  >
}

/**
 * A session seen as the struct. Its operations are those of `Session`, with the name of a field in the place of an
 * entry, and fail with the same errors; `key` in an error is the key in the session state.
 *
 * @since 0.1.0
 * @category models
 */
export interface TypedSession<F extends Fields> {
  /**
   * The session underneath, for `renew`, `purge` and all else that is not about one field.
   */
  readonly session: Session.Session

  /**
   * The value of a field: `none` when it is absent, its default where it has one. A value that does not decode fails with
   * `DecodeFailed`, and leaves the other fields and the session as they are.
   */
  readonly get: <Name extends keyof F>(
    name: Name
  ) => Effect.Effect<Read<F[Name]>, Session.SessionGetError, Schema.Schema.Context<F[Name]>>

  /**
   * All fields. Fails for the first one, in the order of declaration, whose value does not decode.
   */
  readonly all: Effect.Effect<Whole<F>, Session.SessionGetError, Schema.Schema.Context<F[keyof F]>>

  /**
   * Sets a field. A value that its Schema encodes by leaving it out, such as the `none` of `as: "Option"`, removes it.
   */
  readonly insert: <Name extends keyof F>(
    name: Name,
    value: Value<F[Name]>
  ) => Effect.Effect<void, Session.SessionInsertError, Schema.Schema.Context<F[Name]>>

  /**
   * Replaces the value of a field by what the pure `f` makes of it, and answers the new one. An absent field stays
   * absent, unless it has a default: then `f` is given that. When a parallel request changed the same field meanwhile, `f`
   * runs again on its value before this request is committed, so that both count.
   *
   * A present value can only be replaced by one that is encoded: to leave it out, `remove` it.
   */
  readonly update: <Name extends keyof F>(
    name: Name,
    f: (value: Value<F[Name]>) => Value<F[Name]>
  ) => Effect.Effect<
    Read<F[Name]>,
    Session.SessionGetError | Session.SessionInsertError,
    Schema.Schema.Context<F[Name]>
  >

  /**
   * Does what `update` does, and inserts `orElse` as it is when the field is absent.
   */
  readonly updateOr: <Name extends NamesThatMayBeAbsent<F>>(
    name: Name,
    orElse: Value<F[Name]>,
    f: (value: Value<F[Name]>) => Value<F[Name]>
  ) => Effect.Effect<
    Value<F[Name]>,
    Session.SessionGetError | Session.SessionInsertError,
    Schema.Schema.Context<F[Name]>
  >

  /**
   * Removes a field, whether or not its value decodes, and answers the JSON that was there. A field with a default has its
   * default again.
   */
  readonly remove: (
    name: keyof F
  ) => Effect.Effect<Option.Option<Session.Json>, Session.SessionGetError | Session.SessionInsertError>

  /**
   * Removes a field and answers the value that was there. The field is removed also when its value does not decode.
   */
  readonly removeAs: <Name extends keyof F>(
    name: Name
  ) => Effect.Effect<
    Option.Option<Value<F[Name]>>,
    Session.SessionGetError | Session.SessionInsertError,
    Schema.Schema.Context<F[Name]>
  >
}

/**
 * A session declared as a struct. It is the effect of seeing the current session as that struct: `yield*` it.
 *
 * @since 0.1.0
 * @category models
 */
export interface SessionStruct<F extends Fields, Self = Session.Session>
  extends Effect.Effect<TypedSession<F>, never, Self>
{
  readonly [TypeId]: TypeId
  readonly fields: F
  readonly entries: Entries<F>
  /**
   * Sees a session that you have as the struct.
   */
  readonly of: (session: Session.Session) => TypedSession<F>
}

/**
 * Declares a session as a struct of Schemas, once, beside the code that owns it. The second argument is the tag of the
 * session, where it is not the default one.
 *
 * Throws where two fields would be kept under one key of the session state, and where a name or key is a symbol or that of a
 * member of every object, such as `toString`.
 *
 * @example
 * ```ts
 * import * as Context from "effect/Context"
 * import * as Effect from "effect/Effect"
 * import * as Schema from "effect/Schema"
 * import type * as Session from "effect-session/Session"
 * import * as SessionStruct from "effect-session/SessionStruct"
 *
 * class AdminSession extends Context.Tag("AdminSession")<AdminSession, Session.Session>() {}
 *
 * const Admin = SessionStruct.make({
 *   // Kept under the key that an older version of the app used.
 *   name: Schema.propertySignature(Schema.NonEmptyString).pipe(Schema.fromKey("admin_name")),
 *   failures: Schema.optionalWith(Schema.NonNegativeInt, { default: () => 0 })
 * }, AdminSession)
 *
 * const failed = Effect.flatMap(Admin, (admin) => admin.update("failures", (n) => n + 1))
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = <F extends Fields, Self = Session.Session>(
  fields: F,
  tag?: Context.Tag<Self, Session.Session> | undefined
): SessionStruct<F, Self> =>
  // Without a tag there is nothing to infer Self from, so it is the default session.
  new SessionStructImpl(fields, tag ?? Session.Session as unknown as Context.Tag<Self, Session.Session>)

class SessionStructImpl<F extends Fields, Self> extends Effectable.Class<TypedSession<F>, never, Self>
  implements SessionStruct<F, Self>
{
  readonly [TypeId]: TypeId = TypeId
  readonly entries: Entries<F>
  private readonly compiled: ReadonlyMap<string, CompiledField>
  private readonly current: Effect.Effect<TypedSession<F>, never, Self>

  constructor(readonly fields: F, tag: Context.Tag<Self, Session.Session>) {
    super()
    this.compiled = compile(fields)
    this.entries = Object.fromEntries(
      Array.from(this.compiled, ([name, { entry }]) => [name, entry])
    ) as unknown as Entries<F>
    this.current = Effect.map(tag, (session) => this.of(session))
  }

  of(session: Session.Session): TypedSession<F> {
    // What the Schemas are is known to the types alone: inside, a value is unknown.
    return new TypedSessionImpl(session, this.compiled) as unknown as TypedSession<F>
  }

  commit(): Effect.Effect<TypedSession<F>, never, Self> {
    return this.current
  }
}

type GetOrInsertError = Session.SessionGetError | Session.SessionInsertError

/** One object a request, without closures. */
class TypedSessionImpl {
  constructor(readonly session: Session.Session, private readonly fields: ReadonlyMap<string, CompiledField>) {}

  get(name: string): Effect.Effect<unknown, Session.SessionGetError, unknown> {
    const field = this.field(name)
    const { defaultValue } = field
    const stored = Effect.map(this.session.get(field.slot), Option.flatMap(({ value }) => value))
    return defaultValue === undefined
      ? stored
      : Effect.flatMap(stored, Option.match({ onNone: () => defaultValue, onSome: Effect.succeed }))
  }

  get all(): Effect.Effect<unknown, Session.SessionGetError, unknown> {
    return Effect.map(
      Effect.forEach(this.fields, ([name]) => Effect.map(this.get(name), (value) => [name, value] as const)),
      Object.fromEntries
    )
  }

  insert(name: string, value: unknown): Effect.Effect<void, Session.SessionInsertError, unknown> {
    const field = this.field(name)
    const insert = this.session.insert(field.slot, holding(value))
    return field.mayBeLeftOut
      ? Effect.flatMap(field.leavesOut(value), (isLeftOut) => isLeftOut ? this.discard(field) : insert)
      : insert
  }

  update(name: string, f: (value: unknown) => unknown): Effect.Effect<unknown, GetOrInsertError, unknown> {
    const field = this.field(name)
    const present = Effect.map(
      this.session.update(field.slot, (slot) =>
        Option.match(slot.value, {
          onNone: () => slot,
          onSome: (value) => holding(f(value))
        })),
      Option.flatMap(({ value }) => value)
    )
    return field.defaultValue === undefined ? present : this.updateDefaulted(field, field.defaultValue, present, f)
  }

  updateOr(
    name: string,
    orElse: unknown,
    f: (value: unknown) => unknown
  ): Effect.Effect<unknown, GetOrInsertError, unknown> {
    return this.updateSlot(this.field(name), orElse, f)
  }

  remove(name: string): Effect.Effect<Option.Option<Session.Json>, GetOrInsertError> {
    return this.session.remove(this.field(name).slot)
  }

  removeAs(name: string): Effect.Effect<Option.Option<unknown>, GetOrInsertError, unknown> {
    return Effect.map(this.session.removeAs(this.field(name).slot), Option.flatMap(({ value }) => value))
  }

  private updateSlot(
    { slot }: CompiledField,
    orElse: unknown,
    f: (value: unknown) => unknown
  ): Effect.Effect<unknown, GetOrInsertError, unknown> {
    const update = ({ value }: Slot) => holding(Option.match(value, { onNone: () => orElse, onSome: f }))
    return Effect.map(
      this.session.updateOr(slot, holding(orElse), update),
      ({ value }) => Option.getOrElse(value, () => orElse)
    )
  }

  // The default is asked for where it is needed only: `f` may be made for the values that are stored, and throw on it.
  private updateDefaulted(
    field: CompiledField,
    defaultValue: Effect.Effect<unknown, Session.SessionGetError, unknown>,
    present: Effect.Effect<Option.Option<unknown>, GetOrInsertError, unknown>,
    f: (value: unknown) => unknown
  ): Effect.Effect<unknown, GetOrInsertError, unknown> {
    const absent = Effect.flatMap(
      Effect.map(defaultValue, f),
      (value) =>
        Effect.flatMap(
          field.leavesOut(value),
          (isLeftOut) => isLeftOut ? Effect.succeed(value) : this.updateSlot(field, value, f)
        )
    )
    const attempt: Effect.Effect<unknown, GetOrInsertError, unknown> = Effect.flatMap(
      this.session.contains(field.slot),
      (isThere) =>
        isThere
          // Another fiber of this request may remove the field in between.
          ? Effect.flatMap(present, Option.match({ onNone: () => attempt, onSome: Effect.succeed }))
          : absent
    )
    return attempt
  }

  // What was there may be no JSON, which is of no interest any more.
  private discard({ slot }: CompiledField): Effect.Effect<void, Session.SessionInsertError> {
    return Effect.catchTag(Effect.asVoid(this.session.remove(slot)), "SessionGetError", () => Effect.void)
  }

  private field(name: string): CompiledField {
    const field = this.fields.get(name)
    if (field === undefined) {
      throw new Error(
        `The session struct has no field ${JSON.stringify(name)}: it has ${Array.from(this.fields.keys()).join(", ")}`
      )
    }
    return field
  }
}

/**
 * What is stored for a field: the value that its Schema makes of it, and the JSON itself, since some of what is stored
 * counts as absent (`nullable`) and has to survive an update that leaves it alone.
 */
interface Slot {
  readonly value: Option.Option<unknown>
  readonly json?: unknown
}

const holding = (value: unknown): Slot => ({ value: Option.some(value) })

interface CompiledField {
  readonly entry: Session.SessionEntry<unknown, unknown, unknown>
  readonly slot: Session.SessionEntry<Slot, unknown, unknown>
  /** What the Schema makes of an absent key, where it makes something of it. */
  readonly defaultValue: Effect.Effect<unknown, Session.SessionGetError, unknown> | undefined
  /** Whether there may be values that the Schema encodes by leaving the key out. */
  readonly mayBeLeftOut: boolean
  readonly leavesOut: (value: unknown) => Effect.Effect<boolean, never, unknown>
}

const compile = (fields: Fields): ReadonlyMap<string, CompiledField> => {
  const compiled = new Map<string, CompiledField>()
  const names = new Map<string, string>()
  for (const [name, field] of Object.entries(fields)) {
    const compiledField = compileField(name, field)
    const { key } = compiledField.slot
    const other = names.get(key)
    if (other !== undefined) {
      throw new Error(
        `The session fields ${JSON.stringify(other)} and ${JSON.stringify(name)} would both be kept under the key ` +
          `${JSON.stringify(key)}: give one of them another name or another Schema.fromKey`
      )
    }
    names.set(key, name)
    compiled.set(name, compiledField)
  }
  return compiled
}

type OneField = { readonly [key: string]: unknown }

// A struct of this one field is what knows what property signatures mean: optional, default, renamed.
const compileField = (name: string, field: Schema.Struct.Field): CompiledField => {
  const key = sessionKeyOf(name, field)
  const struct = Schema.Struct({ [name]: field }) as unknown as Schema.Schema<OneField, OneField, unknown>
  const mayBeLeftOut = onlyProperty(AST.encodedAST(struct.ast)).isOptional
  const isAlwaysThere = mayBeLeftOut && !onlyProperty(AST.typeAST(struct.ast)).isOptional
  const decode = ParseResult.decodeUnknown(struct)
  const encode = ParseResult.encode(struct)
  const title = titleOf(field)

  const slotSchema: Schema.Schema<Slot, unknown, unknown> = Schema.transformOrFail(Schema.Unknown, SlotFromSelf, {
    strict: true,
    decode: (json, options) =>
      Effect.map(decode({ [key]: json }, options), (decoded) => {
        const value = decoded[name]
        return { value: isAlwaysThere || value !== undefined ? Option.some(value) : Option.none(), json }
      }),
    encode: (slot, options, ast) =>
      Option.match(slot.value, {
        onNone: () => Effect.succeed(slot.json),
        onSome: (value) =>
          Effect.flatMap(
            encode({ [name]: value }, options),
            (encoded) => {
              const json = encoded[key]
              return json === undefined
                ? Effect.fail(new ParseResult.Type(ast, slot, "The value is encoded by leaving it out: remove it"))
                : Effect.succeed(json)
            }
          )
      })
  }).annotations({ title })

  const entrySchema: Schema.Schema<unknown, unknown, unknown> = Schema.isSchema(field)
    ? field as Schema.Schema<unknown, unknown, unknown>
    : Schema.transformOrFail(slotSchema, Schema.Unknown, {
      strict: true,
      decode: (slot, _, ast) =>
        Option.match(slot.value, {
          onNone: () => Effect.fail(new ParseResult.Type(ast, slot.json, "The stored value counts as absent")),
          onSome: Effect.succeed
        }),
      encode: (value) => Effect.succeed(holding(value))
    }).annotations({ title })

  return {
    entry: Session.entry(key, entrySchema),
    slot: Session.entry(key, slotSchema),
    defaultValue: isAlwaysThere
      ? Effect.mapBoth(Effect.suspend(() => decode({})), {
        onSuccess: (decoded) => decoded[name],
        onFailure: () =>
          new Session.SessionGetError({
            reason: "DecodeFailed",
            key,
            message: `The default of the session field ${JSON.stringify(name)} is not what its Schema says`
          })
      })
      : undefined,
    mayBeLeftOut,
    // A value that does not encode at all is not left out: inserting it is what says so.
    leavesOut: (value) =>
      Effect.match(encode({ [name]: value }), {
        onSuccess: (encoded) => encoded[key] === undefined,
        onFailure: () => false
      })
  }
}

const SlotFromSelf: Schema.Schema<Slot> = Schema.Any

const onlyProperty = (ast: AST.AST): AST.PropertySignature => AST.getPropertySignatures(ast)[0]!

const sessionKeyOf = (name: string, { ast }: Schema.Struct.Field): string => {
  const key = ast._tag === "PropertySignatureTransformation" ? ast.from.fromKey ?? name : name
  if (typeof key === "symbol") {
    throw new Error(
      `The session field ${JSON.stringify(name)} is renamed to a symbol, which no store can keep: ` +
        "give Schema.fromKey a string"
    )
  }
  // Schema works on plain objects, which have these from the start: it confuses some of them with fields.
  const taken = [name, key].find((name) => name in Object.prototype)
  if (taken !== undefined) {
    throw new Error(
      `A session field cannot be called ${taken}, as every object has that: give it another name, or read and write ` +
        "that key with a Session.entry"
    )
  }
  return String(key)
}

/** What errors call the type: that of the value as it was declared, without the property around it. */
const titleOf = (field: Schema.Struct.Field): string => {
  const { ast } = field
  switch (ast._tag) {
    case "PropertySignatureDeclaration":
      return String(ast.type)
    case "PropertySignatureTransformation":
      return String(ast.from.type)
    default:
      return String(ast)
  }
}
