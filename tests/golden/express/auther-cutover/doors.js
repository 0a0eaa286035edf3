// Every way into Passport ends where a session gains a user, in `req.logIn`: forms, remember-me, reset links,
// registration. So that is where legacy sign-ins are counted, and closed by stage.
import { issuesLegacy } from "./stage.js";
import { pathOf, wantsPage } from "./request.js";

/** @typedef {import("express").Request} Request */
/** @typedef {import("express").Response} Response */
/** @typedef {import("./types.js").StageView} StageView */

/** A closed door, as an error, so that no session is made whatever the caller does. `errors()` answers it. */
export class DoorClosed extends Error {
  constructor() {
    super("login_moved");
    this.status = 403;
    this.expose = true;
  }
}

/** Stands in front of Passport's own `logIn` and `logOut`. */
export class Doors {
  #methods;
  /** @type {import("express").Application | null} */ #guardedApp = null;

  /** @param {import("./express.js").Parts} parts */
  constructor(parts) {
    this.parts = parts;
    this.#methods = this.#guarded(methodsOf(parts.options.passport));
  }

  /**
   * Gives requests Passport's methods (`logIn`, `isAuthenticated`, …) behind our doors; Passport keeps what it finds there.
   * In the place that Express has for it, once: on each request it would cost more than all the rest.
   * @param {Request} req
   */
  guard(req) {
    const app = rootOf(req.app);
    if (this.#guardedApp !== app) Object.assign(app.request, this.#methods);
    this.#guardedApp = app;
    // A passport.initialize() in front of us has given this request open doors.
    if (/** @type {any} */ (req).logIn !== this.#methods.logIn) Object.assign(req, this.#methods);
  }

  /** @param {Record<string, any>} methods */
  #guarded(methods) {
    const { logIn, logOut } = methods;
    const doors = this;
    /** @type {(this: any, user: any, options?: any, done?: any) => unknown} */
    const guarded = function (user, options, done) {
      if (typeof options === "function") return guarded.call(this, user, {}, options);
      // No session gains a user: HTTP Basic and the like.
      if (options?.session === false) return logIn.call(this, user, options, done);
      return doors.#enter(this, this.res, { user, door: options?.door }).then(
        () => logIn.call(this, user, options, done),
        (error) => done(error),
      );
    };
    /** @type {(this: any, ...args: any[]) => unknown} */
    const leave = function (...args) {
      return doors.parts.autherSession.end(this.res).then(
        () => logOut.apply(this, args),
        (error) => args.at(-1)(error),
      );
    };
    return { ...methods, logIn: guarded, login: guarded, logOut: leave, logout: leave };
  }

  /**
   * @param {Request} req
   * @param {Response} res
   * @param {{ user: object, door?: string }} who
   */
  async #enter(req, res, { user, door }) {
    const { counters, ended, legacy, options, autherSession } = this.parts;
    const view = this.parts.stage.now();
    const userId = String(options.userId(user));
    const name = door ?? Object.entries(options.doors ?? {}).find(([path]) => path === pathOf(req))?.[1] ?? "other";
    if (!(await this.#isOpen(req, view, userId))) {
      counters.add("auth_logins_refused_total", { door: name, stage: view.stage });
      if (name === "remember_me") legacy.forgetBrowser(res);
      throw new DoorClosed();
    }
    // Two sides at once in one browser would be a conflict from the next request on.
    await autherSession.end(res);
    ended.forget(userId);
    counters.add("auth_logins_total", { door: name, side: "legacy" });
  }

  /**
   * @param {Request} req
   * @param {StageView} view
   * @param {string} userId
   */
  async #isOpen(req, view, userId) {
    if (view.stage === "auther") return false;
    if (view.stage === "legacy") return true;
    const person = await this.parts.people.linked(userId);
    if (view.stage === "drain") return person?.pinned === true || (!wantsPage(req) && this.#jsonDoorsAreOpen());
    // Old programs cannot follow a redirect, so what answers JSON stays open for everybody in `dual`.
    return issuesLegacy(view) && (person?.home !== "auther" || !wantsPage(req));
  }

  #jsonDoorsAreOpen() {
    const until = this.parts.settings.jsonDoorsUntil;
    return until !== "" && Date.now() < Date.parse(until);
  }
}

/**
 * Applications that are mounted in another one inherit from its requests, and hand them back to it.
 * @param {any} app
 * @returns {any}
 */
const rootOf = (app) => (app.parent ? rootOf(app.parent) : app);

/**
 * What Passport puts on each request, once for all of them.
 * @param {import("passport").PassportStatic} passport
 * @returns {Record<string, any>}
 */
function methodsOf(passport) {
  const request = /** @type {any} */ ({});
  passport.initialize({ compat: false })(request, /** @type {any} */ ({}), () => {});
  return request;
}
