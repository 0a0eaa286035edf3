// The application's own side of a request: Passport's user in express-session, and the remember-me cookie.

/** @typedef {import("express").Request} Request */
/** @typedef {import("express").Response} Response */

/** Reads whom the session names, without letting it win, and takes the user out of it. */
export class LegacySide {
  #deserialize;

  /** @param {import("./express.js").Options} options */
  constructor({ passport, userId, sessionKey = "passport", ...remember }) {
    this.#deserialize = /** @type {import("express").RequestHandler} */ (passport.session());
    this.userId = userId;
    this.findUser = remember.findUser;
    this.sessionKey = sessionKey;
    this.rememberCookie = remember.rememberCookie ?? "";
    this.rememberCookieOptions = remember.rememberCookieOptions ?? {};
    this.rememberedUserId = remember.rememberedUserId;
  }

  /**
   * Whom the session names after Passport's own check: the application's deserializeUser looks at locked, unconfirmed
   * and deleted accounts. It becomes `req.user`; the caller takes it out again when it must not count.
   * @param {Request} req
   * @param {Response} res
   * @returns {Promise<import("./types.js").LegacySession | null>}
   */
  async read(req, res) {
    // Without any session Passport says what is missing.
    if (req.session && !this.holdsUser(req)) return null;
    await new Promise((resolve, reject) => {
      void this.#deserialize(req, res, (/** @type {unknown} */ error) => (error ? reject(error) : resolve(undefined)));
    });
    return req.user ? { userId: String(this.userId(req.user)) } : null;
  }

  /**
   * Whether the session holds a user, asking nobody. Anonymous visitors have sessions too. This is what counts as
   * legacy, and what the detection control checks.
   * @param {Request} req
   */
  holdsUser(req) {
    const user = /** @type {any} */ (req.session)?.[this.sessionKey]?.user;
    return user !== undefined && user !== null && user !== "";
  }

  /**
   * Whether the browser has any legacy credential.
   * @param {Request} req
   */
  present(req) {
    return this.holdsUser(req) || this.hasRememberCookie(req);
  }

  /** @param {Request} req */
  hasRememberCookie({ headers }) {
    return (
      this.rememberCookie !== "" && new RegExp(`(^|; *)${escape(this.rememberCookie)}=[^;]`).test(headers.cookie ?? "")
    );
  }

  /**
   * Whom the remember-me cookie names, without a session for them.
   * @param {Request} req
   */
  async remembered(req) {
    const userId = this.hasRememberCookie(req) ? await this.rememberedUserId?.(req) : null;
    return userId == null ? null : String(userId);
  }

  /**
   * Whom session or remember-me name.
   * @param {import("./request.js").Visit} visit
   */
  async userIdOf(visit) {
    const session = await this.read(visit.req, visit);
    return session ? session.userId : this.remembered(visit.req);
  }

  /**
   * In drain no session gains a user any more. Whom the browser remembers stays signed in all the same, request by
   * request: in a second tab, in a script, while Auther is away.
   * @param {Request} req
   * @returns {Promise<import("./types.js").LegacySession | null>}
   */
  async admitRemembered(req) {
    const userId = await this.remembered(req);
    const user = userId === null ? null : await this.findUser(userId);
    if (userId === null || !user) return null;
    req.user = user;
    return { userId };
  }

  /**
   * Takes the user, and only the user, out of session and browser: cart and CSRF token belong to the visitor.
   * @param {Request} req
   * @param {Response} res
   */
  forget(req, res) {
    if (this.holdsUser(req)) delete (/** @type {any} */ (req.session)[this.sessionKey]);
    if (this.hasRememberCookie(req)) this.forgetBrowser(res);
    delete req.user;
  }

  /**
   * In this browser only: others stay remembered.
   * @param {Response} res
   */
  forgetBrowser(res) {
    if (this.rememberCookie) res.clearCookie(this.rememberCookie, { path: "/", ...this.rememberCookieOptions });
  }

  /**
   * Ends the session for somebody who has just signed in elsewhere: the id is a new one, so that nobody who knew the
   * old one follows. The own cart stays, somebody else's session goes as a whole.
   * @param {import("./request.js").Visit} visit
   * @param {{ keeps: boolean }} options
   */
  async end(visit, { keeps }) {
    const { req } = visit;
    this.forget(req, visit);
    if (!req.session) return;
    const kept = Object.entries(req.session).filter(([name]) => name !== "cookie" && name !== "__proto__");
    await new Promise((resolve, reject) => {
      req.session.regenerate((/** @type {unknown} */ error) => (error ? reject(error) : resolve(undefined)));
    });
    if (keeps) Object.assign(req.session, Object.fromEntries(kept));
  }

  /**
   * For a request that the application's own authenticator decides: it finds no session and no cookie at all.
   * express-session leaves the stored session alone when the request has none, but for `unset: "destroy"`: without an
   * id it cannot.
   * @param {Request} req
   */
  hide(req) {
    Object.assign(req, { session: undefined, sessionID: undefined, cookies: {}, signedCookies: {} });
    delete req.headers.cookie;
    delete req.user;
  }
}

/** @param {string} text */
const escape = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
