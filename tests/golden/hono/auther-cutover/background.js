// What no request waits for, best effort and on a connection of its own: the heartbeat, and when somebody was last
// seen with a legacy session. And what a request waits for at most now and then: whether those sessions were ended.

import { beat } from "./heartbeat.js";

/** @typedef {import("./heartbeat.js").Facts} Facts */
/** @typedef {import("./people.js").Database} Database */

const SEEN_EVERY_MS = 60_000;
const TURN_MS = 1000;
const USERS_MAX = 50_000;
const BATCH = 1000;

const SEEN = `UPDATE "public".migrator_identity SET last_legacy_at = now() WHERE source = $1 AND user_pk = ANY($2)`;
const ENDED = `
SELECT 1 FROM "public".migrator_identity
WHERE source = $1 AND user_pk = $2 AND home = 'auther' AND auth_valid_after IS NOT NULL`;

/** Writes in its own time. */
export class Background {
  /** @type {Map<string, number>} */ #seen = new Map();
  /** @type {Set<string>} */ #waiting = new Set();
  #beatAt = -Infinity;
  #beatEpoch = -1;
  #ended = false;
  #timer;
  /** @type {Promise<void>} */ #turns;

  /**
   * @param {Database} database
   * @param {import("./types.js").Settings} settings
   * @param {() => Facts | null} facts null while the stage is unknown.
   * @param {import("./process.js").ThisProcess} process
   * @param {(line: object) => void} log
   */
  constructor(database, settings, facts, process, log) {
    this.database = database;
    this.settings = settings;
    this.facts = facts;
    this.process = process;
    this.log = log;
    this.#timer = setInterval(() => void this.turn(), TURN_MS).unref();
    this.#turns = this.turn();
  }

  /** Ends it, after what is under way. */
  async stop() {
    clearInterval(this.#timer);
    this.#ended = true;
    await this.#turns;
  }

  /**
   * Has a legacy user's time noted, at most once a minute for each.
   * @param {string} userId
   */
  saw(userId) {
    const now = performance.now();
    if (now - (this.#seen.get(userId) ?? -Infinity) < SEEN_EVERY_MS || this.#waiting.size >= USERS_MAX) return;
    if (this.#seen.size >= USERS_MAX) this.#seen.clear();
    this.#seen.set(userId, now);
    this.#waiting.add(userId);
  }

  /** @returns {Promise<void>} When it is over, and those before. */
  turn() {
    this.#turns = Promise.all([this.#turns, this.#turn()]).then(() => {});
    return this.#turns;
  }

  async #turn() {
    if (this.#ended) return;
    await this.process.begin().catch(() => {});
    await this.#guarded("heartbeat", () => this.#beat());
    await this.#guarded("last_seen", () => this.#note());
  }

  async #beat() {
    // What is heard of before it is written down would be taken for another process.
    const facts = this.process.isKnown ? this.facts() : null;
    const now = performance.now();
    // A new epoch is reported at once.
    if (!facts || (facts.epoch === this.#beatEpoch && now - this.#beatAt < this.settings.heartbeatS * 1000)) return;
    await beat(this.database, facts);
    await this.process.runs();
    this.#beatAt = now;
    this.#beatEpoch = facts.epoch;
  }

  async #note() {
    const batch = [...this.#waiting].slice(0, BATCH);
    for (const userId of batch) this.#waiting.delete(userId);
    if (batch.length > 0) await this.database.query(SEEN, [this.settings.source, batch]);
  }

  /**
   * @param {string} what
   * @param {() => Promise<void>} write
   */
  async #guarded(what, write) {
    // The code only: a driver's message may quote the connection string.
    await write().catch((error) =>
      this.log({ event: "background_write_failed", what, error: error.code ?? "unreachable" }),
    );
  }
}

/** Which users' legacy sessions were all ended, each user looked up at most once in a few seconds. */
export class EndedSessions {
  /** @type {Map<string, { at: number, ended: boolean }>} */ #known = new Map();

  /**
   * @param {Database} database
   * @param {import("./types.js").Settings} settings
   * @param {(line: object) => void} log
   */
  constructor(database, settings, log) {
    this.database = database;
    this.settings = settings;
    this.log = log;
  }

  /**
   * Of a user who moved and was then signed out everywhere no legacy session is good any more.
   * @param {string} userId
   */
  async has(userId) {
    const now = performance.now();
    const known = this.#known.get(userId);
    if (known && now - known.at < this.settings.sessionsEveryS * 1000) return known.ended;
    const ended = await this.#look(userId);
    if (this.#known.size >= USERS_MAX) this.#known.clear();
    this.#known.set(userId, { at: now, ended });
    return ended;
  }

  /**
   * Somebody signs in now, so the next answer must be a fresh one.
   * @param {string} userId
   */
  forget(userId) {
    this.#known.delete(userId);
  }

  /** @param {string} userId */
  async #look(userId) {
    try {
      return (await this.database.query(ENDED, [this.settings.source, userId])).rows.length > 0;
    } catch (error) {
      // The legacy side must not hang on our table.
      this.log({ event: "ended_sessions_unknown", error: /** @type {any} */ (error).code ?? "unreachable" });
      return false;
    }
  }
}
