// Auther and the application's own sessions side by side: decides who a request acts for.
import { assemble } from "./assemble.js";
import { isSame } from "./attempts.js";
import { Background } from "./background.js";
import { CONTROL_HEADER, Control } from "./control.js";
import { DOUBLED } from "./credentials.js";
import { decide } from "./decision.js";
import { Detector } from "./detector.js";
import { DoorClosed, Doors } from "./doors.js";
import { Unavailable } from "./errors.js";
import { EXCHANGE_PATH } from "./exchange.js";
import { LOGOUT_PATH, Login, START_PATH, withReturn } from "./login.js";
import { Passwords } from "./passwords.js";
import { fromClaims, ofApiKey } from "./permissions.js";
import { ThisProcess } from "./process.js";
import {
  answerJson,
  authorizationOf,
  cookiesOf,
  isFromBrowser,
  isNavigation,
  pathOf,
  seeOther,
  targetOf,
  wantsPage,
} from "./request.js";
import { check, readEnvironment, settings as baked } from "./settings.js";
import { acceptsAuther, legacyIsOver } from "./stage.js";
import { CONFLICT_PATH, TwoSides } from "./two-sides.js";

/** @typedef {import("hono").Context} Context */
/** @typedef {import("./types.js").Decision} Decision */
/** @typedef {import("./types.js").Finding} Finding */
/** @typedef {import("./types.js").StageView} StageView */
/** @typedef {{ userId: string, user: object | null }} Session Whom the application's own session names. */

/** @typedef {import("./hono.js").Options} Options */
/** @typedef {import("./hono.js").Parts} Parts */

const METRICS_PATH = "/migrator/metrics";
const SEEN_AS_LEGACY = /** @type {const} */ ({ path: "legacy", outcome: "accepted", reason: "", answer: "pass" });
const UNKNOWN_STAGE = /** @type {const} */ ({
  path: "none",
  outcome: "unavailable",
  reason: "verification_unavailable",
  answer: "verification_unavailable",
});

/**
 * @param {Options} options
 * @param {{ settings?: import("./types.js").Settings, environment?: import("./types.js").Environment }} [from] For tests.
 */
export function createCutover(options, { settings = baked, environment = readEnvironment() } = {}) {
  check(settings, environment);
  return new Cutover(assemble(options, settings, environment));
}

/** What the application uses. */
class Cutover {
  #parts;
  #sides;
  #doors;
  #passwords;
  #control;
  #detector;
  #background;
  #process;
  #routes;

  /** @param {Parts} parts */
  constructor(parts) {
    const { environment, log, options, settings, side } = parts;
    this.#parts = parts;
    const login = new Login(parts);
    const sides = new TwoSides(parts, login);
    this.#sides = sides;
    this.#doors = new Doors(parts);
    this.#passwords = new Passwords(parts);
    this.#control = new Control(environment.controlSecret);
    this.#detector = new Detector(options.sessions, log);
    this.#process = new ThisProcess(side, parts.counters, environment.instance, log);
    this.#background = new Background(side, settings, () => this.#facts(), this.#process, log);
    /** @type {Record<string, (c: Context, view: StageView) => Response | Promise<Response>>} */
    const routes = {
      [`GET ${START_PATH}`]: (c, view) => login.start(c, view),
      [`GET ${new URL(settings.redirectUri).pathname}`]: (c, view) => login.callback(c, view),
      [`GET ${EXCHANGE_PATH}`]: (c, view) => login.exchange(c, view),
      [`POST ${LOGOUT_PATH}`]: (c) => login.logout(c),
      [`GET ${CONFLICT_PATH}`]: (c) => sides.conflict(c),
      [`POST ${CONFLICT_PATH}`]: (c, view) => sides.clear(c, view),
    };
    this.#routes = new Map(Object.entries(routes));
  }

  /**
   * The middleware: before everything that looks at users. It sets the variable `autherUser`.
   * @returns {import("hono").MiddlewareHandler}
   */
  middleware() {
    return async (c, next) => {
      const over = this.#process.serving();
      try {
        return await this.#served(c, next);
      } finally {
        over();
      }
    };
  }

  /**
   * For your login page: the side on which this browser signs in.
   * @param {Context} c
   * @param {{ cohort?: string }} [options] A group of your own making (a tenant, the staff) that the switch may move first.
   */
  loginTarget(c, { cohort } = {}) {
    return this.#sides.target(c, this.#parts.stage.now(), cohort);
  }

  /**
   * At each door, just before a session gains a user. Where it throws, let it pass: the middleware answers.
   * @param {Context} c
   * @param {string | number} userId
   * @param {{ door: string, returnTo?: string }} options `door` is a counter's label: a short, closed list.
   */
  admit(c, userId, options) {
    return this.#doors.enter(c, String(userId), options);
  }

  /**
   * Whether a password is right, wherever it is kept. Use it instead of your comparison, and let it throw.
   * @param {string | number} userId
   * @param {string} password
   * @param {() => boolean | Promise<boolean>} compare
   */
  checkPassword(userId, password, compare) {
    return this.#passwords.check(String(userId), password, compare);
  }

  /**
   * For your own logout, beside its own work: ends Auther's side of this browser.
   * @param {Context} c
   */
  async endAuther(c) {
    await this.#parts.autherSession.end(c);
  }

  /**
   * For a reset link in flight: call it before you consume the link. A URL is where to send the person who has moved,
   * after the link was consumed; null: go on as ever. Throws, with the link still good, when Auther does not answer.
   * @param {string | number} userId
   * @param {string} page Auther's page that asks for the new password.
   * @returns {Promise<string | null>}
   */
  async resetTarget(userId, page) {
    const { environment, people, plugin, stage } = this.#parts;
    const person = await people.linked(String(userId));
    if (!person || person.pinned || !(await this.#passwords.isKeptAtAuther(person, stage.now()))) return null;
    const body = { id: person.autherId, redirect_to: page };
    return (await plugin.post("reset-ticket", environment.resetSecret, body, { timeoutS: 2 })).url;
  }

  /**
   * At the end of this process, after your server has closed: writes down what it counted, so that a deployment takes
   * nothing away. Never an error.
   */
  async close() {
    await this.#background.stop();
    await this.#process.end(() => this.#parts.counters.last(this.#told()));
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
   * @param {import("hono").Next} next
   */
  async #served(c, next) {
    const answer = await this.#answer(c);
    if (answer) return answer;
    await next();
    // Hono hands errors to `onError` before they come here; whatever that made of one of ours is replaced.
    const ours = c.error && this.#toError(c, c.error);
    if (ours) {
      c.res = undefined;
      c.res = ours;
    }
    this.#parts.counters.answered(c.get("autherPath"), c.res.status);
  }

  /**
   * @param {Context} c
   * @returns {Promise<Response | null>} null: the application answers.
   */
  async #answer(c) {
    const path = pathOf(c);
    const refused = this.#process.isKnown ? null : await this.#notWritten(c);
    if (refused) return this.#unavailable(c, refused.retryAfterS);
    if (path === METRICS_PATH) return this.#metrics(c);
    const view = this.#view();
    if (!view) return this.#withoutStage(c, path);
    // Before the decision, on the same counting line: it proves that legacy use would be seen.
    if (this.#control.accepts(c.req.header(CONTROL_HEADER))) return this.#controlled(c, view);
    const route = this.#routes.get(`${c.req.method} ${path}`);
    if (route) return route(c, view);
    return this.#isExempt(path) ? null : this.#decided(c, view);
  }

  /**
   * Why nobody's legacy session is accepted: this process could not be written down.
   * @param {Context} c
   */
  async #notWritten(c) {
    const problem = await this.#process.problem();
    return problem && (await this.#parts.options.sessions.holdsUser(c)) ? problem : null;
  }

  /**
   * @param {Context} c
   * @param {StageView} view
   */
  async #decided(c, view) {
    const sinceMs = performance.now();
    const { credentials, renewal } = this.#parts;
    const found = await credentials.examine(authorizationOf(c), cookiesOf(c), { acceptsAuther: acceptsAuther(view) });
    const { finding, user } = await this.#withUser(found);
    const session = await this.#sessionFor(c, view, finding);
    const renews = view.stage !== "legacy" && renewal.isDue(c, finding) && (await this.#renews(c, finding, session));
    if (renews) return renews;
    const handsForeignOn = finding.kind === "foreign" && finding !== DOUBLED && this.#isForeignPath(pathOf(c));
    const decision = decide(session, finding, { legacyIsOver: legacyIsOver(view), handsForeignOn });
    this.#parts.counters.decided(decision, view.stage, isFromBrowser(c), { sinceMs });
    c.set("autherPath", decision.path);
    return this.#act(c, view, decision, user ?? session?.user ?? null);
  }

  /**
   * Whom Auther's credential names must be a user whom the application lets in.
   * @param {Finding} finding
   * @returns {Promise<{ finding: Finding, user?: object }>}
   */
  async #withUser(finding) {
    if (finding.kind !== "valid" || !finding.person) return { finding };
    const user = await this.#parts.options.findUser(finding.person.userId, finding.claims);
    return user ? { finding, user } : { finding: { ...finding, kind: "disabled", reason: "disabled" } };
  }

  /**
   * @param {Context} c
   * @param {StageView} view
   * @param {Finding} finding
   * @returns {Promise<Session | null>}
   */
  async #sessionFor(c, view, { kind }) {
    const { ended, options } = this.#parts;
    if (kind !== "absent" && kind !== "stale" && kind !== "valid") return null;
    if (!(await options.sessions.holdsUser(c))) return null;
    // Nobody is asked any more whose session it is.
    if (legacyIsOver(view)) return { userId: "", user: null };
    const user = await options.sessions.read(c);
    if (!user) return null;
    const userId = String(options.userId(user));
    if (view.stage === "legacy" || !(await ended.has(userId))) return { userId, user };
    await options.sessions.forget(c, { keeps: true });
    return null;
  }

  /**
   * @param {Context} c
   * @param {Finding} finding
   * @param {Session | null} session
   */
  async #renews(c, { claims }, session) {
    const person = await this.#parts.renewal.personOf(claims);
    if (!person || (session && session.userId !== person.userId)) return null;
    return seeOther(c, `${START_PATH}?${new URLSearchParams({ return_to: targetOf(c), renew: "1" })}`);
  }

  /**
   * @param {Context} c
   * @param {StageView} view
   * @param {Decision} decision
   * @param {object | null} user
   */
  async #act(c, view, decision, user) {
    const { autherSession, exchange, options } = this.#parts;
    if (decision.dropCookie) await autherSession.end(c);
    if (decision.forgetLegacy) await options.sessions.forget(c, { keeps: true });
    c.set("autherUser", null);
    if (decision.answer !== "pass") return this.#refused(c, view, decision);
    // The application's own authenticator is to decide, so it finds no session and no cookie at all.
    if (decision.path === "foreign" && decision.outcome === "accepted") c.req.raw.headers.delete("cookie");
    if (!decision.user) return null;
    c.set("autherUser", { ...decision.user, user });
    if (decision.user.credential !== "session") return null;
    this.#background.saw(decision.user.userId);
    return exchange.offer(c, view, decision.user.userId);
  }

  /**
   * @param {Context} c
   * @param {StageView} view
   * @param {Decision} decision
   */
  #refused(c, view, { answer, retryAfterS }) {
    if (answer === "verification_unavailable") return this.#unavailable(c, retryAfterS ?? 5);
    if (answer === "identity_unlinked") return answerJson(c, 409, answer);
    if (isNavigation(c)) {
      if (answer === "conflict_page") return seeOther(c, CONFLICT_PATH);
      if (answer === "login" || answer === "legacy_ended") {
        // The login page itself must not redirect to the login page.
        return pathOf(c) === this.#parts.options.loginPath ? null : seeOther(c, this.#sides.path(c, view));
      }
    }
    const toPrograms = { login: "invalid_token", conflict_page: "auth_conflict" };
    return answerJson(c, 401, toPrograms[/** @type {keyof typeof toPrograms} */ (answer)] ?? answer);
  }

  /**
   * The answer to an error of ours that the application let pass; null for any other.
   * @param {Context} c
   * @param {Error} error
   */
  #toError(c, error) {
    if (error instanceof Unavailable) return this.#unavailable(c, error.retryAfterS);
    if (!(error instanceof DoorClosed)) return null;
    return wantsPage(c) ? seeOther(c, withReturn(START_PATH, error.returnTo)) : answerJson(c, 403, "login_moved");
  }

  /**
   * @param {Context} c
   * @param {number} retryAfterS
   */
  #unavailable(c, retryAfterS) {
    return answerJson(c, 503, "verification_unavailable", { "Retry-After": String(Math.ceil(retryAfterS)) });
  }

  /** @param {string} path */
  #isExempt(path) {
    return this.#parts.options.exempt?.includes(path) ?? false;
  }

  #view() {
    try {
      return this.#parts.stage.now();
    } catch (error) {
      if (error instanceof Unavailable) return null;
      throw error;
    }
  }

  /**
   * @param {Context} c
   * @param {string} path
   */
  #withoutStage(c, path) {
    if (this.#isExempt(path)) return null;
    this.#parts.counters.decided(UNKNOWN_STAGE, "unknown", isFromBrowser(c));
    return this.#unavailable(c, this.#parts.settings.stageEveryS);
  }

  /**
   * A prefix ends at a segment's border, and a path that a proxy could read differently is not below any.
   * @param {string} path
   */
  #isForeignPath(path) {
    if (/[\\%]|\/\/|\/\.\.?(\/|$)/.test(path)) return false;
    return this.#parts.settings.foreignPaths.some((prefix) => `${path}/`.startsWith(prefix.replace(/\/*$/, "/")));
  }

  /**
   * @param {Context} c
   * @param {StageView} view
   */
  async #controlled(c, view) {
    this.#parts.counters.decided(SEEN_AS_LEGACY, view.stage, isFromBrowser(c), { synthetic: true });
    // Whichever process is asked for the counters next must know.
    await this.#parts.counters.save();
    return c.body(null, 204, { "Cache-Control": "no-store" });
  }

  /** @param {Context} c */
  async #metrics(c) {
    const { counters, environment } = this.#parts;
    const given = /^Bearer +(\S+) *$/i.exec(c.req.header("authorization") ?? "")?.[1];
    if (!environment.metricsToken || !given || !isSame(given, environment.metricsToken)) {
      return answerJson(c, 404, "not_found");
    }
    const text = await counters.exposition(this.#told(), { auth_detector_sees_fixture: this.#detector.sees });
    return c.body(text, 200, {
      "Cache-Control": "no-store",
      "Content-Type": "text/plain; version=0.0.4; charset=utf-8",
    });
  }

  #facts() {
    const view = this.#view();
    return view && { ...this.#own(), stage: view.stage, epoch: view.epoch, source: view.origin };
  }

  #told() {
    return this.#facts() ?? { ...this.#own(), stage: "unknown", epoch: 0, source: "none" };
  }

  #own() {
    const { environment, settings } = this.#parts;
    return { instance: environment.instance, build: settings.build, baked: settings.bakedStage };
  }
}
