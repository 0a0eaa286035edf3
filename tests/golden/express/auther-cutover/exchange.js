// From a session here to one at Auther without a password, for who is on the way to a page. Two hops, since both are
// other sites to the browser: for a nonce to Auther and back, then with a ticket to Auther and on into the code flow.
import { challengeOf, safeReturnPath } from "./attempts.js";
import { cookieName, cookieValues, ID_TOKEN, isDisabled } from "./credentials.js";
import { Unavailable } from "./errors.js";
import { isNavigation, seeOther } from "./request.js";
import { legacyIsOver } from "./stage.js";

/** @typedef {import("express").Request} Request */
/** @typedef {import("express").Response} Response */
/** @typedef {import("./attempts.js").Attempt} Attempt */

export const EXCHANGE_PATH = "/auth/auther/exchange";
const PAUSE = "auther_exchange_pause";
const PAUSE_S = 600;
const TIMEOUT_S = 2;

/** Offers and goes through it; whatever fails, the person goes on with the session that is there. */
export class Exchange {
  /** @param {Omit<import("./express.js").Parts, "exchange" | "renewal">} parts */
  constructor(parts) {
    this.parts = parts;
    const { settings } = parts;
    this.origin = new URL(settings.redirectUri).origin;
    this.pause = cookieName(settings, PAUSE);
    this.idToken = cookieName(settings, ID_TOKEN);
  }

  /**
   * Sends the browser to Auther if this user may come there.
   * @param {Request} req
   * @param {Response} res
   * @param {import("./types.js").StageView} view
   * @param {string} userId
   * @returns {Promise<boolean>} Whether it was answered.
   */
  async offer(req, res, view, userId) {
    const { attempts, cookies, counters, people, plugin, settings } = this.parts;
    if (!this.isOpen(view) || !this.#isDue(req)) return false;
    const person = await people.linked(userId).catch(() => null);
    if (!person || person.pinned || isDisabled(person)) return false;
    const { attempt, name, value } = await attempts.start(safeReturnPath(req.originalUrl, settings.afterLogin), {
      exchange: userId,
    });
    // Set now and dropped when it worked out: whatever goes wrong at Auther must not come back in a circle.
    cookies.set(res, PAUSE, "1", PAUSE_S);
    cookies.setWhole(res, name, value, PAUSE_S);
    counters.add("auth_exchanges_total", { result: "started" });
    const query = new URLSearchParams({
      client_id: settings.clientId,
      to: this.origin + EXCHANGE_PATH,
      state: attempt.state,
    });
    seeOther(res, `${plugin.url}/exchange/start?${query}`);
    return true;
  }

  /**
   * Whether sessions are being exchanged now.
   * @param {import("./types.js").StageView} view
   */
  isOpen(view) {
    const { settings, environment, plugin } = this.parts;
    const inStage = view.stage === "drain" || (view.stage === "dual" && settings.exchangeInDual);
    return inStage && !legacyIsOver(view) && Boolean(plugin.url && environment.exchangeSecret);
  }

  /** @param {Request} req */
  #isDue(req) {
    if (req.method !== "GET" || !isNavigation(req)) return false;
    return [this.pause, this.idToken].every((name) => cookieValues(req.headers.cookie, name).length === 0);
  }

  /**
   * The second hop: back from Auther with the nonce's hash. The stage may have moved on meanwhile.
   * @param {Request} req
   * @param {Response} res
   * @param {import("./types.js").StageView} view
   * @param {Attempt} attempt
   */
  async resume(req, res, view, attempt) {
    const { attempts } = this.parts;
    if (!this.isOpen(view)) return this.giveUp(res, attempt, "stage");
    try {
      const ticket = await this.#ticket(req, res, attempt);
      const query = new URLSearchParams([["ticket", ticket], ...attempts.query(attempt)]);
      seeOther(res, `${this.parts.plugin.url}/exchange/redeem?${query}`);
    } catch (error) {
      if (!(error instanceof Unavailable)) throw error;
      this.giveUp(res, attempt, /** @type {any} */ (error.cause)?.status ? "refused" : "unavailable");
    }
  }

  /**
   * @param {Request} req
   * @param {Response} res
   * @param {Attempt} attempt
   */
  async #ticket(req, res, attempt) {
    const { environment, legacy, people, plugin, settings } = this.parts;
    // The session may have ended, or become somebody else's, in the meantime.
    const session = await legacy.read(req, res);
    const userId = session ? session.userId : await legacy.remembered(req);
    const person = userId === attempt.exchange ? await people.linked(userId) : null;
    if (!person) throw Object.assign(new Unavailable("the session is another one"), { cause: { status: 409 } });
    const body = {
      id: person.autherId,
      client_id: settings.clientId,
      nonce_hash: String(req.query.nonce_hash ?? ""),
      code_challenge: challengeOf(attempt.verifier),
    };
    const { ticket } = await plugin.post("exchange/ticket", environment.exchangeSecret, body, { timeoutS: TIMEOUT_S });
    return String(ticket);
  }

  /**
   * Back to the page, on the legacy session; the pause has begun with the exchange.
   * @param {Response} res
   * @param {Attempt} attempt
   * @param {string} reason
   */
  giveUp(res, attempt, reason) {
    this.parts.log({ event: "auther_exchange_failed", reason });
    this.parts.counters.add("auth_exchanges_total", { result: reason === "other_user" ? reason : "failed" });
    seeOther(res, safeReturnPath(attempt.returnTo, this.parts.settings.afterLogin));
  }

  /** @param {Response} res */
  succeeded(res) {
    this.parts.counters.add("auth_exchanges_total", { result: "ok" });
    this.parts.cookies.drop(res, PAUSE);
  }
}
