// The application's database: who a `sub` is here, and what is kept about people. Tables are the migrator's; nothing
// here creates any.
import { Refused, Unavailable } from "./errors.js";
import { handleHash, isHandle, openToken, sealToken } from "./sealed.js";

/** @typedef {import("./types.js").Claims} Claims */
/** @typedef {import("./types.js").Person} Person */
/** @typedef {{ query: (text: string, values: unknown[]) => Promise<{ rows: any[] }> }} Database */

const FIND = `
SELECT i.user_pk, i.home, i.pinned_reason IS NOT NULL AS pinned,
       extract(epoch FROM i.auth_valid_after)::float8 AS valid_after_s, t.auther_id IS NOT NULL AS buried
FROM (VALUES ($1::text)) AS asked (auther_id)
LEFT JOIN "public".migrator_identity i ON i.auther_id = asked.auther_id AND i.source = $2
LEFT JOIN "public".migrator_tombstone t ON t.auther_id = asked.auther_id AND t.until > now()`;
// Through jsonb, so that a column that this application does not have is simply not there. The key is compared in the
// column's own type: '2abc' is an error, never user 2.
const ACCOUNT = `
SELECT row.j ->> 'locked_at' AS locked_at, row.j ->> 'failed_attempts' AS failed_attempts,
       row.j ? 'confirmed_at' AS confirmable, row.j ->> 'confirmed_at' AS confirmed_at, row.j ->> 'deleted_at' AS deleted_at
FROM "public"."users" u, LATERAL (SELECT to_jsonb(u) AS j) row WHERE u."id" = $1`;
const CREATE = `SELECT outcome, user_pk FROM "public".migrator_new_user($1, $2, $3, $4, $5)`;
const LINKED = `
SELECT auther_id, home, pinned_reason IS NOT NULL AS pinned,
       extract(epoch FROM auth_valid_after)::float8 AS valid_after_s
FROM "public".migrator_identity WHERE source = $1 AND user_pk = $2`;
const SIGNED_IN = `
UPDATE "public".migrator_identity SET last_auther_at = now(), home = CASE WHEN $3 THEN 'auther' ELSE home END
WHERE source = $1 AND auther_id = $2`;
const TOKEN = `SELECT sealed FROM "public".migrator_token WHERE handle_hash = $1 AND expires_at > now()`;
const KEEP_TOKEN = `
INSERT INTO "public".migrator_token (handle_hash, sealed, expires_at) VALUES ($1, $2, to_timestamp($3))`;
const DROP_TOKENS = `DELETE FROM "public".migrator_token WHERE handle_hash = $1 OR expires_at < now()`;
const UNREADABLE_KEY = ["22P02", "22003"];

/** Looks people up, on every request with a credential of Auther: a sign-out must hold at once. */
export class People {
  /**
   * @param {import("./types.js").Settings} settings
   * @param {Database} database Of the primary, not of a replica.
   * @param {{
   *   judge?: import("./types.js").Judge,
   *   onCreate?: (result: string) => void,
   *   log?: (line: object) => void,
   * }} [options] `judge` turns the account's columns into its state.
   */
  constructor(settings, database, { judge = deviseState, onCreate = () => {}, log = () => {} } = {}) {
    this.settings = settings;
    this.database = database;
    this.judge = judge;
    this.onCreate = onCreate;
    this.log = log;
  }

  /**
   * Gives the person of verified claims. Never looks at e-mail addresses.
   * @param {Claims} claims
   * @param {{ creates?: boolean }} [options]
   * @returns {Promise<Person | "disabled" | null>} null: nobody is linked.
   * @throws {Unavailable} The database does not answer.
   */
  async resolve(claims, { creates = true } = {}) {
    const [found] = await this.#rows(FIND, [claims.sub, this.settings.source]);
    if (found.buried) return "disabled";
    if (found.user_pk !== null) return this.#person(claims.sub, found);
    if (!creates || !this.settings.createUsers || typeof claims.email !== "string") return null;
    return this.#create(claims, claims.email);
  }

  /**
   * What links one of our users, null when nothing does.
   * @param {string} userId
   */
  async linked(userId) {
    const [row] = await this.#rows(LINKED, [this.settings.source, userId]);
    if (!row) return null;
    const { auther_id: autherId, home, pinned, valid_after_s: validAfterS } = row;
    const state = await this.#stateOf(userId);
    return /** @type {Person} */ ({ userId, autherId, home, pinned, validAfterS, state });
  }

  /**
   * Notes a login at Auther, and moves the user's home there if asked.
   * @param {Person} person
   * @param {{ moves: boolean }} options
   */
  async signedIn({ autherId }, { moves }) {
    await this.#rows(SIGNED_IN, [this.settings.source, autherId, moves]);
  }

  /**
   * The token that a cookie stands for.
   * @param {string} cookie
   * @throws {Refused} It is the handle of no token.
   */
  async tokenOf(cookie) {
    if (!isHandle(cookie)) return cookie;
    const [row] = await this.#rows(TOKEN, [handleHash(cookie)]);
    const token = row && openToken(cookie, row.sealed);
    // Signed out or over in another place: as a token whose time is over.
    if (!row) throw new Refused("expired", { stale: true });
    if (!token) throw new Refused("malformed");
    return token;
  }

  /**
   * Keeps a token that is too large for a cookie; gives the cookie's value.
   * @param {string} token
   * @param {number} expiresAtS
   */
  async keepToken(token, expiresAtS) {
    const { handle, hash, sealed } = sealToken(token);
    await this.#rows(KEEP_TOKEN, [hash, sealed, expiresAtS]);
    await this.dropToken("");
    return handle;
  }

  /**
   * Forgets a kept token, and all whose time is over.
   * @param {string} cookie
   */
  async dropToken(cookie) {
    await this.#rows(DROP_TOKENS, [handleHash(cookie)]);
  }

  /**
   * @param {string} autherId
   * @param {any} row
   * @returns {Promise<Person>}
   */
  async #person(autherId, { user_pk: userId, home, pinned, valid_after_s: validAfterS }) {
    return { userId, autherId, home, pinned, validAfterS, state: await this.#stateOf(userId) };
  }

  /** @param {string} userId */
  async #stateOf(userId) {
    const [account] = await this.#rows(ACCOUNT, [userId]);
    return account ? this.judge(account, Date.now()) : "deleted";
  }

  /**
   * @param {Claims} claims
   * @param {string} email
   * @returns {Promise<Person | "disabled" | null>}
   */
  async #create({ sub, name, email_verified: verified }, email) {
    const values = [
      this.settings.source,
      sub,
      email.toLowerCase(),
      typeof name === "string" ? name : "",
      verified === true,
    ];
    const [{ outcome, user_pk: userId }] = await this.#rows(CREATE, values);
    this.onCreate(outcome);
    if (outcome === "tombstone") return "disabled";
    if (outcome === "column_needs_value") this.log({ event: "auther_user_not_created", reason: outcome });
    if (userId === null) return null;
    const [found] = await this.#rows(FIND, [sub, this.settings.source]);
    return this.#person(sub, found);
  }

  /**
   * @param {string} text
   * @param {unknown[]} values
   */
  async #rows(text, values) {
    try {
      return (await this.database.query(text, values)).rows;
    } catch (error) {
      if (UNREADABLE_KEY.includes(/** @type {any} */ (error).code)) return [];
      this.log({ event: "auther_database_error", error: /** @type {any} */ (error).code ?? "unreachable" });
      throw new Unavailable("the database does not answer", 1);
    }
  }
}

/**
 * Judges an account as Devise would; pass your own numbers, or a function of your own.
 * @param {import("./types.js").Account} account
 * @param {number} nowMs
 * @param {{ unlockInS?: number | null, maximumAttempts?: number }} [options] Devise's `unlock_in` (null: an e-mail or
 *   a person unlocks) and `maximum_attempts`.
 * @returns {import("./types.js").AccountState}
 */
export function deviseState(account, nowMs, { unlockInS = 3600, maximumAttempts = 20 } = {}) {
  if (account.deleted_at != null) return "deleted";
  if (account.confirmable && account.confirmed_at == null) return "unconfirmed";
  if (account.locked_at == null || isPast(String(account.locked_at), unlockInS, nowMs)) return "active";
  return Number(account.failed_attempts ?? 0) >= maximumAttempts ? "locked_by_attempts" : "locked";
}

/**
 * @param {string} at
 * @param {number | null} unlockInS
 * @param {number} nowMs
 */
function isPast(at, unlockInS, nowMs) {
  if (unlockInS === null) return false;
  // UTC is kept in columns without a zone, which Date.parse would read as local time. "infinity" gives NaN.
  return Date.parse(/(Z|[+-]\d\d(:?\d\d)?)$/.test(at) ? at : `${at}Z`) + unlockInS * 1000 <= nowMs;
}
