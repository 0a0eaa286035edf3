// What was baked into this build, and what its environment adds. Nothing here is secret; secrets come
// from the environment only.
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";

import { NotConfigured } from "./errors.js";

/** @type {import("./types.js").Settings} */
export const settings = Object.freeze({
  // Who may sign tokens, for whom, with what. The issuers also tell our bearers from foreign ones.
  issuers: ["https://id.example.org"],
  audiences: ["club"],
  algorithms: ["EdDSA"],
  jwksUrl: "https://id.example.org/api/auth/jwks",

  // The browser's login: this application as an OAuth client of Auther.
  clientId: "club",
  authorizeUrl: "https://id.example.org/api/auth/oauth2/authorize",
  tokenUrl: "https://id.example.org/api/auth/oauth2/token",
  redirectUri: "https://club.example.org/auth/callback",
  afterLogin: "/",

  // Auther's migration plugin; "" where there is none.
  pluginUrl: "https://id.example.org/api/auth/migrator",

  // The legacy model's name in `migrator_identity`; whether an unknown `sub` gets a row of its own.
  source: "User",
  createUsers: false,

  // Permissions: the application's own business, or asked of Auther.
  delegatePermissions: false,
  checkPermissionUrl: "",

  // Which build this is, told by each instance every ten seconds and with its counters.
  build: "1",
  heartbeatS: 10,

  // Where the cutover's stage comes from, and what holds while no document was ever seen.
  namespace: "club",
  stagePublicKey: "XHUYBkVE9pgEVSm7k4CRtZ4SUz2gCEBsDDW5B10n9so",
  bakedStage: "dual",
  bakedPercent: 0.0,

  // Path prefixes whose foreign bearers go to the application's own authenticator.
  foreignPaths: [],
  exchangeInDual: false,
  // In `drain`, doors that answer JSON stay open until then; "": not at all.
  jsonDoorsUntil: "",
  stageEveryS: 2,
  // How long a look at "all legacy sessions of this user were ended" is good for.
  sessionsEveryS: 5,

  leewayS: 30,
  maxTokenBytes: 8192,
  jwksRetryS: 5,
  jwksTimeoutS: 5,
  // After this a key set is refreshed in the background; after `jwksStaleS` it is no longer used.
  jwksMaxAgeS: 600,
  jwksStaleS: 86_400,
});

/**
 * Reads the process's environment.
 * @returns {import("./types.js").Environment}
 */
export function readEnvironment(env = process.env) {
  const instance = env.MIGRATOR_INSTANCE || hostname();
  return {
    instance,
    countersFolder: env.MIGRATOR_COUNTERS_FOLDER || join(tmpdir(), `auther-cutover-${encodeURIComponent(instance)}`),
    metricsToken: env.MIGRATOR_METRICS_TOKEN || "",
    cookieSecret: env.MIGRATOR_COOKIE_SECRET || "",
    clientSecret: env.AUTHER_CLIENT_SECRET || "",
    logoutSecret: env.MIGRATOR_LOGOUT_SECRET || "",
    jwksCooldownS: Number(env.MIGRATOR_JWKS_COOLDOWN_S || 30),
    stageFile: env.MIGRATOR_STAGE_FILE || "",
    stageCache: env.MIGRATOR_STAGE_CACHE || "",
    controlSecret: env.MIGRATOR_CONTROL_SECRET || "",
    verifySecret: env.MIGRATOR_VERIFY_SECRET || "",
    captureSecret: env.MIGRATOR_CAPTURE_SECRET || "",
    exchangeSecret: env.MIGRATOR_EXCHANGE_SECRET || "",
    resetSecret: env.MIGRATOR_RESET_SECRET || "",
  };
}

/**
 * Refuses to start on half a configuration.
 * @param {import("./types.js").Settings} own
 * @param {import("./types.js").Environment} environment
 * @throws {NotConfigured}
 */
export function check(own, environment) {
  const left = Object.entries(own).filter(([, value]) => [value].flat().some((v) => String(v).startsWith("CHANGE_ME")));
  if (left.length > 0) {
    throw new NotConfigured(
      `auther-cutover/settings.js: CHANGE_ME is left in ${left.map(([name]) => name).join(", ")}`,
    );
  }
  for (const name of /** @type {const} */ (["jwksUrl", "authorizeUrl", "tokenUrl", "redirectUri"]))
    requireSafe(own[name], name);
  for (const name of /** @type {const} */ (["pluginUrl", "checkPermissionUrl"]))
    if (own[name]) requireSafe(own[name], name);
  const { issuers, audiences, algorithms, leewayS } = own;
  if ([issuers, audiences, algorithms].some((list) => list.length === 0)) {
    throw new NotConfigured("auther-cutover: issuers, audiences and algorithms must not be empty");
  }
  // A symmetric algorithm would make every published key a signing key.
  if (!algorithms.every((name) => /^(EdDSA|RS256|ES256)$/.test(name))) {
    throw new NotConfigured("auther-cutover: algorithms may be EdDSA, RS256 and ES256");
  }
  if (!(leewayS >= 0 && leewayS <= 60)) throw new NotConfigured("auther-cutover: leewayS must lie between 0 and 60");
  if (Buffer.from(own.stagePublicKey, "base64url").length !== 32) {
    throw new NotConfigured("auther-cutover: stagePublicKey is not an Ed25519 public key");
  }
  if (!(environment.jwksCooldownS >= 1 && environment.jwksCooldownS <= 30)) {
    throw new NotConfigured("MIGRATOR_JWKS_COOLDOWN_S must lie between 1 and 30");
  }
  if (Buffer.byteLength(environment.cookieSecret) < 32) {
    throw new NotConfigured("MIGRATOR_COOKIE_SECRET needs 32 bytes or more, for example from `openssl rand -hex 32`");
  }
}

/**
 * Whether cookies are `__Host-` ones. From the settings, not from the request: behind a proxy that ends TLS a
 * request may look like http, and then a cookie of another name would decide.
 * @param {import("./types.js").Settings} own
 */
export const isSecure = (own) => own.redirectUri.startsWith("https:");

/**
 * @param {string} url
 * @param {string} name
 */
function requireSafe(url, name) {
  const parsed = URL.canParse(url) ? new URL(url) : null;
  const loopback = parsed !== null && ["localhost", "127.0.0.1", "[::1]"].includes(parsed.hostname);
  if (parsed?.protocol === "https:" || (parsed?.protocol === "http:" && loopback)) return;
  throw new NotConfigured(`auther-cutover: ${name} must be https (http only on this machine)`);
}
