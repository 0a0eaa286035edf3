// The browser's way to Auther and back, and out of both sides. These paths are answered without asking who it is.
import { ATTEMPT_S, LoginFailed, safeReturnPath } from "./attempts.js";
import { Unavailable } from "./errors.js";
import { answerPage, isSameOrigin, seeOther } from "./request.js";
import { legacyIsOver } from "./stage.js";

/** @typedef {import("express").Request} Request */
/** @typedef {import("express").Response} Response */
/** @typedef {import("./attempts.js").Attempt} Attempt */
/** @typedef {import("./types.js").StageView} StageView */

export const START_PATH = "/auth/auther/start";
export const LOGOUT_PATH = "/auth/auther/logout";

/** Handlers of our own paths. */
export class Login {
  /** @param {import("./express.js").Parts} parts */
  constructor(parts) {
    this.parts = parts;
  }

  /**
   * @param {Request} req
   * @param {Response} res
   * @param {StageView} view
   */
  async start(req, res, view) {
    const { attempts, cookies, renewal, settings } = this.parts;
    const returnTo = this.#clean(req.query.return_to);
    if (view.stage === "legacy") return seeOther(res, withReturn(this.parts.options.loginPath, returnTo));
    const renew = req.query.renew === "1" ? await renewal.subFor(res) : undefined;
    if (renew) renewal.tried(res);
    const { attempt, name, value } = await attempts.start(returnTo, renew ? { renew } : {});
    cookies.setWhole(res, name, value, ATTEMPT_S);
    seeOther(res, `${settings.authorizeUrl}?${attempts.query(attempt)}`);
  }

  /**
   * @param {Request} req
   * @param {Response} res
   * @param {StageView} view
   */
  async callback(req, res, view) {
    const { attempts, cookies } = this.parts;
    const attempt = await attempts.find(req.query.state, req.headers.cookie);
    if (!attempt) return this.fail(res, new LoginFailed("state"));
    // Once: going back to this page begins nothing again.
    res.clearCookie(attempts.cookie(attempt.state), cookies.attributes);
    try {
      await this.#complete(req, res, attempt, view);
    } catch (error) {
      this.#failed(res, attempt, error);
    }
  }

  /**
   * Back from Auther's exchange/start.
   * @param {Request} req
   * @param {Response} res
   * @param {StageView} view
   */
  async exchange(req, res, view) {
    const attempt = await this.parts.attempts.find(req.query.state, req.headers.cookie);
    if (!attempt?.exchange) return this.fail(res, new LoginFailed("state"));
    return this.parts.exchange.resume(req, res, view, attempt);
  }

  /**
   * @param {Request} req
   * @param {Response} res
   * @param {Attempt} attempt
   * @param {StageView} view
   */
  async #complete(req, res, attempt, view) {
    const { attempts, counters, people, renewal, settings } = this.parts;
    const { code, error } = req.query;
    if (error !== undefined || typeof code !== "string" || !code) throw new LoginFailed("refused_by_auther");
    if (view.stage === "legacy" && attempt.exchange) throw new LoginFailed("stage", 403);
    if (view.stage === "legacy") return seeOther(res, withReturn(this.parts.options.loginPath, attempt.returnTo));
    const token = await attempts.redeem(attempt, code);
    const { person, claims } = await this.#personOf(token, attempt);
    if (attempt.renew && attempt.renew !== person.autherId) return this.#otherUser(res);
    if (attempt.exchange && attempt.exchange !== person.userId) throw new LoginFailed("other_user", 403);
    await this.#endLegacy(req, res, view, person.userId);
    await people.signedIn(person, { moves: view.stage === "dual" || view.stage === "drain" });
    if (attempt.exchange) this.parts.exchange.succeeded(res);
    await this.parts.autherSession.keep(res, token, claims.exp);
    counters.add("auth_logins_total", { door: attempt.exchange ? "exchange" : "callback", side: "auther" });
    if (attempt.renew) renewal.succeeded(res);
    seeOther(res, safeReturnPath(attempt.returnTo, settings.afterLogin));
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
   * @param {Request} req
   * @param {Response} res
   * @param {StageView} view
   * @param {string} userId
   */
  async #endLegacy(req, res, view, userId) {
    const { legacy } = this.parts;
    const session = legacyIsOver(view) ? null : await legacy.read(req, res);
    await legacy.renew(req, res, { keeps: session === null || session.userId === userId });
  }

  /**
   * Somebody else is signed in at Auther: neither side is used for this browser's expired login.
   * @param {Response} res
   */
  async #otherUser(res) {
    this.parts.counters.add("auth_renewals_total", { result: "other_user" });
    await this.parts.autherSession.end(res);
    this.fail(res, new LoginFailed("other_user", 403));
  }

  /**
   * @param {Response} res
   * @param {Attempt} attempt
   * @param {any} error
   */
  #failed(res, attempt, error) {
    const known = error instanceof Unavailable ? new LoginFailed("verification_unavailable", 503) : error;
    if (!(known instanceof LoginFailed)) throw error;
    if (attempt.exchange) return this.parts.exchange.giveUp(res, attempt, known.reason);
    if (attempt.renew) this.parts.counters.add("auth_renewals_total", { result: "failed" });
    this.fail(res, known, error.retryAfterS);
  }

  /**
   * @param {Response} res
   * @param {LoginFailed} error
   * @param {number} [retryAfterS]
   */
  fail(res, { reason, status }, retryAfterS = 5) {
    this.parts.log({ event: "auther_login_failed", reason });
    this.parts.counters.add("auth_logins_failed_total", { reason });
    if (status === 503) res.set("Retry-After", String(retryAfterS));
    answerPage(res, status, {
      title: "The sign-in was not completed",
      body: `<p>You have not been signed in. The reason: <code>${reason}</code>.</p><p><a href="${START_PATH}">Try again</a></p>`,
    });
  }

  /**
   * Ends both sides in this browser, and Auther's own session.
   * @param {Request} req
   * @param {Response} res
   */
  async logout(req, res) {
    if (!isSameOrigin(req, this.parts.settings)) return forbidden(res);
    this.parts.counters.add("auth_logouts_total", { auther: await this.parts.autherSession.endAtAuther(res) });
    await this.end(res);
    seeOther(res, this.parts.settings.afterLogin);
  }

  /** @param {Response} res */
  async end(res) {
    await this.parts.autherSession.end(res);
    await this.parts.legacy.renew(res.req, res, { keeps: false });
    this.parts.legacy.forgetBrowser(res);
  }

  /** @param {unknown} path */
  #clean(path) {
    return safeReturnPath(path, this.parts.settings.afterLogin);
  }
}

/**
 * @param {string} path
 * @param {string} returnTo
 */
export const withReturn = (path, returnTo) =>
  returnTo ? `${path}?${new URLSearchParams({ return_to: returnTo })}` : path;

/** @param {Response} res */
export function forbidden(res) {
  res.status(403).set("Cache-Control", "no-store").json({ error: "csrf" });
}
