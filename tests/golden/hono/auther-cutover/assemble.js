// Puts the parts together.
import pg from "pg";

import { Attempts } from "./attempts.js";
import { AutherSession } from "./auther-session.js";
import { EndedSessions } from "./background.js";
import { Credentials } from "./credentials.js";
import { Exchange } from "./exchange.js";
import { KeySet } from "./keys.js";
import { LegacySide } from "./legacy-side.js";
import { Counters } from "./metrics.js";
import { People } from "./people.js";
import { Plugin } from "./plugin.js";
import { Renewal } from "./renewal.js";
import { Cookies } from "./request.js";
import { StageReader } from "./stage.js";
import { TokenVerifier } from "./tokens.js";

/** @typedef {import("./hono.js").Options} Options */
/** @typedef {import("./hono.js").Parts} Parts */

/**
 * @param {Options} options
 * @param {import("./types.js").Settings} settings
 * @param {import("./types.js").Environment} environment
 * @returns {Parts}
 */
export function assemble(options, settings, environment) {
  const log = options.log ?? ((line) => process.stdout.write(`${JSON.stringify(line)}\n`));
  const counters = new Counters(environment.countersFolder, log);
  const onFetch = (/** @type {string} */ result) => counters.add("auth_jwks_fetch_total", { result });
  const onCreate = (/** @type {string} */ result) => counters.add("auth_jit_total", { result });
  const keys = new KeySet(settings, { cooldownS: environment.jwksCooldownS, onFetch });
  const verifier = new TokenVerifier(settings, keys);
  const { main, side } = databases(options.database, log);
  const people = new People(settings, main, { judge: options.judge, onCreate, log });
  const cookies = new Cookies(settings);
  const plugin = new Plugin(settings);
  const base = { options, settings, environment, log, counters, verifier, people, side, cookies, plugin };
  const parts = {
    ...base,
    stage: new StageReader(settings, environment, log),
    legacy: new LegacySide(options),
    credentials: new Credentials(settings, verifier, people),
    attempts: new Attempts(settings, environment),
    ended: new EndedSessions(main, settings, log),
    autherSession: new AutherSession(base),
  };
  return { ...parts, exchange: new Exchange(parts), renewal: new Renewal(parts) };
}

/**
 * Pools of our own: what the application does with its connections must not make us wait, nor we it.
 * @param {Options["database"]} database
 * @param {(line: object) => void} log
 */
function databases(database, log) {
  if (typeof database !== "string") return { main: database, side: database };
  const limits = {
    connectionString: database,
    connectionTimeoutMillis: 2000,
    query_timeout: 3000,
    allowExitOnIdle: true,
  };
  const pools = { main: new pg.Pool({ ...limits, max: 8 }), side: new pg.Pool({ ...limits, max: 1 }) };
  // Without a listener the end of an idle connection would end the process.
  for (const pool of Object.values(pools)) pool.on("error", () => log({ event: "auther_connection_lost" }));
  return pools;
}
