#!/usr/bin/env node
/**
 * Prints one fresh session key and a line break to stdout, for a secret manager or an `.env` file.
 *
 * @since 0.1.0
 */
import * as Redacted from "effect/Redacted"
import { generateKey } from "../Config.js"

process.stdout.write(`${Redacted.value(generateKey())}\n`)
