// This process in the application's database: that it began, and what it had counted when it ended.
//
// Whoever reads counters from outside has to know of each process that ever counted, and what one counted last. So a
// process that counts alone is written down before it accepts a legacy session, and at its end. One that is killed
// leaves a row without an end, and nobody takes that for zero.
import { Unavailable } from "./errors.js";

/** @typedef {import("./people.js").Database} Database */

const AGAIN_AFTER_MS = 1000;

const MAY_WRITE = `
SELECT coalesce(bool_and(has_table_privilege(to_regclass('"public".migrator_process'), p.kind)), false) AS may_write
FROM unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) AS p (kind)`;
// The newest sign of this name: a process of it that is not written down would show.
const BEGAN = `
WITH old AS (DELETE FROM "public".migrator_process WHERE seen_at < now() - interval '10 days')
INSERT INTO "public".migrator_process (instance, started_at, pid, heard_at)
VALUES ($1, $2, $3, (SELECT seen_at FROM "public".migrator_instance WHERE instance = $1))
ON CONFLICT (instance, started_at, pid)
DO UPDATE SET seen_at = clock_timestamp(), ended_at = NULL, counts = NULL`;
const OWN = "WHERE instance = $1 AND started_at = $2 AND pid = $3";
const RUNS = `UPDATE "public".migrator_process SET seen_at = clock_timestamp() ${OWN}`;
const ENDED = `UPDATE "public".migrator_process SET ended_at = clock_timestamp(), counts = $4 ${OWN}`;
const WITHDRAWN = `DELETE FROM "public".migrator_process ${OWN}`;

/** Writes this process down, once. */
export class ThisProcess {
  #isKnown = false;
  #isWritten = false;
  #failedAt = -Infinity;
  #underWay = 0;
  /** @type {Promise<void> | null} */ #beginning = null;

  /**
   * @param {Database} database
   * @param {import("./metrics.js").Counters} counters
   * @param {string} instance The name under which this process reports.
   * @param {(line: object) => void} log
   */
  constructor(database, counters, instance, log) {
    this.database = database;
    this.counters = counters;
    this.instance = instance;
    this.log = log;
  }

  /** Whether it is written down, or there is no place for that. */
  get isKnown() {
    return this.#isKnown;
  }

  /**
   * A request came: no end is written before it is over.
   * @returns {() => void} To be called then.
   */
  serving() {
    this.#underWay += 1;
    return () => {
      this.#underWay -= 1;
    };
  }

  /**
   * Writes it down, unless that was done.
   * @throws {Unavailable} The database does not answer.
   */
  async begin() {
    if (this.#isKnown) return;
    if (performance.now() - this.#failedAt < AGAIN_AFTER_MS) throw new Unavailable("database", 1);
    this.#beginning ??= this.#begin().finally(() => {
      this.#beginning = null;
    });
    await this.#beginning;
  }

  /** Why it could not be written down; null where it was, or there is no place for that. */
  async problem() {
    try {
      await this.begin();
      return null;
    } catch (error) {
      if (error instanceof Unavailable) return error;
      throw error;
    }
  }

  /** It is still there. */
  async runs() {
    if (this.#isWritten) await this.database.query(RUNS, this.#key());
  }

  /**
   * Writes down what was counted, where all requests have ended; never an error.
   * @param {() => Promise<string>} counts
   */
  async end(counts) {
    await this.#beginning?.catch(() => {});
    if (!this.#isWritten) return;
    // From here on a request begins anew, and thereby takes the end back.
    this.#isKnown = this.#isWritten = false;
    if (this.#underWay > 0) return this.log({ event: "process_end_not_written", error: "requests_under_way" });
    try {
      if (await this.counters.areAlone()) {
        await this.database.query(ENDED, [...this.#key(), await counts()]);
        await this.counters.forget();
      } else {
        // Others go on with the same counters: these do not end with this process.
        await this.database.query(WITHDRAWN, this.#key());
        await this.counters.leave();
      }
    } catch (error) {
      this.log({ event: "process_end_not_written", error: /** @type {any} */ (error).code ?? "unreachable" });
    }
  }

  async #begin() {
    try {
      const mayWrite = (await this.counters.areAlone()) && (await this.#mayWrite());
      if (mayWrite) {
        await this.database.query(BEGAN, this.#key());
        await this.counters.keepAlone();
      } else {
        await this.counters.goOn();
      }
      this.#isWritten = mayWrite;
      this.#isKnown = true;
    } catch (error) {
      this.#failedAt = performance.now();
      // The code only: a driver's message may quote the connection string.
      this.log({ event: "process_not_written", error: /** @type {any} */ (error).code ?? "unreachable" });
      throw new Unavailable("database", 1);
    }
  }

  async #mayWrite() {
    const { rows } = await this.database.query(MAY_WRITE, []);
    return rows[0]?.may_write === true;
  }

  #key() {
    return [this.instance, this.counters.startedAtS, process.pid];
  }
}
