// Sign-in through Auther: says who a request acts for, by its Authorization header or this browser's cookie.
import pg from "pg";

import { Attempts, isSame } from "./attempts.js";
import { AutherSession } from "./auther-session.js";
import { Credentials } from "./credentials.js";
import { keepBeating } from "./heartbeat.js";
import { KeySet } from "./keys.js";
import { LOGOUT_PATH, Login, START_PATH } from "./login.js";
import { Counters } from "./metrics.js";
import { People } from "./people.js";
import { fromClaims, ofApiKey } from "./permissions.js";
import { Plugin } from "./plugin.js";
import { Renewal } from "./renewal.js";
import {
  Cookies,
  answerJson,
  authorizationOf,
  cookiesOf,
  isFromBrowser,
  isNavigation,
  pathOf,
  seeOther,
  targetOf,
} from "./request.js";
import { check, factsOf, readEnvironment, settings as baked } from "./settings.js";
import { TokenVerifier } from "./tokens.js";

/** @typedef {import("hono").Context} Context */
/** @typedef {import("./hono.js").Options} Options */
/** @typedef {import("./hono.js").Parts} Parts */
/** @typedef {import("./types.js").Decision} Decision */
/** @typedef {import("./types.js").Finding} Finding */

const METRICS_PATH = "/migrator/metrics";

/**
 * @param {Options} options
 * @param {{ settings?: import("./types.js").Settings, environment?: import("./types.js").Environment }} [from] For tests.
 */
export function createAuther(options, { settings = baked, environment = readEnvironment() } = {}) {
  check(settings, environment);
  return new Auther(assemble(options, settings, environment));
}

/**
 * @param {Options} options
 * @param {import("./types.js").Settings} settings
 * @param {import("./types.js").Environment} environment
 * @returns {Parts}
 */
function assemble(options, settings, environment) {
  const log = options.log ?? ((line) => process.stdout.write(`${JSON.stringify(line)}\n`));
  const counters = new Counters(environment.countersFolder, log);
  const onFetch = (/** @type {string} */ result) => counters.add("auth_jwks_fetch_total", { result });
  const keys = new KeySet(settings, { cooldownS: environment.jwksCooldownS, onFetch });
  const verifier = new TokenVerifier(settings, keys);
  const onCreate = (/** @type {string} */ result) => counters.add("auth_jit_total", { result });
  const database = databaseOf(options, log);
  const people = new People(settings, database, { judge: options.judge, onCreate, log });
  keepBeating(database, factsOf(settings, environment), { everyS: settings.heartbeatS, log });
  const base = { options, settings, environment, log, counters, verifier, people };
  const more = { ...base, cookies: new Cookies(settings), plugin: new Plugin(settings) };
  const parts = {
    ...more,
    credentials: new Credentials(settings, verifier, people),
    attempts: new Attempts(settings, environment),
    autherSession: new AutherSession(more),
  };
  return { ...parts, renewal: new Renewal(parts) };
}

/**
 * A pool of our own: what the application does with its connections must not make us wait, nor we it.
 * @param {Options} options
 * @param {(line: object) => void} log
 */
function databaseOf({ database }, log) {
  if (typeof database !== "string") return database;
  const limits = { connectionTimeoutMillis: 2000, query_timeout: 3000, allowExitOnIdle: true, max: 8 };
  const pool = new pg.Pool({ connectionString: database, ...limits });
  // Without a listener the end of an idle connection would end the process.
  pool.on("error", () => log({ event: "auther_connection_lost" }));
  return pool;
}

/** What the application uses. */
class Auther {
  #parts;
  #routes;

  /** @param {Parts} parts */
  constructor(parts) {
    this.#parts = parts;
    const login = new Login(parts);
    /** @type {Record<string, (c: Context) => Promise<Response>>} */
    const routes = {
      [`GET ${START_PATH}`]: (c) => login.start(c),
      [`GET ${new URL(parts.settings.redirectUri).pathname}`]: (c) => login.callback(c),
      [`POST ${LOGOUT_PATH}`]: (c) => login.logout(c),
    };
    this.#routes = new Map(Object.entries(routes));
  }

  /**
   * The middleware: sets the variable `autherUser`, or answers the request.
   * @returns {import("hono").MiddlewareHandler}
   */
  middleware() {
    return async (c, next) => {
      const answer = await this.#answer(c);
      if (answer) return answer;
      await next();
      this.#parts.counters.answered(c.get("autherPath"), c.res.status);
    };
  }

  /**
   * Whether a request may do something, where Auther decides about permissions: for a person from the token's claims, for
   * a program from Auther's answer about its API key. Anything but "allowed" is a refusal.
   * @param {Context} c
   * @param {string} permission
   * @param {string} type
   * @param {string} id
   */
  async permission(c, permission, type, id) {
    const { settings } = this.#parts;
    if (!settings.delegatePermissions) return "unknown";
    const person = c.get("autherUser");
    const apiKey = person ? "" : c.req.header("x-api-key");
    if (apiKey) return ofApiKey(settings, apiKey, { permission, type, id });
    return fromClaims(person?.claims, permission, type, id);
  }

  /**
   * @param {Context} c
   * @returns {Promise<Response | null>} null: the application answers.
   */
  async #answer(c) {
    const path = pathOf(c);
    if (path === METRICS_PATH) return this.#metrics(c);
    const route = this.#routes.get(`${c.req.method} ${path}`);
    if (route) return route(c);
    return this.#parts.options.exempt?.includes(path) ? null : this.#decided(c);
  }

  /** @param {Context} c */
  async #decided(c) {
    const sinceMs = performance.now();
    const { counters, credentials, autherSession, options, renewal } = this.#parts;
    const finding = await credentials.examine(authorizationOf(c), cookiesOf(c));
    const { person, claims } = finding;
    const user = person && (await options.findUser(person.userId, claims));
    if (renewal.isDue(c, finding) && (await renewal.personOf(claims)))
      return seeOther(c, `${START_PATH}?${new URLSearchParams({ return_to: targetOf(c), renew: "1" })}`);
    const decision = decide(person && !user ? { ...finding, kind: "disabled", reason: "disabled" } : finding);
    counters.decided(decision, "auther", isFromBrowser(c), { sinceMs });
    c.set("autherPath", decision.path);
    if (decision.dropCookie) await autherSession.end(c);
    c.set("autherUser", null);
    if (decision.answer !== "pass") return this.#refused(c, decision);
    if (user && decision.user) c.set("autherUser", { ...decision.user, user });
    return null;
  }

  /**
   * @param {Context} c
   * @param {Decision} decision
   */
  #refused(c, { answer, retryAfterS = 5 }) {
    if (answer === "verification_unavailable")
      return answerJson(c, 503, answer, { "Retry-After": String(retryAfterS) });
    if (answer === "identity_unlinked") return answerJson(c, 409, answer);
    if (answer === "login" && isNavigation(c))
      return seeOther(c, `${START_PATH}?${new URLSearchParams({ return_to: targetOf(c) })}`);
    return answerJson(c, 401, answer === "login" ? "invalid_token" : answer);
  }

  /** @param {Context} c */
  async #metrics(c) {
    const { counters, environment, settings } = this.#parts;
    const given = /^Bearer +(\S+) *$/i.exec(c.req.header("authorization") ?? "")?.[1];
    if (!environment.metricsToken || !given || !isSame(given, environment.metricsToken))
      return answerJson(c, 404, "not_found");
    return c.body(await counters.exposition(factsOf(settings, environment)), 200, {
      "Cache-Control": "no-store",
      "Content-Type": "text/plain; version=0.0.4; charset=utf-8",
    });
  }
}

/**
 * Never a fall-through: who names a credential means it.
 * @param {Finding} finding
 * @returns {Decision}
 */
function decide({ kind, place, reason, person, claims, retryAfterS }) {
  if (kind === "valid" && person) {
    const user = { userId: person.userId, credential: place, autherId: person.autherId, claims };
    return { path: "auther", outcome: "accepted", reason, answer: "pass", user };
  }
  if (kind === "absent") return { path: "none", outcome: "anonymous", reason, answer: "pass" };
  if (kind === "stale" && place === "cookie") {
    return { path: "none", outcome: "anonymous", reason, answer: "pass", dropCookie: true };
  }
  if (kind === "unavailable") {
    return { path: "auther", outcome: "unavailable", reason, answer: "verification_unavailable", retryAfterS };
  }
  if (kind === "foreign") return { path: "foreign", outcome: "refused", reason, answer: "foreign_bearer" };
  const dropCookie = place === "cookie";
  if (kind === "unlinked")
    return { path: "auther", outcome: "refused", reason, answer: "identity_unlinked", dropCookie };
  return { path: "auther", outcome: "refused", reason, answer: dropCookie ? "login" : "invalid_token", dropCookie };
}
