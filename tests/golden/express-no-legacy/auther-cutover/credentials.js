// Finds Auther's credential in a request and says what it is worth.
import { isSecure } from "./settings.js";
import { Refused, Unavailable } from "./errors.js";
import { digestOf, isCandidate, issuedAtS, parse } from "./tokens.js";

/** @typedef {import("./types.js").Finding} Finding */
/** @typedef {import("./types.js").Person} Person */
/** @typedef {import("./types.js").Place} Place */

export const ID_TOKEN = "auther_id_token";
/** Basic and the like: not ours, the application's own business, but counted. */
export const OTHER_SCHEME = "other_scheme";

/** @type {Finding} */
const ABSENT = Object.freeze({ kind: "absent", place: "cookie", reason: "" });
/** @type {Finding} */
const FOREIGN = Object.freeze({ kind: "foreign", place: "header", reason: "foreign_bearer" });
/** @type {Finding} */
export const DOUBLED = Object.freeze({ ...FOREIGN });

/**
 * A cookie's name in this application: browsers take a `__Host-` cookie from nobody but this host, over https only.
 * @param {import("./types.js").Settings} settings
 * @param {string} name
 */
export const cookieName = (settings, name) => (isSecure(settings) ? `__Host-${name}` : name);

/**
 * All values sent under a cookie's name: a second one is never dropped unseen.
 * @param {string | undefined} header
 * @param {string} name
 */
export function cookieValues(header, name) {
  if (!header?.includes(name)) return [];
  const pairs = header.split(";").map((part) => part.trim());
  return pairs.filter((pair) => pair.startsWith(`${name}=`)).map((pair) => pair.slice(name.length + 1));
}

/** Examines the Authorization header, and the cookie where there is no bearer. */
export class Credentials {
  /**
   * @param {import("./types.js").Settings} settings
   * @param {import("./tokens.js").TokenVerifier} verifier
   * @param {import("./people.js").People} people
   */
  constructor(settings, verifier, people) {
    this.settings = settings;
    this.verifier = verifier;
    this.people = people;
    this.cookie = cookieName(settings, ID_TOKEN);
  }

  /**
   * Every doubt is a refusal, every outage `unavailable`. Never looks for a token in the query.
   * @param {readonly string[]} authorization All Authorization headers. Node joins or drops a second one in
   *   `headers`: one reader would see the first, another none.
   * @param {string | undefined} cookies The Cookie header.
   * @returns {Promise<Finding>}
   */
  async examine(authorization, cookies, { acceptsAuther = true } = {}) {
    if (authorization.length > 1) return DOUBLED;
    const header = authorization[0] ?? "";
    if (/^\s*bearer\b/i.test(header)) return this.#bearer(tokenIn(header), acceptsAuther);
    const tokens = cookieValues(cookies, this.cookie);
    if (tokens.length === 0) return header ? { ...ABSENT, reason: OTHER_SCHEME } : ABSENT;
    if (tokens.length > 1) return { kind: "forged", place: "cookie", reason: "malformed" };
    return this.#cookie(tokens[0], acceptsAuther);
  }

  /**
   * @param {string} token
   * @param {boolean} acceptsAuther
   */
  async #bearer(token, acceptsAuther) {
    return this.#judge("header", async () => {
      // Too large to be looked into is refused as ours: the size alone says no.
      if (token.length > this.settings.maxTokenBytes) throw new Refused("too_large");
      const digest = digestOf(token);
      const known = acceptsAuther && this.verifier.remembered(digest);
      if (known) return known;
      const parsed = parse(token);
      if (!isCandidate(parsed?.claims, this.settings)) return null;
      if (!acceptsAuther) throw new Refused("stopped", { stale: true });
      return this.verifier.verify(token, { parsed, digest });
    });
  }

  /**
   * @param {string} value
   * @param {boolean} acceptsAuther
   */
  async #cookie(value, acceptsAuther) {
    return this.#judge("cookie", async () => {
      if (!acceptsAuther) throw new Refused("stopped", { stale: true });
      const token = await this.people.tokenOf(value);
      const digest = digestOf(token);
      return this.verifier.remembered(digest) ?? this.verifier.verify(token, { digest });
    });
  }

  /**
   * @param {Place} place
   * @param {() => Promise<import("./types.js").Claims | null>} verified null: the token is not Auther's.
   * @returns {Promise<Finding>}
   */
  async #judge(place, verified) {
    try {
      const claims = await verified();
      return claims === null ? FOREIGN : await this.who(claims, place);
    } catch (error) {
      if (error instanceof Refused) {
        return { kind: error.stale ? "stale" : "forged", place, reason: error.reason, claims: error.claims };
      }
      if (error instanceof Unavailable) return unavailable(place, error);
      throw error;
    }
  }

  /**
   * @param {import("./types.js").Claims} claims Verified.
   * @param {Place} place
   * @param {{ creates?: boolean }} [options] `creates`: who is new gets a user, if settings say so.
   * @returns {Promise<Finding>}
   */
  async who(claims, place, { creates = true } = {}) {
    const person = await this.people.resolve(claims, { creates });
    if (person === "disabled") return { kind: "disabled", place, reason: "disabled" };
    if (person === null) return { kind: "unlinked", place, reason: "identity_unlinked" };
    if (person.pinned) return { kind: "disabled", place, reason: "pinned" };
    if (revokes(person, issuedAtS(claims))) return { kind: "stale", place, reason: "revoked" };
    if (isDisabled(person)) return { kind: "disabled", place, reason: "disabled" };
    return { kind: "valid", place, reason: "", person, claims };
  }
}

/**
 * Whether an account's state keeps its person out of the Auther path. A lock that failed attempts at the legacy form
 * imposed says nothing about somebody whose password is at Auther: else anybody could lock them out there.
 * @param {Person} person
 */
export const isDisabled = ({ state, home }) =>
  state !== "active" && !(state === "locked_by_attempts" && home === "auther");

/**
 * Whether a token of that time (whole seconds) was issued before a sign-out everywhere.
 * @param {Person} person
 * @param {number | null} issuedS
 */
export const revokes = ({ validAfterS }, issuedS) =>
  validAfterS !== null && (issuedS === null || issuedS < Math.floor(validAfterS));

/**
 * @param {Place} place
 * @param {Unavailable} error
 * @returns {Finding}
 */
const unavailable = (place, { retryAfterS }) => ({
  kind: "unavailable",
  place,
  reason: "verification_unavailable",
  retryAfterS,
});

/**
 * What stands behind the scheme and blanks. Two tokens, or a token and a comma, are no token: they do not parse.
 * @param {string} header
 */
function tokenIn(header) {
  const bare = header.trim();
  return bare.charAt("bearer".length) === " " ? bare.slice("bearer ".length).trimStart() : "";
}
