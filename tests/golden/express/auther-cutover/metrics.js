// Counters with closed labels: prom-client's, added up over the worker processes of an instance, and one JSON log line
// per decision. prom-client's own cluster support needs a primary process that answers; this works under any process
// manager: each process keeps its counts in a file of its own, and whoever is asked adds the files up.
import cluster from "node:cluster";
import { mkdirSync, readdirSync, readFileSync, renameSync } from "node:fs";
import { readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";

import prometheus from "prom-client";

import { Durations } from "./durations.js";

/** @typedef {import("./types.js").Decision} Decision */

const SAVE_EVERY_MS = 1000;
const FILE = /^(\d+)-\d+\.json$/;
// Of a process that counted alone and is written down in the database.
const ALONE = /^(\d+)-\d+\.alone\.json$/;
const READ_BY_GATES = ["auth_requests_total{", "migrator_"];
const PATHS = ["legacy", "auther", "both", "foreign", "none"];
const COUNTERS = /** @type {const} */ ({
  auth_requests_total: ["Requests by decision.", ["path", "outcome", "stage", "reason", "client", "synthetic"]],
  auth_logins_total: ["Sessions that gained a user.", ["door", "side"]],
  auth_logins_refused_total: ["Sign-ins refused at a closed door.", ["door", "stage"]],
  auth_logins_failed_total: ["Logins at Auther that came to no end.", ["reason"]],
  auth_errors_total: ["Requests that the application answered with a 5xx.", ["path"]],
  auth_jwks_fetch_total: ["Fetches of the key set.", ["result"]],
  auth_captures_total: ["Passwords that Auther lacked and was given.", ["result"]],
  auth_shadow_checks_total: ["Passwords checked at Auther beside the request.", ["result"]],
  auth_logouts_total: ["Sign-outs, and whether Auther's own session ended.", ["auther"]],
  auth_exchanges_total: ["Legacy sessions exchanged for one at Auther.", ["result"]],
  auth_renewals_total: ["Expired tokens renewed.", ["result"]],
  auth_jit_total: ["Users of Auther who came for the first time.", ["result"]],
});

/** Counts for this process, and answers for all of the instance. */
export class Counters {
  #registry = new prometheus.Registry();
  /** @type {Record<string, prometheus.Counter>} */ #counters = {};
  // Added up here first: prom-client sorts and hashes the labels each time.
  /** @type {Map<string, { name: keyof typeof COUNTERS, labels: Record<string, string>, times: number }>} */
  #pending = new Map();
  #durations = new Durations();
  #startedAtS = Date.now() / 1000;
  /** @type {Promise<void>} */ #written = Promise.resolve();

  /**
   * @param {string} folder Of this instance alone.
   * @param {(line: object) => void} log
   */
  constructor(folder, log) {
    this.folder = folder;
    this.log = log;
    this.file = join(folder, `${process.pid}-${Math.trunc(this.#startedAtS * 1000)}.json`);
    for (const [name, [help, labelNames]] of Object.entries(COUNTERS)) {
      this.#counters[name] = new prometheus.Counter({ name, help, labelNames, registers: [this.#registry] });
    }
    // There from the start: none so far is not the same as not counted.
    for (const path of PATHS) this.#counters.auth_errors_total.inc({ path }, 0);
    this.#adopt();
    setInterval(() => void this.save(), SAVE_EVERY_MS).unref();
  }

  /**
   * @param {keyof typeof COUNTERS} name
   * @param {Record<string, string>} labels
   */
  add(name, labels) {
    const key = `${name} ${Object.values(labels).join(" ")}`;
    const known = this.#pending.get(key);
    if (known) known.times += 1;
    else this.#pending.set(key, { name, labels, times: 1 });
  }

  /**
   * Counts a request; real traffic and the positive control go through this same line.
   * @param {Decision} decision
   * @param {string} stage
   * @param {boolean} fromBrowser Whether the request has the signs of a browser.
   * @param {{ synthetic?: boolean, sinceMs?: number }} [more] `sinceMs`: when the request came, by `performance.now()`.
   */
  decided(decision, stage, fromBrowser, { synthetic = false, sinceMs } = {}) {
    const { path, outcome, reason, parties } = decision;
    const client = clientOf(decision, fromBrowser);
    const waitedMs = sinceMs === undefined ? undefined : performance.now() - sinceMs;
    if (waitedMs !== undefined) this.#durations.observe(waitedMs / 1000);
    this.add("auth_requests_total", { path, outcome, stage, reason, client, synthetic: synthetic ? "1" : "0" });
    this.log({
      event: "auth",
      path,
      outcome,
      stage,
      reason,
      client,
      ...(synthetic && { synthetic }),
      ...(parties && { parties }),
      ...(waitedMs !== undefined && { waited_us: Math.round(waitedMs * 1000) }),
    });
  }

  /**
   * Counts an answer of the application, where it failed.
   * @param {Decision["path"] | undefined} path None where nothing was decided.
   * @param {number} status
   */
  answered(path, status) {
    if (path && status >= 500) this.add("auth_errors_total", { path });
  }

  /** Writes what is new, renamed into place. Best effort: a full disk must not fail a request. */
  async save() {
    if (this.#pending.size > 0) await this.#inTurn(() => this.#write());
  }

  /**
   * Everything in Prometheus's text form.
   * @param {Record<string, string | number>} info The labels of `migrator_shim_info`.
   * @param {Record<string, number>} [gauges] More gauges of this process.
   */
  async exposition(info, gauges = {}) {
    await this.save();
    const all = [await this.#own(), ...(await this.#others())];
    const sums = prometheus.AggregatorRegistry.aggregate(all.map(({ metrics }) => metrics));
    const extra = new prometheus.Registry();
    const labelNames = Object.keys(info);
    new prometheus.Gauge({ name: "migrator_shim_info", help: "This shim.", labelNames, registers: [extra] }).set(
      info,
      1,
    );
    const started = { migrator_process_start_time_seconds: Math.min(...all.map(({ sinceS }) => sinceS)) };
    for (const [name, value] of Object.entries({ ...started, ...gauges })) {
      new prometheus.Gauge({ name, help: "Of this instance.", registers: [extra] }).set(value);
    }
    const durations = all.reduce((sum, { durations: ofOne }) => sum.add(ofOne), new Durations());
    return (await sums.metrics()) + durations.exposition() + (await extra.metrics());
  }

  /** When this process began to count, in seconds since 1970. */
  get startedAtS() {
    return this.#startedAtS;
  }

  /**
   * What gates read, in the same form.
   * @param {Record<string, string | number>} info
   */
  async last(info) {
    const lines = (await this.exposition(info)).split("\n");
    return lines.filter((line) => READ_BY_GATES.some((name) => line.startsWith(name))).join("\n") + "\n";
  }

  /** Whether no other process counts for this instance, or left counts for others to go on with. */
  async areAlone() {
    if (cluster.isWorker) return false;
    // Whoever looks at the same time must see this one.
    await this.#inTurn(() => this.#write());
    const others = await this.#namesOfOthers().catch(() => []);
    return others.every((name) => ALONE.test(name) && hasEnded(name));
  }

  /** This process is written down: it takes over nothing, and nobody is to take over what is left of it. */
  async keepAlone() {
    await this.#inTurn(async () => {
      for (const name of await this.#namesOfOthers())
        if (ALONE.test(name) && hasEnded(name)) await rm(join(this.folder, name), { force: true });
      if (!ALONE.test(basename(this.file))) await this.#move(".json", ".alone.json");
    });
  }

  /** It is not: it goes on counting as any does. */
  async goOn() {
    await this.#inTurn(async () => {
      const left = (await this.#namesOfOthers()).find((name) => ALONE.test(name) && hasEnded(name));
      if (left && this.#take(join(this.folder, left))) await this.#write();
    });
  }

  /** Leaves the counts to the others of this instance. */
  async leave() {
    await this.#inTurn(() => this.#move(".alone.json", ".json"));
  }

  /** What was counted is written down elsewhere. */
  async forget() {
    await this.#inTurn(() => rm(this.file, { force: true }));
  }

  /**
   * @param {string} from
   * @param {string} to
   */
  async #move(from, to) {
    const file = this.file.slice(0, -from.length) + to;
    await rename(this.file, file);
    this.file = file;
  }

  async #write() {
    this.#drain();
    const text = JSON.stringify(await this.#own());
    await writeFile(`${this.file}.draft`, text, { mode: 0o600 });
    await rename(`${this.file}.draft`, this.file);
  }

  /**
   * One after the other. Best effort: a full disk must not fail a request.
   * @param {() => Promise<void>} work
   */
  #inTurn(work) {
    this.#written = this.#written
      .then(work)
      .catch((error) => this.log({ event: "counters_not_shared", error: error.code }));
    return this.#written;
  }

  #drain() {
    for (const { name, labels, times } of this.#pending.values()) this.#counters[name].inc(labels, times);
    this.#pending.clear();
  }

  async #own() {
    const metrics = await this.#registry.getMetricsAsJSON();
    return { sinceS: this.#startedAtS, metrics, durations: this.#durations };
  }

  /** @returns {Promise<{ sinceS: number, metrics: any[], durations?: Durations }[]>} */
  async #others() {
    for (;;) {
      try {
        const names = await this.#namesOfOthers();
        return await Promise.all(
          names.map(async (name) => JSON.parse(await readFile(join(this.folder, name), "utf8"))),
        );
      } catch (error) {
        // A file that went between listing and reading was adopted under another name: look again.
        const listed = /** @type {any} */ (error).syscall !== "scandir";
        if (/** @type {any} */ (error).code !== "ENOENT" || !listed) return [];
      }
    }
  }

  async #namesOfOthers() {
    const isCounts = (/** @type {string} */ name) => FILE.test(name) || ALONE.test(name);
    const names = await readdir(this.folder);
    return names.filter((name) => isCounts(name) && stem(name) !== stem(basename(this.file)));
  }

  /**
   * Goes on counting where a process that has ended left off, so that a restart takes nothing away from the sums. The
   * rename is what takes the file: only one of several new processes gets it.
   */
  #adopt() {
    try {
      mkdirSync(this.folder, { recursive: true, mode: 0o700 });
      for (const name of readdirSync(this.folder)) {
        const pid = Number(FILE.exec(name)?.[1] ?? process.pid);
        if (!isRunning(pid) && this.#take(join(this.folder, name))) return;
      }
    } catch (error) {
      this.log({ event: "counters_not_shared", error: /** @type {any} */ (error).code });
    }
  }

  /** @param {string} path */
  #take(path) {
    try {
      renameSync(path, this.file);
    } catch {
      return false;
    }
    const { sinceS, metrics, durations } = JSON.parse(readFileSync(this.file, "utf8"));
    this.#startedAtS = sinceS;
    this.#durations.add(durations);
    for (const { name, values } of metrics)
      for (const { labels, value } of values) this.#counters[name]?.inc(labels, value);
    return true;
  }
}

/**
 * What kind of client asks: by the signs of a browser, without any by its credential. A person's makes it an app; an API
 * key, another's bearer or none a program.
 * @param {Decision} decision
 * @param {boolean} fromBrowser
 */
function clientOf({ path, user }, fromBrowser) {
  if (fromBrowser) return "browser";
  return path === "none" || path === "foreign" || user?.claims?.apiKeyId ? "api" : "app";
}

/**
 * What names a process, whatever its file is called at the moment.
 * @param {string} name
 */
const stem = (name) => name.split(".")[0];

/**
 * Whether the process of such a file has. In a container each may have the same id.
 * @param {string} name
 */
function hasEnded(name) {
  const pid = Number.parseInt(name, 10);
  return pid === process.pid || !isRunning(pid);
}

/** @param {number} pid */
function isRunning(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return /** @type {any} */ (error).code === "EPERM";
  }
}
