/**
 * Every room of the package by its name, but for the stores, what is for tests, and what needs an optional peer: those are
 * imported by their paths.
 *
 * @since 0.1.0
 */

/**
 * @since 0.1.0
 */
export * as Config from "./Config.js"

/**
 * @since 0.1.0
 */
export * as CookieCrypto from "./CookieCrypto.js"

/**
 * @since 0.1.0
 */
export * as Session from "./Session.js"

/**
 * @since 0.1.0
 */
export * as SessionAccount from "./SessionAccount.js"

/**
 * @since 0.1.0
 */
export * as SessionAccounts from "./SessionAccounts.js"

/**
 * @since 0.1.0
 */
export * as SessionCsrf from "./SessionCsrf.js"

/**
 * @since 0.1.0
 */
export * as SessionEvent from "./SessionEvent.js"

/**
 * @since 0.1.0
 */
export * as SessionFlash from "./SessionFlash.js"

/**
 * @since 0.1.0
 */
export * as SessionGuard from "./SessionGuard.js"

/**
 * @since 0.1.0
 */
export * as SessionHttpApi from "./SessionHttpApi.js"

/**
 * @since 0.1.0
 */
export * as SessionHttpLayerRouter from "./SessionHttpLayerRouter.js"

/**
 * @since 0.1.0
 */
export * as SessionKey from "./SessionKey.js"

/**
 * @since 0.1.0
 */
export * as SessionMetrics from "./SessionMetrics.js"

/**
 * @since 0.1.0
 */
export * as SessionMiddleware from "./SessionMiddleware.js"

/**
 * @since 0.1.0
 */
export * as SessionOrigin from "./SessionOrigin.js"

/**
 * @since 0.1.0
 */
export * as SessionRecord from "./SessionRecord.js"

/**
 * @since 0.1.0
 */
export * as SessionSignIn from "./SessionSignIn.js"

/**
 * @since 0.1.0
 */
export * as SessionStore from "./SessionStore.js"

/**
 * @since 0.1.0
 */
export * as SessionStruct from "./SessionStruct.js"
