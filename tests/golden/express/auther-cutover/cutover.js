// Auther and Passport side by side: decides, in place of passport.session(), who a request acts for.
import { assemble } from "./assemble.js";
import { isSame } from "./attempts.js";
import { Background } from "./background.js";
import { CONTROL_HEADER, Control } from "./control.js";
import { DOUBLED, OTHER_SCHEME } from "./credentials.js";
import { decide } from "./decision.js";
import { Detector } from "./detector.js";
import { DoorClosed, Doors } from "./doors.js";
import { Unavailable } from "./errors.js";
import { EXCHANGE_PATH } from "./exchange.js";
import { LOGOUT_PATH, Login, START_PATH } from "./login.js";
import { Passwords } from "./passwords.js";
import { fromClaims, ofApiKey } from "./permissions.js";
import { answerJson, authorizationOf, isFromBrowser, isNavigation, pathOf, seeOther, wantsPage } from "./request.js";
import { check, readEnvironment, settings as baked } from "./settings.js";
import { acceptsAuther, legacyIsOver } from "./stage.js";
import { CONFLICT_PATH, TwoSides } from "./two-sides.js";

/** @typedef {import("express").Request} Request */
/** @typedef {import("express").Response} Response */
/** @typedef {import("./types.js").Decision} Decision */
/** @typedef {import("./types.js").Finding} Finding */
/** @typedef {import("./types.js").StageView} StageView */

/** @typedef {import("./express.js").Options} Options */
/** @typedef {import("./express.js").Parts} Parts */

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
  #routes;

  /** @param {Parts} parts */
  constructor(parts) {
    const { environment, legacy, log, options, settings, side } = parts;
    this.#parts = parts;
    const login = new Login(parts);
    const sides = new TwoSides(parts, login);
    this.#sides = sides;
    this.#doors = new Doors(parts);
    this.#passwords = new Passwords(parts);
    this.#control = new Control(environment.controlSecret);
    this.#detector = new Detector(legacy, options, log);
    this.#background = new Background(side, settings, () => this.#facts(), log);
    /** @type {Record<string, (req: Request, res: Response, view: StageView) => unknown>} */
    const routes = {
      [`GET ${START_PATH}`]: (_req, res, view) => login.start(res, view),
      [`GET ${new URL(settings.redirectUri).pathname}`]: (_req, res, view) => login.callback(res, view),
      [`GET ${EXCHANGE_PATH}`]: (_req, res, view) => login.exchange(res, view),
      [`POST ${LOGOUT_PATH}`]: (_req, res) => login.logout(res),
      [`GET ${CONFLICT_PATH}`]: (req, res) => sides.conflict(req, res),
      [`POST ${CONFLICT_PATH}`]: (req, res, view) => sides.clear(req, res, view),
    };
    this.#routes = new Map(Object.entries(routes));
  }

  /**
   * The middleware, in place of `passport.session()`: behind express-session, before everything that looks at users.
   * @returns {import("express").RequestHandler}
   */
  session() {
    return async (req, res, next) => {
      if (!(await this.#answered(req, res))) next();
    };
  }

  /**
   * Answers closed doors and outages; before your own error handler.
   * @returns {import("express").ErrorRequestHandler}
   */
  errors() {
    return (error, req, res, next) => {
      if (res.headersSent) return next(error);
      if (error instanceof Unavailable) return this.#unavailable(res, error.retryAfterS);
      if (!(error instanceof DoorClosed)) return next(error);
      if (wantsPage(req)) return seeOther(res, this.#sides.startPathFor(req));
      answerJson(res, 403, "login_moved");
    };
  }

  /**
   * For your login page: the side on which this browser signs in.
   * @param {Request} req
   * @param {Response} res
   * @param {{ cohort?: string }} [options] `cohort`: a group of your own making (a tenant, the staff) that the switch may
   *   move first.
   */
  loginTarget(req, res, { cohort } = {}) {
    return this.#sides.target(req, res, this.#parts.stage.now(), cohort);
  }

  /**
   * Whether a password is right, wherever it is kept. Use it in your strategy instead of your comparison, and hand what it
   * throws to `done`.
   * @param {string | number} userId
   * @param {string} password
   * @param {() => boolean | Promise<boolean>} compare
   */
  checkPassword(userId, password, compare) {
    return this.#passwords.check(String(userId), password, compare);
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
    this.#doors.guard(req);
    const view = this.#view();
    if (!view) return this.#withoutStage(path, req, res);
    // Before the decision, on the same counting line: it proves that legacy use would be seen.
    if (this.#control.accepts(req.headers[CONTROL_HEADER])) return this.#controlled(req, res, view);
    const route = this.#routes.get(`${req.method} ${path}`);
    if (route) {
      await route(req, res, view);
      return true;
    }
    return this.#isExempt(path) ? false : this.#decided(req, res, view);
  }

  /**
   * @param {Request} req
   * @param {Response} res
   * @param {StageView} view
   */
  async #decided(req, res, view) {
    const sinceMs = performance.now();
    const { credentials, renewal } = this.#parts;
    const found = await credentials.examine(authorizationOf(req), req.headers.cookie, {
      acceptsAuther: acceptsAuther(view),
    });
    const { finding, user } = await this.#withUser(found);
    const session = await this.#sessionFor(req, res, view, finding);
    if (view.stage !== "legacy" && renewal.isDue(res, finding) && (await this.#renews(req, res, finding, session)))
      return true;
    const handsForeignOn = finding.kind === "foreign" && finding !== DOUBLED && this.#isForeignPath(pathOf(req));
    const decision = decide(session, finding, { legacyIsOver: legacyIsOver(view), handsForeignOn });
    this.#parts.counters.decided(decision, view.stage, isFromBrowser(req), { sinceMs });
    if (decision.answer === "pass")
      res.once("finish", () => this.#parts.counters.answered(decision.path, res.statusCode));
    return this.#act(req, res, view, decision, user);
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
   * @param {Request} req
   * @param {Response} res
   * @param {StageView} view
   * @param {Finding} finding
   * @returns {Promise<import("./types.js").LegacySession | null>}
   */
  async #sessionFor(req, res, view, { kind, reason }) {
    const { ended, exchange, legacy } = this.#parts;
    if (kind !== "absent" && kind !== "stale" && kind !== "valid") return null;
    // Nobody is asked any more whose session it is.
    if (legacyIsOver(view)) return legacy.present(req) ? { userId: "" } : null;
    const admits = view.stage === "drain" && exchange.isOpen(view) && kind !== "valid" && reason !== OTHER_SCHEME;
    const session = (await legacy.read(req, res)) ?? (admits ? await legacy.admitRemembered(req) : null);
    if (session && view.stage !== "legacy" && (await ended.has(session.userId))) {
      legacy.forget(req, res);
      return null;
    }
    return session;
  }

  /**
   * @param {Request} req
   * @param {Response} res
   * @param {Finding} finding
   * @param {import("./types.js").LegacySession | null} session
   */
  async #renews(req, res, { claims }, session) {
    const person = await this.#parts.renewal.personOf(claims);
    if (!person || (session && session.userId !== person.userId)) return false;
    seeOther(res, `${START_PATH}?${new URLSearchParams({ return_to: req.originalUrl, renew: "1" })}`);
    return true;
  }

  /**
   * @param {Request} req
   * @param {Response} res
   * @param {StageView} view
   * @param {Decision} decision
   * @param {object} [autherUser]
   */
  async #act(req, res, view, decision, autherUser) {
    const { autherSession, exchange, legacy } = this.#parts;
    if (decision.dropCookie) await autherSession.end(res);
    if (decision.forgetLegacy) legacy.forget(req, res);
    if (decision.answer !== "pass") return this.#refuse(req, res, view, decision);
    if (decision.path === "foreign" && decision.outcome === "accepted") legacy.hide(req);
    req.auther = decision.user ?? null;
    if (autherUser && decision.user) req.user = autherUser;
    if (decision.user?.credential === "session") {
      this.#background.saw(decision.user.userId);
      return Boolean(await exchange.offer(res, view, decision.user.userId));
    }
    return decision.path === "none" && this.#offersToRemembered(req, res, view);
  }

  /**
   * Who is only remembered gets a session at Auther, and none here.
   * @param {Request} req
   * @param {Response} res
   * @param {StageView} view
   */
  async #offersToRemembered(req, res, view) {
    const { exchange, legacy } = this.#parts;
    if (view.stage === "legacy" || !isNavigation(req) || !legacy.hasRememberCookie(req)) return false;
    const userId = await legacy.remembered(req);
    return userId !== null && Boolean(await exchange.offer(res, view, userId));
  }

  /**
   * @param {Request} req
   * @param {Response} res
   * @param {StageView} view
   * @param {Decision} decision
   */
  #refuse(req, res, view, { answer, retryAfterS }) {
    delete req.user;
    req.auther = null;
    if (answer === "verification_unavailable") return this.#unavailable(res, retryAfterS ?? 5);
    if (answer === "identity_unlinked") return said(answerJson(res, 409, answer));
    if (isNavigation(req)) {
      if (answer === "conflict_page") return said(seeOther(res, CONFLICT_PATH));
      if (answer === "login" || answer === "legacy_ended") {
        // The login page itself must not redirect to the login page.
        if (pathOf(req) === this.#parts.options.loginPath) return false;
        return said(seeOther(res, this.#sides.path(req, res, view)));
      }
    }
    const toPrograms = { login: "invalid_token", conflict_page: "auth_conflict" };
    return said(answerJson(res, 401, toPrograms[/** @type {keyof typeof toPrograms} */ (answer)] ?? answer));
  }

  /**
   * @param {Response} res
   * @param {number} retryAfterS
   */
  #unavailable(res, retryAfterS) {
    return said(answerJson(res, 503, "verification_unavailable", { "Retry-After": String(Math.ceil(retryAfterS)) }));
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
   * @param {string} path
   * @param {Request} req
   * @param {Response} res
   */
  #withoutStage(path, req, res) {
    if (this.#isExempt(path)) return false;
    this.#parts.counters.decided(UNKNOWN_STAGE, "unknown", isFromBrowser(req));
    return this.#unavailable(res, this.#parts.settings.stageEveryS);
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
   * @param {Request} req
   * @param {Response} res
   * @param {StageView} view
   */
  async #controlled(req, res, view) {
    this.#parts.counters.decided(SEEN_AS_LEGACY, view.stage, isFromBrowser(req), { synthetic: true });
    // Whichever process is asked for the counters next must know.
    await this.#parts.counters.save();
    return said(res.status(204).set("Cache-Control", "no-store").end());
  }

  /**
   * @param {Request} req
   * @param {Response} res
   */
  async #metrics(req, res) {
    const { counters, environment } = this.#parts;
    const given = /^Bearer +(\S+) *$/i.exec(req.headers.authorization ?? "")?.[1];
    if (!environment.metricsToken || !given || !isSame(given, environment.metricsToken)) {
      return said(answerJson(res, 404, "not_found"));
    }
    const facts = this.#facts() ?? { ...this.#own(), stage: "unknown", epoch: 0, source: "none" };
    const text = await counters.exposition(facts, { auth_detector_sees_fixture: this.#detector.sees });
    return said(res.set("Cache-Control", "no-store").type("text/plain; version=0.0.4; charset=utf-8").send(text));
  }

  #facts() {
    const view = this.#view();
    return view && { ...this.#own(), stage: view.stage, epoch: view.epoch, source: view.origin };
  }

  #own() {
    const { environment, settings } = this.#parts;
    return { instance: environment.instance, build: settings.build, baked: settings.bakedStage };
  }
}

/** @param {unknown} _answer It was answered. */
const said = (_answer) => true;
