// The browser's way to Auther and back, and out of both sides. These paths are answered without asking who it is.
import { ATTEMPT_S, LoginFailed, safeReturnPath } from "./attempts.js";
import { Unavailable } from "./errors.js";
import { answerPage, cookiesOf, isSameOrigin, seeOther } from "./request.js";
import { legacyIsOver } from "./stage.js";

/** @typedef {import("hono").Context} Context */
/** @typedef {import("./attempts.js").Attempt} Attempt */
/** @typedef {import("./types.js").StageView} StageView */

export const START_PATH = "/auth/auther/start";
export const LOGOUT_PATH = "/auth/auther/logout";

/** Handlers of our own paths. */
export class Login {
  /** @param {import("./hono.js").Parts} parts */
  constructor(parts) {
    this.parts = parts;
  }

  /**
   * @param {Context} c
   * @param {StageView} view
   */
  async start(c, view) {
    const { attempts, cookies, renewal, settings } = this.parts;
    const returnTo = safeReturnPath(c.req.query("return_to"), settings.afterLogin);
    if (view.stage === "legacy") return seeOther(c, withReturn(this.parts.options.loginPath, returnTo));
    const renew = c.req.query("renew") === "1" ? await renewal.subFor(c) : undefined;
    if (renew) renewal.tried(c);
    const { attempt, name, value } = await attempts.start(returnTo, renew ? { renew } : {});
    cookies.setWhole(c, name, value, ATTEMPT_S);
    return seeOther(c, `${settings.authorizeUrl}?${attempts.query(attempt)}`);
  }

  /**
   * @param {Context} c
   * @param {StageView} view
   */
  async callback(c, view) {
    const { attempts, cookies } = this.parts;
    const attempt = await attempts.find(c.req.query("state"), cookiesOf(c));
    if (!attempt) return this.fail(c, new LoginFailed("state"));
    // Once: going back to this page begins nothing again.
    cookies.dropWhole(c, attempts.cookie(attempt.state));
    try {
      return await this.#complete(c, attempt, view);
    } catch (error) {
      return this.#failed(c, attempt, error);
    }
  }

  /**
   * Back from Auther's exchange/start.
   * @param {Context} c
   * @param {StageView} view
   */
  async exchange(c, view) {
    const attempt = await this.parts.attempts.find(c.req.query("state"), cookiesOf(c));
    if (!attempt?.exchange) return this.fail(c, new LoginFailed("state"));
    return this.parts.exchange.resume(c, view, attempt);
  }

  /**
   * @param {Context} c
   * @param {Attempt} attempt
   * @param {StageView} view
   */
  async #complete(c, attempt, view) {
    const { attempts, counters, people, renewal, settings } = this.parts;
    const { code, error } = c.req.query();
    if (error !== undefined || !code) throw new LoginFailed("refused_by_auther");
    if (view.stage === "legacy" && attempt.exchange) throw new LoginFailed("stage", 403);
    if (view.stage === "legacy") return seeOther(c, withReturn(this.parts.options.loginPath, attempt.returnTo));
    const token = await attempts.redeem(attempt, code);
    const { person, claims } = await this.#personOf(token, attempt);
    if (attempt.renew && attempt.renew !== person.autherId) return this.#otherUser(c);
    if (attempt.exchange && attempt.exchange !== person.userId) throw new LoginFailed("other_user", 403);
    await this.#endLegacy(c, view, person.userId);
    await people.signedIn(person, { moves: view.stage === "dual" || view.stage === "drain" });
    if (attempt.exchange) this.parts.exchange.succeeded(c);
    await this.parts.autherSession.keep(c, token, claims.exp);
    counters.add("auth_logins_total", { door: attempt.exchange ? "exchange" : "callback", side: "auther" });
    if (attempt.renew) renewal.succeeded(c);
    return seeOther(c, safeReturnPath(attempt.returnTo, settings.afterLogin));
  }

  /**
   * @param {string} token
   * @param {Attempt} attempt
   */
  async #personOf(token, attempt) {
    const { attempts, credentials, verifier } = this.parts;
    // A token that the verifier refuses was not meant for this login, whatever is wrong with it.
    const claims = await verifier.verify(token).catch((error) => {
      throw error instanceof Unavailable ? error : new LoginFailed(error.reason ?? "malformed");
    });
    attempts.check(attempt, claims);
    const finding = await credentials.who(claims, "cookie");
    if (finding.kind === "unlinked") throw new LoginFailed(finding.reason, 409);
    const user = finding.person && (await this.parts.options.findUser(finding.person.userId, claims));
    if (!finding.person || !user) throw new LoginFailed(finding.reason || "disabled", 403);
    return { person: finding.person, claims };
  }

  /**
   * The other side's session ends first, so that a conflict later means abuse or a race and never an ordinary login.
   * @param {Context} c
   * @param {StageView} view
   * @param {string} userId
   */
  async #endLegacy(c, view, userId) {
    const { sessions } = this.parts.options;
    const user = legacyIsOver(view) || !(await sessions.holdsUser(c)) ? null : await sessions.read(c);
    const isOther = user != null && String(this.parts.options.userId(user)) !== userId;
    await sessions.forget(c, { keeps: !isOther });
  }

  /**
   * Somebody else is signed in at Auther: neither side is used for this browser's expired login.
   * @param {Context} c
   */
  async #otherUser(c) {
    this.parts.counters.add("auth_renewals_total", { result: "other_user" });
    await this.parts.autherSession.end(c);
    return this.fail(c, new LoginFailed("other_user", 403));
  }

  /**
   * @param {Context} c
   * @param {Attempt} attempt
   * @param {any} error
   */
  #failed(c, attempt, error) {
    const known = error instanceof Unavailable ? new LoginFailed("verification_unavailable", 503) : error;
    if (!(known instanceof LoginFailed)) throw error;
    if (attempt.exchange) return this.parts.exchange.giveUp(c, attempt, known.reason);
    if (attempt.renew) this.parts.counters.add("auth_renewals_total", { result: "failed" });
    return this.fail(c, known, error.retryAfterS);
  }

  /**
   * @param {Context} c
   * @param {LoginFailed} error
   * @param {number} [retryAfterS]
   */
  fail(c, { reason, status }, retryAfterS = 5) {
    this.parts.log({ event: "auther_login_failed", reason });
    this.parts.counters.add("auth_logins_failed_total", { reason });
    if (status === 503) c.header("Retry-After", String(retryAfterS));
    return answerPage(c, status, {
      title: "The sign-in was not completed",
      body: `<p>You have not been signed in. The reason: <code>${reason}</code>.</p><p><a href="${START_PATH}">Try again</a></p>`,
    });
  }

  /**
   * Ends both sides in this browser, and Auther's own session.
   * @param {Context} c
   */
  async logout(c) {
    if (!isSameOrigin(c, this.parts.settings)) return forbidden(c);
    this.parts.counters.add("auth_logouts_total", { auther: await this.parts.autherSession.endAtAuther(c) });
    await this.end(c);
    return seeOther(c, this.parts.settings.afterLogin);
  }

  /** @param {Context} c */
  async end(c) {
    await this.parts.autherSession.end(c);
    await this.parts.options.sessions.forget(c, { keeps: false });
  }
}

/**
 * @param {string} path
 * @param {string} returnTo
 */
export const withReturn = (path, returnTo) =>
  returnTo ? `${path}?${new URLSearchParams({ return_to: returnTo })}` : path;

/** @param {Context} c */
export const forbidden = (c) => c.json({ error: "csrf" }, 403, { "Cache-Control": "no-store" });
