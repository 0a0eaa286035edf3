// From a session here to one at Auther without a password, for who is on the way to a page. Two hops, since both are
// other sites to the browser: for a nonce to Auther and back, then with a ticket to Auther and on into the code flow.
import { challengeOf, safeReturnPath } from "./attempts.js";
import { cookieName, cookieValues, ID_TOKEN, isDisabled } from "./credentials.js";
import { Unavailable } from "./errors.js";
import { cookiesOf, isNavigation, seeOther, targetOf } from "./request.js";
import { legacyIsOver } from "./stage.js";

/** @typedef {import("hono").Context} Context */
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
   * @param {Context} c
   * @param {import("./types.js").StageView} view
   * @param {string} userId
   * @returns {Promise<Response | null>} null: the application answers.
   */
  async offer(c, view, userId) {
    const { attempts, cookies, counters, people, plugin, settings } = this.parts;
    if (!this.isOpen(view) || !this.#isDue(c)) return null;
    const person = await people.linked(userId).catch(() => null);
    if (!person || person.pinned || isDisabled(person)) return null;
    const returnTo = safeReturnPath(targetOf(c), settings.afterLogin);
    const { attempt, name, value } = await attempts.start(returnTo, { exchange: userId });
    // Set now and dropped when it worked out: whatever goes wrong at Auther must not come back in a circle.
    cookies.set(c, PAUSE, "1", PAUSE_S);
    cookies.setWhole(c, name, value, PAUSE_S);
    counters.add("auth_exchanges_total", { result: "started" });
    const query = new URLSearchParams({
      client_id: settings.clientId,
      to: this.origin + EXCHANGE_PATH,
      state: attempt.state,
    });
    return seeOther(c, `${plugin.url}/exchange/start?${query}`);
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

  /** @param {Context} c */
  #isDue(c) {
    if (c.req.method !== "GET" || !isNavigation(c)) return false;
    return [this.pause, this.idToken].every((name) => cookieValues(cookiesOf(c), name).length === 0);
  }

  /**
   * The second hop: back from Auther with the nonce's hash. The stage may have moved on meanwhile.
   * @param {Context} c
   * @param {import("./types.js").StageView} view
   * @param {Attempt} attempt
   */
  async resume(c, view, attempt) {
    const { attempts } = this.parts;
    if (!this.isOpen(view)) return this.giveUp(c, attempt, "stage");
    try {
      const query = new URLSearchParams([["ticket", await this.#ticket(c, attempt)], ...attempts.query(attempt)]);
      return seeOther(c, `${this.parts.plugin.url}/exchange/redeem?${query}`);
    } catch (error) {
      if (!(error instanceof Unavailable)) throw error;
      return this.giveUp(c, attempt, /** @type {any} */ (error.cause)?.status ? "refused" : "unavailable");
    }
  }

  /**
   * @param {Context} c
   * @param {Attempt} attempt
   */
  async #ticket(c, attempt) {
    const { environment, options, people, plugin, settings } = this.parts;
    // The session may have ended, or become somebody else's, in the meantime.
    const user = (await options.sessions.holdsUser(c)) ? await options.sessions.read(c) : null;
    const isSame = user != null && String(options.userId(user)) === attempt.exchange;
    const person = isSame ? await people.linked(attempt.exchange ?? "") : null;
    if (!person) throw Object.assign(new Unavailable("the session is another one"), { cause: { status: 409 } });
    const body = {
      id: person.autherId,
      client_id: settings.clientId,
      nonce_hash: c.req.query("nonce_hash") ?? "",
      code_challenge: challengeOf(attempt.verifier),
    };
    const { ticket } = await plugin.post("exchange/ticket", environment.exchangeSecret, body, { timeoutS: TIMEOUT_S });
    return String(ticket);
  }

  /**
   * Back to the page, on the legacy session; the pause has begun with the exchange.
   * @param {Context} c
   * @param {Attempt} attempt
   * @param {string} reason
   */
  giveUp(c, attempt, reason) {
    this.parts.log({ event: "auther_exchange_failed", reason });
    this.parts.counters.add("auth_exchanges_total", { result: reason === "other_user" ? reason : "failed" });
    return seeOther(c, safeReturnPath(attempt.returnTo, this.parts.settings.afterLogin));
  }

  /** @param {Context} c */
  succeeded(c) {
    this.parts.counters.add("auth_exchanges_total", { result: "ok" });
    this.parts.cookies.drop(c, PAUSE);
  }
}
