// Auther's side of a browser: the id_token in its cookie, and what stands behind it.
import { ID_TOKEN, cookieName, cookieValues } from "./credentials.js";
import { Refused, Unavailable } from "./errors.js";

/** @typedef {import("express").Request} Request */
/** @typedef {import("express").Response} Response */

// Browsers drop cookies above 4096 bytes, name and attributes included.
const COOKIE_MAX_BYTES = 3500;
const LOGOUT_TIMEOUT_S = 2;
// As long as Auther's own session lives: after that a renewal would ask for the password.
const RENEWABLE_S = 7 * 86_400;

/** Keeps and ends it. */
export class AutherSession {
  /**
   * @param {Pick<import("./express.js").Parts, "settings" | "environment" | "people" | "cookies" | "verifier" | "plugin">} parts
   */
  constructor(parts) {
    this.parts = parts;
    this.cookie = cookieName(parts.settings, ID_TOKEN);
  }

  /**
   * The cookie outlives the token: one that the browser has dropped could not be renewed.
   * @param {Response} res
   * @param {string} token
   * @param {number} expiresAtS
   */
  async keep(res, token, expiresAtS) {
    const { people, cookies } = this.parts;
    const lastsUntilS = expiresAtS + RENEWABLE_S;
    const value = token.length > COOKIE_MAX_BYTES ? await people.keepToken(token, lastsUntilS) : token;
    cookies.set(res, ID_TOKEN, value, Math.floor(lastsUntilS - Date.now() / 1000));
  }

  /**
   * Removes the credential from this browser. An outage of our table does not keep it there.
   * @param {Request} req
   * @param {Response} res
   */
  async end(req, res) {
    const values = cookieValues(req.headers.cookie, this.cookie);
    if (values.length === 0) return;
    this.parts.cookies.drop(res, ID_TOKEN);
    for (const value of values.filter((one) => one.startsWith("s.")))
      await this.parts.people.dropToken(value).catch(ignore);
  }

  /**
   * Ends the session at Auther itself, which would sign the browser in again without a password. Best effort.
   * @param {Request} req
   * @returns {Promise<"ended" | "failed" | "off">}
   */
  async endAtAuther(req) {
    const { environment, plugin } = this.parts;
    const sub = environment.logoutSecret && plugin.url ? await this.#subOf(req) : null;
    if (!sub) return "off";
    return plugin.post("logout", environment.logoutSecret, { id: sub }, { timeoutS: LOGOUT_TIMEOUT_S }).then(
      () => "ended",
      () => "failed",
    );
  }

  /**
   * Whom this browser's token names, even if its time is over; but an old one that somebody found must not sign its
   * person out for ever.
   * @param {Request} req
   */
  async #subOf(req) {
    const [value] = cookieValues(req.headers.cookie, this.cookie);
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
