/**
 * All that an app prints, in every way that Effect and Node have to print it: log lines of all levels, spans, metrics,
 * errors, and whatever is handed to `print`.
 */
import * as Cause from "effect/Cause"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as Metric from "effect/Metric"
import * as Option from "effect/Option"
import * as Tracer from "effect/Tracer"
import { inspect } from "node:util"

export interface Printed {
  /** What was printed so far, by the place that it was printed at. */
  readonly places: () => ReadonlyMap<string, string>
  /** Prints a value in all the ways there are. */
  readonly print: (place: string, value: unknown) => void
  /** Prints what an effect fails with, hands it back, and goes on. */
  readonly printFailure: (
    place: string,
    effect: Effect.Effect<unknown, unknown>
  ) => Effect.Effect<Exit.Exit<never, unknown>>
  /** Loggers, console, log level and tracer whose output ends up here. */
  readonly layer: Layer.Layer<never>
  readonly clear: () => void
}

export const makePrinted = (): Printed => {
  const places = new Map<string, Array<string>>()
  const put = (place: string, text: string) => {
    const texts = places.get(place)
    if (texts === undefined) {
      places.set(place, [text])
    } else {
      texts.push(text)
    }
  }
  const print: Printed["print"] = (place, value) => {
    put(`${place}, inspected`, inspect(value, { depth: Infinity, maxArrayLength: null, maxStringLength: null }))
    put(`${place}, inspected with what is hidden`, inspect(value, { depth: Infinity, showHidden: true, getters: true }))
    put(`${place}, inspected against its will`, inspect(value, everything))
    put(`${place}, its own properties`, inspect(ownProperties(value), everything))
    put(`${place}, cloned`, inspect(cloneOf(value), everything))
    put(`${place} as text`, textOf(value))
    put(`${place} as JSON`, jsonOf(value))
    if (value instanceof Error) {
      put(`${place}, its stack`, String(value.stack))
      put(`${place}, its fields`, inspect(Object.entries(Object.getOwnPropertyDescriptors(value)), { depth: Infinity }))
    }
  }
  const printCause = (place: string, cause: Cause.Cause<unknown>) => {
    print(place, cause)
    put(`${place}, pretty`, Cause.pretty(cause, { renderErrorCause: true }))
    put(`${place}, pretty errors`, inspect(Cause.prettyErrors(cause), { depth: Infinity }))
    for (const error of [...Cause.failures(cause), ...Cause.defects(cause)]) {
      print(`${place}, the error`, error)
    }
  }
  const readMetrics = Effect.sync(() => {
    const metrics = Effect.runSync(Metric.snapshot)
    put("metrics", inspect(metrics, { depth: Infinity }) + jsonOf(metrics))
  })
  return {
    places: () => {
      Effect.runSync(readMetrics)
      return new Map(Array.from(places, ([place, texts]) => [place, texts.join("\n")]))
    },
    print,
    printFailure: (place, effect) =>
      Effect.map(Effect.exit(effect), (exit) => {
        if (Exit.isSuccess(exit)) {
          throw new Error(`${place}: a failure was expected`)
        }
        printCause(place, exit.cause)
        return Exit.failCause(exit.cause)
      }),
    layer: Layer.mergeAll(
      Logger.remove(Logger.defaultLogger),
      Logger.add(Logger.map(Logger.stringLogger, (line) => put("log, plain", line))),
      Logger.add(Logger.map(Logger.logfmtLogger, (line) => put("log, logfmt", line))),
      Logger.add(Logger.map(Logger.jsonLogger, (line) => put("log, JSON", line))),
      Logger.add(Logger.map(Logger.structuredLogger, (line) => print("log, structured", line))),
      Logger.add(Logger.prettyLogger({ mode: "tty", colors: false })),
      Logger.add(Logger.prettyLogger({ mode: "browser", colors: false })),
      Logger.minimumLogLevel(LogLevel.All),
      Console.setConsole(consoleInto((...words) => {
        put(
          "log, pretty",
          words.map((word) => typeof word === "string" ? word : inspect(word, { depth: 10 })).join(" ")
        )
      })),
      Layer.setTracer(tracerInto(print, printCause))
    ),
    clear: () => places.clear()
  }
}

// Even from what says itself how it is printed.
const everything = {
  customInspect: false,
  depth: Infinity,
  getters: true,
  maxArrayLength: null,
  maxStringLength: null,
  showHidden: true
}

const ownProperties = (value: unknown): unknown =>
  typeof value === "object" && value !== null
    ? [{ ...value }, Object.entries(value), Reflect.ownKeys(value).map((key) => Reflect.get(value, key) as unknown)]
    : value

const cloneOf = (value: unknown): unknown => {
  try {
    return structuredClone(value)
  } catch {
    return "no clone"
  }
}

const textOf = (value: unknown): string => {
  try {
    return String(value)
  } catch {
    return "no text"
  }
}

const jsonOf = (value: unknown): string => {
  try {
    return JSON.stringify(value) ?? "no JSON"
  } catch {
    return "no JSON"
  }
}

const consoleInto = (write: (...words: ReadonlyArray<unknown>) => void): Console.Console => {
  const names = ["assert", "debug", "dir", "dirxml", "error", "info", "log", "table", "trace", "warn"] as const
  const silent = ["clear", "count", "countReset", "group", "groupCollapsed", "groupEnd", "time", "timeEnd", "timeLog"]
  const unsafe = Object.fromEntries([
    ...names.map((name) => [name, write] as const),
    ...silent.map((name) => [name, name.startsWith("group") ? write : () => {}] as const)
  ]) as unknown as Console.UnsafeConsole
  return { ...Effect.runSync(Console.consoleWith(Effect.succeed)), unsafe }
}

const tracerInto = (
  print: Printed["print"],
  printCause: (place: string, cause: Cause.Cause<unknown>) => void
): Tracer.Tracer => {
  let spans = 0
  return Tracer.make({
    span: (name, parent, context, links, startTime, kind) => {
      const attributes = new Map<string, unknown>()
      print("span, its name", name)
      return {
        _tag: "Span",
        name,
        spanId: String(++spans),
        traceId: Option.match(parent, { onNone: () => String(spans), onSome: ({ traceId }) => traceId }),
        parent,
        context,
        status: { _tag: "Started", startTime },
        attributes,
        links,
        sampled: true,
        kind,
        end: (_time, exit) => {
          print("span, its attributes", attributes)
          print("span, its links", links)
          if (Exit.isFailure(exit)) {
            printCause("span, its failure", exit.cause)
          }
        },
        attribute: (key, value) => {
          attributes.set(key, value)
        },
        event: (name, _time, attributes) => print("span, an event", [name, attributes]),
        addLinks: (links) => print("span, its links", links)
      }
    },
    context: (f) => f()
  })
}
