// Passwords at the legacy doors: of who moved, Auther's copy is the right one; of who did not, the legacy copy is, and
// Auther's is compared beside it.
import { Unavailable } from "./errors.js";
import { acceptsAuther } from "./stage.js";

const TIMEOUT_S = 1;
// The password lives in these calls alone, for seconds at most. More than that at once are left out.
const AT_ONCE = 2;
const WITHOUT_PASSWORD = ["no_credential", "unknown_scheme"];
const UNDEFINED_TABLE = "42P01";
const REASONS = ["no_credential", "banned", "unverified", "unknown_scheme", "pepper_missing", "not_ours"];

const UNFINISHED = `
SELECT 1 FROM "public".migrator_write_back
WHERE auther_id = $1 AND (state <> 'done' OR acknowledged_at IS NULL) LIMIT 1`;
const RECORD = `
INSERT INTO "public".migrator_shadow (source, user_pk, matched, reason) VALUES ($1, $2, $3, $4)
ON CONFLICT (source, user_pk) DO UPDATE SET matched = excluded.matched, reason = excluded.reason,
  checks = migrator_shadow.checks + 1, seen_at = now()`;

/**
 * @typedef {{
 *   settings: import("./types.js").Settings,
 *   environment: import("./types.js").Environment,
 *   counters: import("./metrics.js").Counters,
 *   people: import("./people.js").People,
 *   plugin: import("./plugin.js").Plugin,
 *   side: import("./people.js").Database,
 *   stage: import("./stage.js").StageReader,
 * }} Parts
 */

/** Checks them where they are kept. */
export class Passwords {
  #running = 0;

  /** @param {Parts} parts */
  constructor(parts) {
    this.parts = parts;
  }

  /**
   * @param {string} userId
   * @param {string} password
   * @param {() => boolean | Promise<boolean>} compare With the hash that the application keeps.
   * @returns {Promise<boolean>}
   * @throws {Unavailable} The password is kept at Auther, which does not answer.
   */
  async check(userId, password, compare) {
    const { people, stage } = this.parts;
    const person = await people.linked(userId);
    if (person && !person.pinned && (await this.isKeptAtAuther(person, stage.now()))) {
      return (await this.#ask(person.autherId, password)).valid === true;
    }
    const right = await compare();
    if (right && person && !person.pinned) this.#shadow(person, password);
    return right;
  }

  /**
   * In stage `legacy` homes do not count, except for who changed something at Auther that is not written back yet;
   * after a compromise Auther is asked nothing.
   * @param {import("./types.js").Person} person
   * @param {import("./types.js").StageView} view
   */
  async isKeptAtAuther({ home, autherId }, view) {
    if (home !== "auther" || !acceptsAuther(view)) return false;
    if (view.stage !== "legacy") return true;
    try {
      return (await this.parts.side.query(UNFINISHED, [autherId])).rows.length > 0;
    } catch (error) {
      // The table is there once something was to be written back.
      if (/** @type {any} */ (error).code === UNDEFINED_TABLE) return false;
      throw new Unavailable("the database does not answer", 1);
    }
  }

  /**
   * @param {string} id
   * @param {string} password
   */
  #ask(id, password) {
    const { plugin, environment } = this.parts;
    return plugin.post("verify", environment.verifySecret, { id, password }, { timeoutS: TIMEOUT_S });
  }

  /**
   * Asks Auther whether a password that was just right would sign in there too, so that a wrong pepper shows before
   * anybody depends on it. It delays and decides nothing. Where Auther has no password for the user, or one that it
   * cannot verify, it may be given this one: once, and kept nowhere.
   * @param {import("./types.js").Person} person
   * @param {string} password
   */
  #shadow({ userId, autherId, home }, password) {
    const { plugin, environment, counters, settings, side } = this.parts;
    if (!plugin.url || !environment.verifySecret || home === "auther") return;
    const count = (/** @type {string} */ result) => counters.add("auth_shadow_checks_total", { result });
    if (this.#running >= AT_ONCE) return count("skipped");
    this.#running += 1;
    this.#ask(autherId, password)
      .then(async ({ valid, reason }) => {
        const matched = valid === true || (await this.#capture(autherId, password, reason));
        const noted = !matched && REASONS.includes(reason) ? reason : "";
        await side.query(RECORD, [settings.source, userId, matched, noted]);
        count(matched ? "match" : "mismatch");
      })
      .catch(() => count("error"))
      .finally(() => {
        this.#running -= 1;
      });
  }

  /**
   * Whether Auther has this password from now on, which it lacked.
   * @param {string} id
   * @param {string} password
   * @param {string} reason
   */
  async #capture(id, password, reason) {
    const { plugin, environment, counters } = this.parts;
    if (!WITHOUT_PASSWORD.includes(reason) || !environment.captureSecret) return false;
    const result = await plugin
      .post("capture", environment.captureSecret, { id, password }, { timeoutS: TIMEOUT_S })
      .then(({ outcome }) => (outcome === "captured" ? "captured" : "left"))
      .catch(() => "failed");
    counters.add("auth_captures_total", { result });
    return result === "captured";
  }
}
