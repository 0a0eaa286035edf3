// From a session here to one at Auther without a password, for who is on the way to a page. Two hops, since both are
// other sites to the browser: for a nonce to Auther and back, then with a ticket to Auther and on into the code flow.
import { challengeOf, safeReturnPath } from "./attempts.js";
import { cookieName, cookieValues, ID_TOKEN, isDisabled } from "./credentials.js";
import { Unavailable } from "./errors.js";
import { cookiesOf, pageOf, queryOf, seeOther, targetOf } from "./request.js";
import { legacyIsOver } from "./stage.js";

/** @typedef {import("./request.js").Answer} Answer */
/** @typedef {import("./request.js").Visit} Visit */
/** @typedef {import("./attempts.js").Attempt} Attempt */

export const EXCHANGE_PATH = "/auth/auther/exchange";
const PAUSE = "auther_exchange_pause";
const PAUSE_S = 600;
const TIMEOUT_S = 2;

/** Offers and goes through it; whatever fails, the person goes on with the session that is there. */
export class Exchange {
  /** @param {Omit<import("./hono.js").Parts, "exchange" | "renewal">} parts */
  constructor(parts) {
    this.parts = parts;
    const { settings } = parts;
    this.origin = new URL(settings.redirectUri).origin;
    this.pause = cookieName(settings, PAUSE);
    this.idToken = cookieName(settings, ID_TOKEN);
  }

  /**
   * Sends the browser to Auther if this user may come there.
   * @param {Visit} visit
   * @param {import("./types.js").StageView} view
   * @param {string} userId
   * @returns {Promise<Answer | null>} null: the application answers.
   */
  async offer(visit, view, userId) {
    const { attempts, cookies, counters, people, plugin, settings } = this.parts;
    if (!this.isOpen(view) || !this.#isDue(visit)) return null;
    const person = await people.linked(userId).catch(() => null);
    if (!person || person.pinned || isDisabled(person)) return null;
    const returnTo = safeReturnPath(targetOf(visit), settings.afterLogin);
    const { attempt, name, value } = await attempts.start(returnTo, { exchange: userId });
    // Set now and dropped when it worked out: whatever goes wrong at Auther must not come back in a circle.
    cookies.set(visit, PAUSE, "1", PAUSE_S);
    cookies.setWhole(visit, name, value, PAUSE_S);
    counters.add("auth_exchanges_total", { result: "started" });
    const query = new URLSearchParams({
      client_id: settings.clientId,
      to: this.origin + EXCHANGE_PATH,
      state: attempt.state,
    });
    return seeOther(visit, `${plugin.url}/exchange/start?${query}`);
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

  /** @param {Visit} visit */
  #isDue(visit) {
    if (pageOf(visit) === null) return false;
    return [this.pause, this.idToken].every((name) => cookieValues(cookiesOf(visit), name).length === 0);
  }

  /**
   * The second hop: back from Auther with the nonce's hash. The stage may have moved on meanwhile.
   * @param {Visit} visit
   * @param {import("./types.js").StageView} view
   * @param {Attempt} attempt
   */
  async resume(visit, view, attempt) {
    const { attempts } = this.parts;
    if (!this.isOpen(view)) return this.giveUp(visit, attempt, "stage");
    try {
      const ticket = await this.#ticket(visit, attempt);
      const query = new URLSearchParams([["ticket", ticket], ...attempts.query(attempt)]);
      return seeOther(visit, `${this.parts.plugin.url}/exchange/redeem?${query}`);
    } catch (error) {
      if (!(error instanceof Unavailable)) throw error;
      return this.giveUp(visit, attempt, /** @type {any} */ (error.cause)?.status ? "refused" : "unavailable");
    }
  }

  /**
   * @param {Visit} visit
   * @param {Attempt} attempt
   */
  async #ticket(visit, attempt) {
    const { environment, legacy, people, plugin, settings } = this.parts;
    // The session may have ended, or become somebody else's, in the meantime.
    const userId = await legacy.userIdOf(visit);
    const person = userId === attempt.exchange ? await people.linked(userId) : null;
    if (!person) throw Object.assign(new Unavailable("the session is another one"), { cause: { status: 409 } });
    const body = {
      id: person.autherId,
      client_id: settings.clientId,
      nonce_hash: queryOf(visit, "nonce_hash") ?? "",
      code_challenge: challengeOf(attempt.verifier),
    };
    const { ticket } = await plugin.post("exchange/ticket", environment.exchangeSecret, body, { timeoutS: TIMEOUT_S });
    return String(ticket);
  }

  /**
   * Back to the page, on the legacy session; the pause has begun with the exchange.
   * @param {Visit} visit
   * @param {Attempt} attempt
   * @param {string} reason
   */
  giveUp(visit, attempt, reason) {
    this.parts.log({ event: "auther_exchange_failed", reason });
    this.parts.counters.add("auth_exchanges_total", { result: reason === "other_user" ? reason : "failed" });
    return seeOther(visit, safeReturnPath(attempt.returnTo, this.parts.settings.afterLogin));
  }

  /** @param {Visit} visit */
  succeeded(visit) {
    this.parts.counters.add("auth_exchanges_total", { result: "ok" });
    this.parts.cookies.drop(visit, PAUSE);
  }
}
