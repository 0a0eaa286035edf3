// The browser's login at Auther: authorization code with PKCE, each attempt bound to its browser by a cookie of its
// own, so that two tabs do not disturb each other.
import { createHash, randomBytes, timingSafeEqual } from "node:crypto";

import { cookieName, cookieValues } from "./credentials.js";
import { postJson } from "./plugin.js";
import { Seal } from "./sealed.js";

export const ATTEMPT_S = 600;
const TIMEOUT_S = 5;
const MAX_PATH = 1024;

/**
 * @typedef {{
 *   state: string, nonce: string, verifier: string, returnTo: string,
 *   renew?: string, exchange?: string,
 * }} Attempt `renew`: the `sub` that must come back; `exchange`: the user of ours who must.
 */

/** A login that does not come to its end; the reason is shown and counted. */
export class LoginFailed extends Error {
  /**
   * @param {string} reason
   * @param {number} [status]
   */
  constructor(reason, status = 400) {
    super(reason);
    this.reason = reason;
    this.status = status;
  }
}

/** Begins, remembers and ends attempts. */
export class Attempts {
  #seal;
  #clientSecret;

  /**
   * @param {import("./types.js").Settings} settings
   * @param {import("./types.js").Environment} environment
   */
  constructor(settings, { cookieSecret, clientSecret }) {
    this.settings = settings;
    this.#seal = new Seal(cookieSecret);
    this.#clientSecret = clientSecret;
  }

  /**
   * @param {string} returnTo
   * @param {{ renew?: string, exchange?: string }} [bound]
   * @returns {Promise<{ attempt: Attempt, name: string, value: string }>} With the cookie to set.
   */
  async start(returnTo, bound = {}) {
    const [state, nonce, verifier] = [32, 32, 48].map((size) => randomBytes(size).toString("base64url"));
    const attempt = { state, nonce, verifier, returnTo, ...bound };
    return { attempt, name: this.cookie(state), value: await this.#seal.close(attempt, ATTEMPT_S) };
  }

  /** @param {string} state */
  cookie(state) {
    return cookieName(this.settings, `auther_login_${state.slice(0, 12)}`);
  }

  /**
   * The attempt that `state` belongs to in this browser; null for anybody else's.
   * @param {unknown} state As it came in the query: a list or an object when somebody plays.
   * @param {string | undefined} cookies The Cookie header.
   * @returns {Promise<Attempt | null>}
   */
  async find(state, cookies) {
    if (typeof state !== "string" || !/^[\w-]{43}$/.test(state)) return null;
    const values = cookieValues(cookies, this.cookie(state));
    const found = values.length === 1 ? await this.#seal.open(values[0]) : null;
    return found && isSame(String(found.state), state) ? /** @type {Attempt} */ (found) : null;
  }

  /**
   * The query of the authorization request.
   * @param {Attempt} attempt
   */
  query({ state, nonce, verifier }) {
    return new URLSearchParams({
      response_type: "code",
      client_id: this.settings.clientId,
      redirect_uri: this.settings.redirectUri,
      scope: "openid profile email",
      state,
      nonce,
      code_challenge: challengeOf(verifier),
      code_challenge_method: "S256",
    });
  }

  /**
   * The id_token for a code.
   * @param {Attempt} attempt
   * @param {string} code
   * @throws {LoginFailed}
   */
  async redeem({ verifier }, code) {
    const { clientId, redirectUri, tokenUrl } = this.settings;
    const form = new URLSearchParams({
      grant_type: "authorization_code",
      code,
      redirect_uri: redirectUri,
      client_id: clientId,
      code_verifier: verifier,
      ...(this.#clientSecret ? { client_secret: this.#clientSecret } : {}),
    });
    const { status, answer } = await postJson(tokenUrl, form, {}, TIMEOUT_S).catch(() => {
      throw new LoginFailed("auther_unreachable", 503);
    });
    if (status >= 400 && status < 500) throw new LoginFailed("code_refused");
    if (status !== 200) throw new LoginFailed("auther_unreachable", 503);
    if (typeof answer?.id_token !== "string") throw new LoginFailed("no_id_token", 502);
    return /** @type {string} */ (answer.id_token);
  }

  /**
   * Whether verified claims answer this very attempt of this very client.
   * @param {Attempt} attempt
   * @param {import("./types.js").Claims} claims
   * @throws {LoginFailed}
   */
  check({ nonce }, claims) {
    if (!isSame(String(claims.nonce ?? ""), nonce)) throw new LoginFailed("nonce");
    if (![claims.aud].flat().includes(this.settings.clientId)) throw new LoginFailed("audience");
  }
}

/** @param {string} verifier */
export const challengeOf = (verifier) => createHash("sha256").update(verifier).digest("base64url");

/**
 * Where a login may return to: a path of this site, nothing that a browser reads as another host.
 * @param {unknown} path
 * @param {string} otherwise
 */
export function safeReturnPath(path, otherwise) {
  const safe = typeof path === "string" && path.length <= MAX_PATH && /^\/(?![/\\])[\x21-\x5b\x5d-\x7e]*$/.test(path);
  return safe && !path.startsWith("/auth/") ? path : otherwise;
}

/**
 * @param {string} one
 * @param {string} other
 */
export function isSame(one, other) {
  const [a, b] = [one, other].map((text) => createHash("sha256").update(text).digest());
  return timingSafeEqual(a, b);
}
