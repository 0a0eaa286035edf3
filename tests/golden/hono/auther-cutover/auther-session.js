// Auther's side of a browser: the id_token in its cookie, and what stands behind it.
import { ID_TOKEN, cookieName, cookieValues } from "./credentials.js";
import { Refused, Unavailable } from "./errors.js";
import { cookiesOf } from "./request.js";

/** @typedef {import("./request.js").Visit} Visit */

// Browsers drop cookies above 4096 bytes, name and attributes included.
const COOKIE_MAX_BYTES = 3500;
const LOGOUT_TIMEOUT_S = 2;
// As long as Auther's own session lives: a browser that no longer sends an expired token cannot be renewed.
const RENEWABLE_S = 7 * 86_400;

/** Keeps and ends it. */
export class AutherSession {
  /**
   * @param {Pick<import("./hono.js").Parts, "settings" | "environment" | "people" | "cookies" | "verifier" | "plugin">} parts
   */
  constructor(parts) {
    this.parts = parts;
    this.cookie = cookieName(parts.settings, ID_TOKEN);
  }

  /**
   * @param {Visit} visit
   * @param {string} token
   * @param {number} expiresAtS
   */
  async keep(visit, token, expiresAtS) {
    const { people, cookies } = this.parts;
    const keptUntilS = expiresAtS + RENEWABLE_S;
    const value = token.length > COOKIE_MAX_BYTES ? await people.keepToken(token, keptUntilS) : token;
    cookies.set(visit, ID_TOKEN, value, Math.floor(keptUntilS - Date.now() / 1000));
  }

  /**
   * Removes the credential from this browser. An outage of our table does not keep it there.
   * @param {Visit} visit
   */
  async end(visit) {
    const values = cookieValues(cookiesOf(visit), this.cookie);
    if (values.length === 0) return;
    this.parts.cookies.drop(visit, ID_TOKEN);
    for (const value of values.filter((one) => one.startsWith("s.")))
      await this.parts.people.dropToken(value).catch(ignore);
  }

  /**
   * Ends the session at Auther itself, which would sign the browser in again without a password. Best effort.
   * @param {Visit} visit
   * @returns {Promise<"ended" | "failed" | "off">}
   */
  async endAtAuther(visit) {
    const { environment, plugin } = this.parts;
    const sub = environment.logoutSecret && plugin.url ? await this.#subOf(visit) : null;
    if (!sub) return "off";
    return plugin.post("logout", environment.logoutSecret, { id: sub }, { timeoutS: LOGOUT_TIMEOUT_S }).then(
      () => "ended",
      () => "failed",
    );
  }

  /**
   * Whom this browser's token names, even if its time is over; but an old one that somebody found must not sign its
   * person out for ever.
   * @param {Visit} visit
   */
  async #subOf(visit) {
    const [value] = cookieValues(cookiesOf(visit), this.cookie);
    try {
      return value ? (await this.parts.verifier.verify(await this.parts.people.tokenOf(value))).sub : null;
    } catch (error) {
      if (error instanceof Refused) {
        const { claims } = error;
        return claims && Date.now() / 1000 < claims.exp + RENEWABLE_S ? claims.sub : null;
      }
      if (error instanceof Unavailable) return null;
      throw error;
    }
  }
}

const ignore = () => undefined;
