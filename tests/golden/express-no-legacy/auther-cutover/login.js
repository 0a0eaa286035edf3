// The browser's way to Auther and back, and out of both sides. These paths are answered without asking who it is.
import { ATTEMPT_S, LoginFailed, safeReturnPath } from "./attempts.js";
import { Unavailable } from "./errors.js";
import { answerJson, answerPage, cookiesOf, isSameOrigin, queryOf, seeOther } from "./request.js";

/** @typedef {import("./request.js").Visit} Visit */
/** @typedef {import("./attempts.js").Attempt} Attempt */

export const START_PATH = "/auth/auther/start";
export const LOGOUT_PATH = "/auth/auther/logout";

/** Handlers of our own paths. */
export class Login {
  /** @param {import("./express.js").Parts} parts */
  constructor(parts) {
    this.parts = parts;
  }

  /**
   * @param {Visit} visit
   */
  async start(visit) {
    const { attempts, cookies, renewal, settings } = this.parts;
    const returnTo = safeReturnPath(queryOf(visit, "return_to"), settings.afterLogin);
    const renew = queryOf(visit, "renew") === "1" ? await renewal.subFor(visit) : undefined;
    if (renew) renewal.tried(visit);
    const { attempt, name, value } = await attempts.start(returnTo, renew ? { renew } : {});
    cookies.setWhole(visit, name, value, ATTEMPT_S);
    return seeOther(visit, `${settings.authorizeUrl}?${attempts.query(attempt)}`);
  }

  /**
   * @param {Visit} visit
   */
  async callback(visit) {
    const { attempts, cookies } = this.parts;
    const attempt = await attempts.find(queryOf(visit, "state"), cookiesOf(visit));
    if (!attempt) return this.fail(visit, new LoginFailed("state"));
    // Once: going back to this page begins nothing again.
    cookies.dropWhole(visit, attempts.cookie(attempt.state));
    try {
      return await this.#complete(visit, attempt);
    } catch (error) {
      return this.#failed(visit, attempt, error);
    }
  }

  /**
   * @param {Visit} visit
   * @param {Attempt} attempt
   */
  async #complete(visit, attempt) {
    const { attempts, counters, people, renewal, settings } = this.parts;
    const code = queryOf(visit, "code");
    if (queryOf(visit, "error") !== undefined || !code) throw new LoginFailed("refused_by_auther");
    const token = await attempts.redeem(attempt, code);
    const { person, claims } = await this.#personOf(token, attempt);
    if (attempt.renew && attempt.renew !== person.autherId) return this.#otherUser(visit);
    await people.signedIn(person, { moves: false });
    await this.parts.autherSession.keep(visit, token, claims.exp);
    counters.add("auth_logins_total", { door: attempt.exchange ? "exchange" : "callback", side: "auther" });
    if (attempt.renew) renewal.succeeded(visit);
    return seeOther(visit, safeReturnPath(attempt.returnTo, settings.afterLogin));
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
   * Somebody else is signed in at Auther: neither side is used for this browser's expired login.
   * @param {Visit} visit
   */
  async #otherUser(visit) {
    this.parts.counters.add("auth_renewals_total", { result: "other_user" });
    await this.parts.autherSession.end(visit);
    return this.fail(visit, new LoginFailed("other_user", 403));
  }

  /**
   * @param {Visit} visit
   * @param {Attempt} attempt
   * @param {any} error
   */
  #failed(visit, attempt, error) {
    const known = error instanceof Unavailable ? new LoginFailed("verification_unavailable", 503) : error;
    if (!(known instanceof LoginFailed)) throw error;
    if (attempt.renew) this.parts.counters.add("auth_renewals_total", { result: "failed" });
    return this.fail(visit, known, error.retryAfterS);
  }

  /**
   * @param {Visit} visit
   * @param {LoginFailed} error
   * @param {number} [retryAfterS]
   */
  fail(visit, { reason, status }, retryAfterS = 5) {
    this.parts.log({ event: "auther_login_failed", reason });
    this.parts.counters.add("auth_logins_failed_total", { reason });
    const page = {
      title: "The sign-in was not completed",
      body: `<p>You have not been signed in. The reason: <code>${reason}</code>.</p><p><a href="${START_PATH}">Try again</a></p>`,
    };
    return answerPage(visit, status, page, status === 503 ? { "Retry-After": String(retryAfterS) } : {});
  }

  /**
   * Ends the sign-in in this browser, and Auther's own session.
   * @param {Visit} visit
   */
  async logout(visit) {
    if (!isSameOrigin(visit, this.parts.settings)) return answerJson(visit, 403, "csrf");
    this.parts.counters.add("auth_logouts_total", { auther: await this.parts.autherSession.endAtAuther(visit) });
    await this.end(visit);
    return seeOther(visit, this.parts.settings.afterLogin);
  }

  /** @param {Visit} visit */
  async end(visit) {
    await this.parts.autherSession.end(visit);
  }
}

/**
 * @param {string} path
 * @param {string} returnTo
 */
export const withReturn = (path, returnTo) =>
  returnTo ? `${path}?${new URLSearchParams({ return_to: returnTo })}` : path;
