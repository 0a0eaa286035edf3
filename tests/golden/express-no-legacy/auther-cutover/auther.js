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
import { Cookies, answerJson, authorizationOf, isFromBrowser, isNavigation, pathOf, seeOther } from "./request.js";
import { check, factsOf, readEnvironment, settings as baked } from "./settings.js";
import { TokenVerifier } from "./tokens.js";

/** @typedef {import("express").Request} Request */
/** @typedef {import("express").Response} Response */
/** @typedef {import("./express.js").Options} Options */
/** @typedef {import("./express.js").Parts} Parts */
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
    /** @type {Record<string, (req: Request, res: Response) => Promise<Response>>} */
    const routes = {
      [`GET ${START_PATH}`]: (_req, res) => login.start(res),
      [`GET ${new URL(parts.settings.redirectUri).pathname}`]: (_req, res) => login.callback(res),
      [`POST ${LOGOUT_PATH}`]: (_req, res) => login.logout(res),
    };
    this.#routes = new Map(Object.entries(routes));
  }

  /**
   * The middleware: gives the request `user` and `auther`, or answers it.
   * @returns {import("express").RequestHandler}
   */
  session() {
    return async (req, res, next) => {
      if (!(await this.#answered(req, res))) next();
    };
  }

  /**
   * Whether a request may do something, where Auther decides about permissions: for a person from the token's claims, for
   * a program from Auther's answer about its API key. Anything but "allowed" is a refusal.
   * @param {Request} req
   * @param {string} permission
   * @param {string} type
   * @param {string} id
   */
  async permission(req, permission, type, id) {
    const { settings } = this.#parts;
    if (!settings.delegatePermissions) return "unknown";
    const apiKey = req.auther ? "" : String(req.headers["x-api-key"] ?? "");
    if (apiKey) return ofApiKey(settings, apiKey, { permission, type, id });
    return fromClaims(req.auther?.claims, permission, type, id);
  }

  /**
   * @param {Request} req
   * @param {Response} res
   */
  async #answered(req, res) {
    const path = pathOf(req);
    if (path === METRICS_PATH) return this.#metrics(req, res);
    const route = this.#routes.get(`${req.method} ${path}`);
    if (route) {
      await route(req, res);
      return true;
    }
    return this.#parts.options.exempt?.includes(path) ? false : this.#decided(req, res);
  }

  /**
   * @param {Request} req
   * @param {Response} res
   */
  async #decided(req, res) {
    const sinceMs = performance.now();
    const { counters, credentials, autherSession, options, renewal } = this.#parts;
    const finding = await credentials.examine(authorizationOf(req), req.headers.cookie);
    const { person, claims } = finding;
    const user = person && (await options.findUser(person.userId, claims));
    if (renewal.isDue(res, finding) && (await renewal.personOf(claims))) {
      seeOther(res, `${START_PATH}?${new URLSearchParams({ return_to: req.originalUrl, renew: "1" })}`);
      return true;
    }
    const decision = decide(person && !user ? { ...finding, kind: "disabled", reason: "disabled" } : finding);
    counters.decided(decision, "auther", isFromBrowser(req), { sinceMs });
    if (decision.answer === "pass") res.once("finish", () => counters.answered(decision.path, res.statusCode));
    if (decision.dropCookie) await autherSession.end(res);
    if (decision.answer !== "pass") return this.#refuse(req, res, decision);
    req.auther = decision.user ?? null;
    if (user) Object.assign(req, { user });
    return false;
  }

  /**
   * @param {Request} req
   * @param {Response} res
   * @param {Decision} decision
   */
  #refuse(req, res, { answer, retryAfterS = 5 }) {
    req.auther = null;
    if (answer === "verification_unavailable") answerJson(res, 503, answer, { "Retry-After": String(retryAfterS) });
    else if (answer === "identity_unlinked") answerJson(res, 409, answer);
    else if (answer === "login" && isNavigation(req))
      seeOther(res, `${START_PATH}?${new URLSearchParams({ return_to: req.originalUrl })}`);
    else answerJson(res, 401, answer === "login" ? "invalid_token" : answer);
    return true;
  }

  /**
   * @param {Request} req
   * @param {Response} res
   */
  async #metrics(req, res) {
    const { counters, environment, settings } = this.#parts;
    const given = /^Bearer +(\S+) *$/i.exec(req.headers.authorization ?? "")?.[1];
    if (!environment.metricsToken || !given || !isSame(given, environment.metricsToken)) {
      answerJson(res, 404, "not_found");
      return true;
    }
    const text = await counters.exposition(factsOf(settings, environment));
    res.set("Cache-Control", "no-store").type("text/plain; version=0.0.4; charset=utf-8").send(text);
    return true;
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
