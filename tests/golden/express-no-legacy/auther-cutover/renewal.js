// An id_token whose time is over is renewed through the code flow, silently while Auther's own session lives: on the
// way to a page only, and only for the same person.
import { cookieName, cookieValues } from "./credentials.js";
import { Refused, Unavailable } from "./errors.js";
import { cookiesOf, pageOf } from "./request.js";

/** @typedef {import("./request.js").Visit} Visit */

const TRIES = "auther_renewals";
const TRIES_MAX = 3;
const TRIES_S = 86_400;

/** Counts the tries in a cookie: a browser that cannot be renewed must not go in circles. */
export class Renewal {
  /** @param {Omit<import("./express.js").Parts, "renewal">} parts */
  constructor(parts) {
    this.parts = parts;
    this.name = cookieName(parts.settings, TRIES);
  }

  /**
   * Whether this request should be sent to Auther for a new token.
   * @param {Visit} visit
   * @param {import("./types.js").Finding} finding
   */
  isDue(visit, { kind, place, reason, claims }) {
    const expired = kind === "stale" && place === "cookie" && reason === "expired" && claims !== undefined;
    // Who asks for the login page wants to sign in there.
    const page = pageOf(visit);
    const onTheWay = page !== null && page !== this.parts.options.loginPath;
    return expired && onTheWay && this.#tries(visit) < TRIES_MAX;
  }

  /**
   * The person whom the expired token names, if nothing but its time is wrong with it.
   * @param {import("./types.js").Claims | undefined} claims
   */
  async personOf(claims) {
    if (!claims) return null;
    // Nobody is made a user by a token whose time is over.
    const finding = await this.parts.credentials.who(claims, "cookie", { creates: false }).catch(ignoreOutage);
    return finding?.kind === "valid" ? (finding.person ?? null) : null;
  }

  /**
   * The `sub` of this browser's expired token, for the attempt that is to renew it.
   * @param {Visit} visit
   */
  async subFor(visit) {
    const { people, verifier, autherSession } = this.parts;
    const [value] = cookieValues(cookiesOf(visit), autherSession.cookie);
    try {
      if (value) await verifier.verify(await people.tokenOf(value));
    } catch (error) {
      if (error instanceof Refused && error.reason === "expired") return (await this.personOf(error.claims))?.autherId;
      if (!(error instanceof Refused || error instanceof Unavailable)) throw error;
    }
    return undefined;
  }

  /**
   * Each try counts as failed until it worked out: who gives up at Auther's door never comes back to tell.
   * @param {Visit} visit
   */
  tried(visit) {
    this.parts.cookies.set(visit, TRIES, String(this.#tries(visit) + 1), TRIES_S);
  }

  /** @param {Visit} visit */
  succeeded(visit) {
    this.parts.counters.add("auth_renewals_total", { result: "ok" });
    this.parts.cookies.drop(visit, TRIES);
  }

  /** @param {Visit} visit */
  #tries(visit) {
    const [value] = cookieValues(cookiesOf(visit), this.name);
    return value === undefined ? 0 : Number(/^\d$/.exec(value)?.[0] ?? TRIES_MAX);
  }
}

/**
 * @param {unknown} error
 * @returns {null}
 */
function ignoreOutage(error) {
  if (error instanceof Unavailable) return null;
  throw error;
}
