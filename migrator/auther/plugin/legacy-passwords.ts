/**
 * Lets imported users sign in at Auther with the password of their old application.
 *
 * Add it as the last plugin, and `@node-rs/bcrypt` and `@node-rs/argon2` to the dependencies:
 *
 *     plugins: [..., legacyPasswords()]
 *
 * The import stores a legacy hash in `account.password` as an envelope,
 * `migrator:v1:bcrypt:peppers=2024,none:$2a$12$…`: scheme, ids of the peppers to try in this order
 * ("none" = no pepper) and whatever else the scheme needs (`salt=…&stretches=20`), then the legacy value
 * unchanged. The plugin verifies envelopes and, after the first success, replaces the envelope by better-auth's
 * own scrypt format. That format keeps working as before, computed by Node off the main thread. A value that
 * nobody knows is a wrong password (401). An address that nobody has costs as much time as a wrong password.
 *
 * Environment: MIGRATOR_PEPPER_<ID>, one per pepper id (upper case, "-" becomes "_").
 *
 * Beside that it answers the migrator and the application under /migrator/… of better-auth's base path.
 * Each capability is off until Auther's environment has its secret, MIGRATOR_SECRET_IMPORT, _VERIFY, _STATISTICS,
 * _EVENTS, _EXCHANGE, _LOGOUT, _RESET, _CAPTURE, _CLIENT, of at least 32 bytes; a second one,
 * MIGRATOR_SECRET_IMPORT_NEXT, is live beside it while secrets change. All of them act only on users of this
 * migration: those with an account whose id was derived with MIGRATOR_MARK; _CLIENT also on the one OAuth client that
 * MIGRATOR_CLIENT_ID names. `migrator import plugin --env-file` writes these variables.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import { Buffer } from "node:buffer";
import {
  createCipheriv,
  createHash,
  createHmac,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  hkdfSync,
  pbkdf2,
  randomBytes,
  scrypt,
  timingSafeEqual,
  type KeyObject,
  type ScryptOptions,
} from "node:crypto";
import { promisify } from "node:util";
import { hash as hashArgon2, verify as verifyArgon2 } from "@node-rs/argon2";
import { hash as hashBcrypt, verify as verifyBcrypt } from "@node-rs/bcrypt";
import type { AuthContext, BetterAuthPlugin } from "better-auth";
import { APIError, createAuthEndpoint, createAuthMiddleware, getSessionFromCtx } from "better-auth/api";
import { setSessionCookie } from "better-auth/cookies";

interface Envelope {
  readonly scheme: string;
  /** Ids of the peppers to try, in this order. */
  readonly peppers: readonly string[];
  readonly params: Params;
  readonly value: string;
}

type Params = ReadonlyMap<string, string>;

/** What became of a password; `reason` says why a right one could not be told. */
interface Verdict {
  readonly valid: boolean;
  readonly scheme: string;
  readonly reason: "" | "unknown_scheme" | "pepper_missing";
}

interface Credentials {
  readonly hash: string;
  readonly password: string;
}

type Verify = (data: Credentials) => Promise<boolean>;
type Warn = (message: string) => void;
type Account = { password?: string | null };

const PREFIX = "migrator:v1:";
const MAX_PEPPERS = 4;
const PEPPER_ID = /^[A-Za-z0-9_-]{1,32}$/;
const PARAM = /^([a-z][a-z0-9_]{0,31})=((?:[A-Za-z0-9_.~,-]|%[0-9A-F]{2})*)$/;
// Longer ones match nothing: rounds over a password of megabytes would cost more than any bound.
const MAX_PASSWORD_BYTES = 1024;
const BCRYPT_INPUT_BYTES = 72;
const NATIVE = /^([0-9a-fA-F]+):([0-9a-fA-F]{128})$/;
const SCRYPT_KEY_BYTES = 64;
// Node refuses more than 32 MiB unless told otherwise; N=16384 and r=16 need just over that.
const SCRYPT = { N: 16384, r: 16, p: 1, maxmem: 128 * 16384 * 16 * 2 };
const SIGN_IN_PATHS = new Set(["/sign-in/email", "/sign-in/username"]);
const PROOF_MS = 30_000;
const BOOT_SAMPLE_ROWS = 100;

/** All optional: what differs between hashes stands in their envelopes. */
export interface LegacyPasswordsOptions {
  /** The client of Auther's database, for bulk writes in one transaction; otherwise rows are written one by one, and
   *  OAuth clients not at all. */
  readonly database?: Database;
  /** Writes events for people who sign up here too, so that the application can take them over. */
  readonly newUsers?: boolean;
  /** `iat` and `auth_time` of the id_token in seconds, as the standard says; better-auth 1.3 writes milliseconds. */
  readonly iatInSeconds?: boolean;
  /** A shorter life for the id_token, in seconds. */
  readonly idTokenSeconds?: number;
  /** Adds the claims `permissions` and, if there are any, `abac_required` to the id_token. At Auther:
   *  `(userId) => new PermissionService().resolveAllPermissionsWithABACInfo(userId)` */
  readonly permissionsClaim?: (userId: string, clientId: string) => Promise<PermissionClaims>;
}

export interface PermissionClaims {
  readonly permissions: Readonly<Record<string, readonly string[]>>;
  readonly abac_required?: Readonly<Record<string, readonly string[]>>;
}

/** What the plugin uses of a libSQL client. */
export interface Database {
  batch(statements: Statement[], mode: "read" | "write"): Promise<BatchResult[]>;
}

interface BatchResult {
  readonly rowsAffected: number;
  readonly rows: ArrayLike<unknown>;
}

export interface Statement {
  readonly sql: string;
  readonly args: Array<string | number | null>;
}

export const legacyPasswords = (options: LegacyPasswordsOptions = {}) => {
  const proofs = new Proofs();
  const decoys = new Decoys();
  const gate = new Gate(process.env);
  const members = new Members(process.env);
  const quiet = new Quiet();
  const imports = new Imports(members, quiet, options.database);
  const seal = new Seal(process.env);
  const journal = new Journal(members, quiet, seal, options.newUsers ?? false);
  const events = new Events(journal);
  const clients = new Clients(process.env, members, options.database);
  const tally = new Tally();
  const looks = { gate, members, events, journal, tally, decoys, guesses: new Guesses() };
  let compare: Verify = async () => false;
  return {
    id: "migrator-legacy-passwords",
    endpoints: {
      ...importEndpoints(gate, imports),
      ...eventEndpoints(gate, events),
      ...lookEndpoints(looks, () => compare),
      ...sessionEndpoints(gate, members, quiet),
      ...captureEndpoints(gate, members, quiet, tally),
      ...clientEndpoints(gate, clients),
      ...exchangeEndpoints(gate, members, tally),
    } as Unlisted,
    onRequest: (request: Request, ctx: AuthContext) => gate.admit(request, ctx),
    rateLimit: [{ pathMatcher: (path) => gate.guards(path), window: 1, max: 1_000_000 }],
    init(ctx) {
      const problems = [gate.problems, members.problems(gate), clients.problems(gate), seal.problems(process.env)];
      for (const problem of problems.flat())
        ctx.logger.warn(`migrator: ${problem}`);
      if (gate.isOpen("IMPORT") && !options.database)
        ctx.logger.warn(
          "migrator: without the option `database` the import writes row by row, slowly and without roles",
        );
      members.spare(ctx);
      const own = ctx.options.emailAndPassword?.password;
      const warn = onceEach((message) => ctx.logger.warn(`migrator: ${message}`));
      const native = own?.verify ?? ((data: Credentials) => verifyNative(data, warn));
      compare = comparison(native, warn);
      const verify = counting(proving(compare, proofs), tally);
      const hash = async (password: string) => {
        const stored = await (own?.hash ?? hashNative)(password);
        if (!quiet.now) journal.remember(stored, password);
        return stored;
      };
      void warnOfMissingPeppers(ctx);
      decoys.open(ctx.adapter, compare, own?.hash ?? hashNative);
      journal.watch(ctx.adapter, ctx);
      // Whatever is configured now: sealed passwords may be left from before.
      sweepRegularly(events, ctx);
      return { context: { password: { ...ctx.password, hash, verify } } };
    },
    hooks: {
      before: [
        {
          matcher: (ctx) => SIGN_IN_PATHS.has(ctx.path ?? ""),
          handler: createAuthMiddleware(async (ctx) => {
            const effort = new Effort(ctx.context.password, decoys);
            return { context: { context: { [EFFORT]: effort, password: effort.functions } } };
          }),
        },
      ],
      after: [
        {
          matcher: (ctx) => SIGN_IN_PATHS.has(ctx.path ?? ""),
          handler: createAuthMiddleware(async (ctx) => {
            const { returned, [EFFORT]: effort } = ctx.context as unknown as Record<string, unknown>;
            const refused = returned instanceof APIError && returned.statusCode === 401;
            if (refused && effort instanceof Effort) await effort.pay(String(ctx.body?.password));
          }),
        },
        {
          matcher: (ctx) => SIGN_IN_PATHS.has(ctx.path ?? ""),
          handler: createAuthMiddleware(async (ctx) => {
            // A banned user gets no session; an unverified one only where verification is not required.
            const user = ctx.context.newSession?.user;
            const password: unknown = ctx.body?.password;
            if (!user?.emailVerified || typeof password !== "string") return;
            const done = quiet.run(() => rehash(ctx.context, user.id, password, proofs));
            await done.then(
              (replaced) => (tally.counts.rehashed += Number(replaced)),
              (error: unknown) => {
                tally.counts.rehash_failed += 1;
                ctx.context.logger.error(`migrator: rehash failed (${errorName(error)}), envelope kept`);
              },
            );
          }),
        },
        {
          matcher: (ctx) => changesIdToken(options) && ctx.path === "/oauth2/token",
          handler: createAuthMiddleware(async (ctx) => {
            const answer = await renewedAnswer(ctx, options);
            if (!answer) return undefined;
            ctx.setHeader("Cache-Control", "no-store");
            return ctx.json(answer);
          }),
        },
        {
          // Deletes one session after the other, so that the journal can't tell it from signing out.
          matcher: (ctx) => ctx.path === "/revoke-other-sessions",
          handler: createAuthMiddleware(async (ctx) => {
            const user = ctx.context.session?.user;
            if (user && !(ctx.context.returned instanceof APIError)) await journal.revoked(ctx.context, user.id);
          }),
        },
      ],
    },
  } satisfies BetterAuthPlugin;
};

/** Compares with any stored value: true or false, and never an exception. */
function comparison(native: Verify, warn: Warn): Verify {
  return async ({ hash, password }) => {
    try {
      return hash.startsWith("migrator:")
        ? await verifyEnvelope(hash, password, warn)
        : await native({ hash, password });
    } catch (error) {
      warn(`can't verify a stored value (${errorName(error)}): ${shape(hash)}`);
      return false;
    }
  };
}

/** Replaces `password.verify`: remembers which envelopes may be rehashed. */
function proving(compare: Verify, proofs: Proofs): Verify {
  return async ({ hash, password }) => {
    const valid = await compare({ hash, password });
    // Of 72 bytes and more bcrypt saw only the beginning: a native hash of whatever tail was typed first
    // would lock the owner out. Such a password keeps its envelope, with any scheme.
    const whole = Buffer.byteLength(password) < BCRYPT_INPUT_BYTES;
    if (valid && whole && hash.startsWith("migrator:")) proofs.add(hash, password);
    return valid;
  };
}

async function verifyEnvelope(stored: string, password: string, warn: Warn): Promise<boolean> {
  return (await checkEnvelope(stored, password, warn)).valid;
}

/** Tries the envelope's peppers in turn: raw bytes, not normalised. */
async function checkEnvelope(stored: string, password: string, warn: Warn): Promise<Verdict> {
  const envelope = parseEnvelope(stored);
  const matches = envelope && SCHEMES.get(envelope.scheme)?.(envelope.value, envelope.params);
  if (!envelope || !matches) {
    warn(`no scheme for a stored value: ${shape(stored)}`);
    return { valid: false, scheme: envelope?.scheme ?? "", reason: "unknown_scheme" };
  }
  const { scheme } = envelope;
  const bytes = Buffer.from(password, "utf8");
  let reason: Verdict["reason"] = "";
  for (const id of bytes.length > MAX_PASSWORD_BYTES ? [] : envelope.peppers) {
    const pepper = pepperOf(id);
    if (pepper !== undefined && (await matches(bytes, Buffer.from(pepper, "utf8"))))
      return { valid: true, scheme, reason: "" };
    if (pepper !== undefined) continue;
    warn(`pepper "${id}" is not set: ${pepperVariable(id)}`);
    reason = "pepper_missing";
  }
  return { valid: false, scheme, reason };
}

function parseEnvelope(stored: string): Envelope | null {
  if (!stored.startsWith(PREFIX)) return null;
  const [scheme, text, ...value] = stored.slice(PREFIX.length).split(":");
  if (!scheme || text === undefined || value.length === 0) return null;
  const params = parseParams(text);
  const peppers = params?.get("peppers")?.split(",") ?? [];
  if (!params || peppers.length > MAX_PEPPERS || !peppers.every((id) => PEPPER_ID.test(id))) return null;
  params.delete("peppers");
  return peppers.length === 0 ? null : { scheme, peppers, params, value: value.join(":") };
}

/** Reads `peppers=2024,none&salt=…`; null for anything else. */
function parseParams(text: string): Map<string, string> | null {
  const pairs = text.split("&").map((pair) => PARAM.exec(pair));
  try {
    const params = new Map(pairs.flatMap((pair) => (pair ? [[pair[1]!, decodeURIComponent(pair[2]!)] as const] : [])));
    return params.size === pairs.length ? params : null;
  } catch {
    return null;
  }
}

const pepperVariable = (id: string) => `MIGRATOR_PEPPER_${id.toUpperCase().replaceAll("-", "_")}`;

/** The pepper's value; undefined when its variable is missing or empty. */
const pepperOf = (id: string) => (id === "none" ? "" : process.env[pepperVariable(id)] || undefined);

/** better-auth's own format, `hexsalt:hexkey`: the salt is the hex text, the password is NFKC. */
async function hashNative(password: string): Promise<string> {
  const salt = randomBytes(16).toString("hex");
  return `${salt}:${(await scryptKey(password, salt)).toString("hex")}`;
}

async function verifyNative({ hash, password }: Credentials, warn: Warn): Promise<boolean> {
  const match = NATIVE.exec(hash);
  if (!match) {
    warn(`no scheme for a stored value: ${shape(hash)}`);
    return false;
  }
  return timingSafeEqual(await scryptKey(password, match[1]!), Buffer.from(match[2]!, "hex"));
}

const scryptKey = (password: string, salt: string) =>
  deriveScrypt(Buffer.from(password.normalize("NFKC")), salt, SCRYPT);

/** Runs on Node's thread pool, so that a storm of sign-ins does not stop the event loop. */
function deriveScrypt(password: Buffer, salt: string | Buffer, options: ScryptOptions): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    scrypt(password, salt, SCRYPT_KEY_BYTES, options, (error, key) => (error ? reject(error) : resolve(key)));
  });
}

/** Replaces the user's envelope by the native format, if the row still holds a proven one. */
async function rehash(ctx: AuthContext, userId: string, password: string, proofs: Proofs): Promise<boolean> {
  for (const envelope of proofs.of(password)) {
    const replaced = await ctx.adapter.update<Account>({
      model: "account",
      where: [
        { field: "userId", value: userId },
        { field: "providerId", value: "credential" },
        { field: "password", value: envelope },
      ],
      update: { password: await ctx.password.hash(password), updatedAt: new Date() },
    });
    if (!replaced) continue;
    proofs.forget(envelope);
    return true;
  }
  return false;
}

/**
 * Remembers for half a minute which envelope a password was right for.
 *
 * `verify` knows the stored value but not the user, the hook knows the user but not which value was compared.
 * Comparing anew would cost a second bcrypt; trusting what the row holds by now could replace a value that
 * was put there in between.
 */
class Proofs {
  readonly #key = randomBytes(32);
  #proofs: { envelope: string; mac: string; expires: number }[] = [];

  add(envelope: string, password: string): void {
    const now = performance.now();
    this.#proofs = this.#proofs.filter(({ expires }) => expires > now);
    this.#proofs.push({ envelope, mac: this.#mac(password), expires: now + PROOF_MS });
  }

  /** The envelopes that the password was right for: mostly one, more when users share a password. */
  of(password: string): string[] {
    const now = performance.now();
    const mac = this.#mac(password);
    const proven = this.#proofs.filter((proof) => proof.mac === mac && proof.expires > now);
    return [...new Set(proven.map(({ envelope }) => envelope))];
  }

  forget(envelope: string): void {
    this.#proofs = this.#proofs.filter((proof) => proof.envelope !== envelope);
  }

  #mac(password: string): string {
    return createHmac("sha256", this.#key).update(password).digest("base64");
  }
}

/** Looks at some envelopes at boot, so that a forgotten pepper shows before the first user meets it. */
async function warnOfMissingPeppers(ctx: AuthContext): Promise<void> {
  try {
    const rows = await ctx.adapter.findMany<Account>({
      model: "account",
      where: [{ field: "password", operator: "starts_with", value: PREFIX }],
      limit: BOOT_SAMPLE_ROWS,
    });
    const ids = new Set(rows.flatMap((row) => parseEnvelope(row.password ?? "")?.peppers ?? []));
    const missing = [...ids].filter((id) => pepperOf(id) === undefined).map(pepperVariable);
    if (missing.length === 0) return;
    ctx.logger.warn(`migrator: imported users can't sign in, not set: ${missing.join(", ")}`);
  } catch (error) {
    ctx.logger.warn(`migrator: could not look for missing peppers (${errorName(error)})`);
  }
}

/** What a stored value looks like, without the value: enough to find its scheme. */
function shape(stored: string): string {
  const prefix = /^\$([a-z0-9-]{1,16})\$|^migrator:(v[0-9]+:[a-z0-9_-]{1,32}):/.exec(stored);
  const letters = /^[0-9a-f]*$/i.test(stored) ? "hex digits" : "characters";
  return `${prefix?.[1] ?? prefix?.[2] ?? "no prefix"}, ${stored.length} ${letters}`;
}

/** The name alone: messages of database drivers quote the values that they were given. */
const errorName = (error: unknown) => (error instanceof Error ? error.name : "unknown error");

function onceEach(write: Warn): Warn {
  const seen = new Set<string>();
  return (message) => {
    if (seen.has(message)) return;
    seen.add(message);
    write(message);
  };
}

// ---------------------------------------------------------------------------------------------------------------
// The schemes of legacy hashes. Each reads a stored value and gives what compares a password with it, or null when
// the value is not whole, not of this scheme, or would cost more than the bound. Keys are derived off the main
// thread; rounds of MD5 and SHA, which Node has only on it, make way for others every few milliseconds.

type Matches = (password: Buffer, pepper: Buffer) => Promise<boolean>;
type Scheme = (value: string, params: Params) => Matches | null;

const SCHEMES: ReadonlyMap<string, Scheme> = new Map([
  ["bcrypt", bcryptScheme],
  ["argon2", argon2Scheme],
  ["django_pbkdf2", djangoPbkdf2],
  ["werkzeug_pbkdf2", werkzeugPbkdf2],
  ["werkzeug_scrypt", werkzeugScrypt],
  ["aspnet_identity", aspNetIdentity],
  ["django_bcrypt", djangoBcrypt],
  ["wordpress", wordPress],
  ["phpass", phpass],
  ["drupal7", drupal7],
  ["sha_crypt", shaCrypt],
  ["md5_crypt", md5Crypt],
  ["ldap", ldap],
  ["encryptable_sha1", digestScheme("sha1", "--{salt}--{digest}--{password}--{pepper}--", "{pepper}")],
  ["encryptable_sha512", digestScheme("sha512", "--{salt}--{digest}--{password}--{pepper}--", "{pepper}")],
  ["restful_authentication_sha1", digestScheme("sha1", "{digest}--{salt}--{password}--{pepper}", "{pepper}")],
  ["authlogic_sha1", digestScheme("sha1", "{digest}--{salt}", "{password}")],
  ["authlogic_sha512", digestScheme("sha512", "{digest}", "{password}{salt}")],
  ["clearance_sha1", digestScheme("sha1", "--{salt}--{password}--", "")],
  ["template", templateScheme],
  ["firebase_scrypt", firebaseScrypt],
]);

const derivePbkdf2 = promisify(pbkdf2);
const isSameText = (one: string, other: string) => isSameBytes(Buffer.from(one), Buffer.from(other));
const isSameBytes = (one: Buffer, other: Buffer) => one.length === other.length && timingSafeEqual(one, other);

// 2x marks values of a defect of 2011 that touched only passwords outside ASCII: those do not match here.
const BCRYPT = /^\$2[abxy]\$(?:0[4-9]|1[0-7])\$[./A-Za-z0-9]{53}$/;

/** Devise: the pepper is appended; the cut at 72 may fall inside a character, as it did when hashing. */
function bcryptScheme(value: string, params: Params): Matches | null {
  if (params.size > 0 || !BCRYPT.test(value)) return null;
  return async (password, pepper) => {
    const secret = Buffer.concat([password, pepper]);
    // No legacy password holds a NUL byte; implementations in C stop there and would accept any tail.
    return !secret.includes(0) && verifyBcrypt(secret.subarray(0, BCRYPT_INPUT_BYTES), value);
  };
}

/** `bcrypt_sha256$$2b$12$…`: bcrypt of the hexadecimal SHA-256; also Django's plain `bcrypt$…`. */
function djangoBcrypt(value: string, params: Params): Matches | null {
  const match = /^(bcrypt_sha256|bcrypt)\$(\$2[aby]\$.*)$/.exec(value);
  const matches = match && bcryptScheme(match[2]!, params);
  if (!matches) return null;
  const digested = match[1] === "bcrypt_sha256";
  return (password) => matches(digested ? Buffer.from(digest("sha256", password).toString("hex")) : password, NOTHING);
}

/** `$wp$2y$10$…`: bcrypt of the HMAC-SHA-384 of the password, trimmed as PHP does, in Base64. */
function wordPress(value: string, params: Params): Matches | null {
  const matches = value.startsWith("$wp$2y$") ? bcryptScheme(value.slice(3), params) : null;
  if (!matches) return null;
  return (password) => {
    const trimmed = Buffer.from(password.toString("latin1").replace(/^[ \n\r\t\v\0]+|[ \n\r\t\v\0]+$/g, ""), "latin1");
    return matches(Buffer.from(createHmac("sha384", "wp-sha384").update(trimmed).digest("base64")), NOTHING);
  };
}

// The key has 16, 32 or 64 bytes, so that one that was cut off is not whole.
const ARGON2 = new RegExp(
  "^\\$argon2(?:id|i|d)\\$v=19\\$m=([1-9]\\d{0,6}),t=([1-9]\\d{0,3}),p=([1-9]\\d?)" +
    "\\$([A-Za-z0-9+/]{11,64})\\$([A-Za-z0-9+/]{86}|[A-Za-z0-9+/]{43}|[A-Za-z0-9+/]{22})$",
);
const ARGON2_MEMORY_KIB = 2 ** 20;
const ARGON2_WORK_KIB = 2 ** 22;

const isAffordable = (memory: number, passes: number, lanes: number) =>
  memory <= ARGON2_MEMORY_KIB && memory * passes <= ARGON2_WORK_KIB && memory >= 8 * lanes;

/** devise-argon2: the pepper is Argon2's own secret. */
function argon2Scheme(value: string, params: Params): Matches | null {
  const match = ARGON2.exec(value);
  if (params.size > 0 || !match) return null;
  const [memory, passes, lanes] = match.slice(1, 4).map(Number) as [number, number, number];
  const whole = match
    .slice(4)
    .every((text) => Buffer.from(text, "base64").toString("base64").replace(/=+$/, "") === text);
  if (!isAffordable(memory, passes, lanes) || !whole) return null;
  return (password, secret) => verifyArgon2(value, password, secret.length > 0 ? { secret } : {});
}

const PBKDF2_ITERATIONS = 5_000_000;
const DJANGO_PBKDF2 = /^pbkdf2_(sha1|sha256)\$([1-9]\d{0,6})\$([ -#%-~]{1,255})\$([A-Za-z0-9+/]+=)$/;
const WERKZEUG_PBKDF2 = /^pbkdf2:(sha1|sha256|sha512):([1-9]\d{0,6})\$([ -#%-~]{1,255})\$([0-9a-f]+)$/;
const HASH_BYTES: Readonly<Record<string, number>> = { md5: 16, sha1: 20, sha256: 32, sha512: 64 };

function djangoPbkdf2(value: string, params: Params): Matches | null {
  return params.size > 0 ? null : writtenPbkdf2(DJANGO_PBKDF2.exec(value), "base64");
}

function werkzeugPbkdf2(value: string, params: Params): Matches | null {
  return params.size > 0 ? null : writtenPbkdf2(WERKZEUG_PBKDF2.exec(value), "hex");
}

/** From hash, iterations, salt and key, as both frameworks write them down in this order. */
function writtenPbkdf2(match: RegExpExecArray | null, encoding: "base64" | "hex"): Matches | null {
  const [hash, iterations, salt, key] = match?.slice(1) ?? [];
  const bytes = HASH_BYTES[hash ?? ""];
  if (!hash || !salt || !key || !bytes || Number(iterations) > PBKDF2_ITERATIONS) return null;
  if (key.length !== Buffer.alloc(bytes).toString(encoding).length) return null;
  return async (password) =>
    isSameText((await derivePbkdf2(password, salt, Number(iterations), bytes, hash)).toString(encoding), key);
}

const WERKZEUG_SCRYPT = /^scrypt:([1-9]\d{0,6}):([1-9]\d?):([1-9]\d?)\$([ -#%-~]{1,255})\$([0-9a-f]{128})$/;
// 128 * N * r bytes of memory, so 512 MiB.
const SCRYPT_MEMORY = 2 ** 22;
const SCRYPT_WORK = 2 ** 23;

function werkzeugScrypt(value: string, params: Params): Matches | null {
  const match = WERKZEUG_SCRYPT.exec(value);
  if (params.size > 0 || !match) return null;
  const [N, r, p] = match.slice(1, 4).map(Number) as [number, number, number];
  const affordable = N * r <= SCRYPT_MEMORY && N * r * p <= SCRYPT_WORK;
  if (N < 2 || !Number.isInteger(Math.log2(N)) || !affordable) return null;
  const options = { N, r, p, maxmem: 128 * r * (N + p + 2) + 1024 };
  return async (password) => isSameText((await deriveScrypt(password, match[4]!, options)).toString("hex"), match[5]!);
}

const ASPNET_PRFS = ["sha1", "sha256", "sha512"];

/** Version 2: 0x00, salt, key. Version 3: 0x01, PRF, iterations, length of the salt, salt, key. */
function aspNetIdentity(value: string, params: Params): Matches | null {
  const raw = Buffer.from(value, "base64");
  if (params.size > 0 || value.length > 200 || raw.length < 45 || raw.toString("base64") !== value) return null;
  const head = raw[0] === 0 ? 1 : 13;
  const [prf, iterations, saltBytes] = raw[0] === 0 ? [0, 1000, 16] : [1, 5, 9].map((at) => raw.readUInt32BE(at));
  const salt = raw.subarray(head, head + saltBytes!);
  const key = raw.subarray(head + saltBytes!);
  const hash = ASPNET_PRFS[prf!];
  const known = raw[0] === 0 ? raw.length === 49 : raw[0] === 1 && !Object.values(HASH_BYTES).includes(raw.length);
  const whole = salt.length >= 16 && salt.length <= 64 && [16, 32, 64].includes(key.length);
  if (!hash || !known || !whole || iterations! < 1 || iterations! > PBKDF2_ITERATIONS) return null;
  return async (password) => isSameBytes(await derivePbkdf2(password, salt, iterations!, key.length, hash), key);
}

const CRYPT_LETTERS = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/** Writes three bytes as four letters, the lowest bits first. */
function encode64(raw: Buffer): string {
  let text = "";
  for (let at = 0; at < raw.length; at += 3) {
    const part = raw.subarray(at, at + 3);
    const number = part.readUIntLE(0, part.length);
    for (let place = 0; place <= part.length; place++) text += CRYPT_LETTERS[(number >> (6 * place)) & 63];
  }
  return text;
}

/** The letter after the prefix is the logarithm of the rounds. */
const PHPASS = /^\$[PH]\$([5-9A-G])([./0-9A-Za-z]{8})([./0-9A-Za-z]{22})$/;
const DRUPAL7 = /^(U?)\$S\$([5-9A-G])([./0-9A-Za-z]{8})([./0-9A-Za-z]{43})$/;

/** `$P$B…` (WordPress before 6.8) and `$H$9…` (phpBB 3). */
function phpass(value: string, params: Params): Matches | null {
  const match = PHPASS.exec(value);
  if (params.size > 0 || !match) return null;
  return async (password) => isSameText(encode64(await stretched("md5", match[1]!, match[2]!, password)), match[3]!);
}

/** `$S$D…`, cut off; with `U` before it, over a former MD5. */
function drupal7(value: string, params: Params): Matches | null {
  const match = DRUPAL7.exec(value);
  if (params.size > 0 || !match) return null;
  const [, former, cost, salt, kept] = match as unknown as [string, string, string, string, string];
  return async (password) => {
    const secret = former ? Buffer.from(digest("md5", password).toString("hex")) : password;
    return isSameText(encode64(await stretched("sha512", cost, salt, secret)).slice(0, kept.length), kept);
  };
}

async function stretched(algorithm: string, cost: string, salt: string, password: Buffer): Promise<Buffer> {
  let raw = digest(algorithm, Buffer.from(salt), password);
  await inTurns(1 << CRYPT_LETTERS.indexOf(cost), () => (raw = digest(algorithm, raw, password)));
  return raw;
}

const SHA_CRYPT = /^\$([56])\$(?:rounds=([1-9]\d{3,6})\$)?((?!rounds=)[!-#%-9;-~]{1,16})\$([./0-9A-Za-z]+)$/;
const SHA_CRYPT_ROUNDS = 1_000_000;
const MD5_CRYPT = /^(\$1\$|\$apr1\$)([!-#%-9;-~]{1,8})\$([./0-9A-Za-z]{22})$/;
const MD5_CRYPT_ORDER = [12, 6, 0, 13, 7, 1, 14, 8, 2, 15, 9, 3, 5, 10, 4, 11];

/** crypt's `$5$` and `$6$`. */
function shaCrypt(value: string, params: Params): Matches | null {
  const match = SHA_CRYPT.exec(value);
  const [, kind, rounds = "5000", text = "", written] = match ?? [];
  const algorithm = kind === "5" ? "sha256" : "sha512";
  if (params.size > 0 || !match || written?.length !== (kind === "5" ? 43 : 86) || Number(rounds) > SHA_CRYPT_ROUNDS)
    return null;
  const salt = Buffer.from(text);
  return async (password) => {
    // C ends a password at its first NUL byte.
    if (password.includes(0)) return false;
    const other = digest(algorithm, password, salt, password);
    let raw = firstOfCrypt(algorithm, password, salt, other, other, password);
    const secret = repeated(
      digest(algorithm, ...Array.from({ length: password.length }, () => password)),
      password.length,
    );
    const salted = repeated(digest(algorithm, ...Array.from({ length: 16 + raw[0]! }, () => salt)), salt.length);
    await inTurns(Number(rounds), (round) => (raw = roundOfCrypt(algorithm, round, raw, secret, salted)));
    return isSameText(encode64(Buffer.from(shaCryptOrder(raw.length).map((at) => raw[at]!))), written);
  };
}

/** crypt's `$1$` and Apache's `$apr1$`. */
function md5Crypt(value: string, params: Params): Matches | null {
  const match = MD5_CRYPT.exec(value);
  if (params.size > 0 || !match) return null;
  const [magic, salt] = [Buffer.from(match[1]!), Buffer.from(match[2]!)];
  return async (password) => {
    if (password.includes(0)) return false;
    const other = digest("md5", password, salt, password);
    let raw = firstOfCrypt(
      "md5",
      password,
      Buffer.concat([magic, salt]),
      other,
      Buffer.alloc(1),
      password.subarray(0, 1),
    );
    await inTurns(1000, (round) => (raw = roundOfCrypt("md5", round, raw, password, salt)));
    return isSameText(encode64(Buffer.from(MD5_CRYPT_ORDER.map((at) => raw[at]!))), match[3]!);
  };
}

/** Mixes as crypt does before the rounds: a piece for each bit of the password's length. */
function firstOfCrypt(
  algorithm: string,
  password: Buffer,
  salt: Buffer,
  other: Buffer,
  one: Buffer,
  zero: Buffer,
): Buffer {
  const parts = [password, salt, repeated(other, password.length)];
  for (let size = password.length; size > 0; size >>= 1) parts.push(size & 1 ? one : zero);
  return digest(algorithm, ...parts);
}

function roundOfCrypt(algorithm: string, round: number, raw: Buffer, secret: Buffer, salt: Buffer): Buffer {
  const [first, last] = round & 1 ? [secret, raw] : [raw, secret];
  return digest(algorithm, first, round % 3 ? salt : NOTHING, round % 7 ? secret : NOTHING, last);
}

/** The order in which crypt writes the bytes, the lowest of each three first. */
function shaCryptOrder(size: number): number[] {
  const third = Math.floor(size / 3);
  let triple = [0, third, 2 * third];
  const order: number[] = [];
  for (let count = 0; count < third; count++) {
    order.push(...triple.toReversed());
    const [one, two, three] = triple.map((at) => at + 1) as [number, number, number];
    triple = size % 3 === 1 ? [two, three, one] : [three, one, two];
  }
  for (let at = 3 * third; at < size; at++) order.push(at);
  return order;
}

const repeated = (raw: Buffer, size: number) => Buffer.alloc(size, raw.length > 0 && size > 0 ? raw : 0);

const FIREBASE = /^[A-Za-z0-9+/]{86}==$/;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** The signer key, which stands in for a pepper, encrypted under a key from scrypt. */
function firebaseScrypt(value: string, params: Params): Matches | null {
  const [rounds, memory, separator, salt = ""] = ["rounds", "mem_cost", "separator", "salt"].map((name) =>
    params.get(name),
  );
  const known =
    params.size === (params.has("salt") ? 4 : 3) &&
    separator !== undefined &&
    BASE64.test(separator) &&
    BASE64.test(salt);
  if (!known || !FIREBASE.test(value) || !/^([1-9]|[1-5]\d|6[0-4])$/.test(rounds ?? "") || !/^1?\d$/.test(memory ?? ""))
    return null;
  const [N, r] = [2 ** Number(memory), Number(rounds)];
  if (N < 2 || N * r > SCRYPT_MEMORY) return null;
  const bytes = Buffer.concat([Buffer.from(salt, "base64"), Buffer.from(separator, "base64")]);
  return async (password, pepper) => {
    const signer = Buffer.from(pepper.toString("utf8"), "base64");
    if (signer.length !== 64 || !BASE64.test(pepper.toString("utf8"))) return false;
    const key = await deriveScrypt(password, bytes, { N, r, p: 1, maxmem: 128 * r * (N + 3) + 1024 });
    const found = createCipheriv("aes-256-ctr", key.subarray(0, 32), Buffer.alloc(16)).update(signer);
    return isSameText(found.toString("base64"), value);
  };
}

const LDAP = /^\{(S?)(MD5|SHA|SHA256|SHA512)\}([A-Za-z0-9+/]{22,128}={0,2})$/;
const LDAP_HASHES: Readonly<Record<string, string>> = { MD5: "md5", SHA: "sha1", SHA256: "sha256", SHA512: "sha512" };

/** `{SSHA}…` and its siblings: digest and salt in Base64. */
function ldap(value: string, params: Params): Matches | null {
  const match = LDAP.exec(value);
  if (params.size > 0 || !match) return null;
  const raw = Buffer.from(match[3]!, "base64");
  const algorithm = LDAP_HASHES[match[2]!]!;
  const size = HASH_BYTES[algorithm]!;
  const whole = raw.toString("base64") === match[3] && (match[1] ? [4, 8, 16] : [0]).includes(raw.length - size);
  return whole
    ? async (password) => isSameBytes(digest(algorithm, password, raw.subarray(size)), raw.subarray(0, size))
    : null;
}

const NOTHING = Buffer.alloc(0);
const TURN_MS = 5;

const digest = (algorithm: string, ...parts: readonly Buffer[]) =>
  createHash(algorithm).update(Buffer.concat(parts)).digest();

/** Runs rounds on the main thread, and lets others have it every few milliseconds. */
async function inTurns(count: number, step: (round: number) => unknown): Promise<void> {
  let turn = performance.now();
  for (let round = 0; round < count; round++) {
    step(round);
    if (performance.now() - turn < TURN_MS) continue;
    await new Promise((resolve) => setImmediate(resolve));
    turn = performance.now();
  }
}

type Field = "salt" | "password" | "pepper" | "digest";
type Fields = Record<Field, Buffer>;
type Part = Buffer | Field | { readonly algorithm: string; readonly inner: readonly Part[] };

/** How a bare digest came about: `{digest}` starts as `first`, then each round makes it the hash of `template`. */
interface Recipe {
  readonly algorithm: string;
  readonly template: readonly Part[];
  readonly first: readonly Part[];
  readonly key: readonly Part[];
  readonly stretches: number;
  readonly output: "hex" | "base64";
  readonly between: "hex" | "raw";
  readonly stored: RegExp;
}

const STRETCHES = /^[1-9]\d{0,5}$/;
const MAX_STRETCHES = 100_000;
const TEMPLATE_LENGTH = 200;
const TEMPLATE_DEPTH = 4;
const TEMPLATE_TOKEN = /\{(salt|password|pepper|digest)\}|\{(md5|sha1|sha256|sha512) |([^{}]+)/y;
const RECIPE_PARAMS = new Set([
  "algorithm",
  "template",
  "first",
  "stretches",
  "output",
  "between",
  "key",
  "stored",
  "salt",
]);

/** A scheme of which only the rounds and the salt differ. */
function digestScheme(algorithm: string, template: string, first: string): Scheme {
  return (value, params) => {
    const known = [...params.keys()].every((name) => name === "stretches" || name === "salt");
    return known
      ? templateScheme(value, new Map([...params, ["algorithm", algorithm], ["template", template], ["first", first]]))
      : null;
  };
}

function templateScheme(value: string, params: Params): Matches | null {
  const recipe = parseRecipe(params);
  const stored = recipe?.stored.exec(value)?.groups;
  if (!recipe || !stored?.hash) return null;
  const salt = Buffer.from(stored.salt ?? params.get("salt") ?? "", "utf8");
  const hash = recipe.output === "hex" ? stored.hash.toLowerCase() : stored.hash;
  return async (password, pepper) =>
    isSameText((await cook(recipe, { salt, password, pepper, digest: Buffer.alloc(0) })).toString(recipe.output), hash);
}

function parseRecipe(params: Params): Recipe | null {
  const algorithm = params.get("algorithm") ?? "";
  const [template, first, key] = ["template", "first", "key"].map((name) => parseTemplate(params.get(name) ?? ""));
  const { output = "hex", between = "hex", stretches = "1" } = Object.fromEntries(params) as Record<string, string>;
  if (![...params.keys()].every((name) => RECIPE_PARAMS.has(name)) || !template || !first || !key) return null;
  if ((output !== "hex" && output !== "base64") || (between !== "hex" && between !== "raw")) return null;
  if (!STRETCHES.test(stretches) || Number(stretches) > MAX_STRETCHES) return null;
  const stored = storedForm(params.get("stored") ?? "{hash}", algorithm, output);
  if (!stored || ![...template, ...first, ...key].some((part) => usesPassword(part))) return null;
  return { algorithm, template, first, key, stretches: Number(stretches), output, between, stored };
}

const usesPassword = (part: Part): boolean =>
  part === "password" || (typeof part === "object" && "inner" in part && part.inner.some(usesPassword));

/** Reads text, fields and nested digests; null for anything else. */
function parseTemplate(text: string): Part[] | null {
  const read = (at: number, depth: number): { parts: Part[]; end: number } | null => {
    const parts: Part[] = [];
    while (at < text.length && text[at] !== "}") {
      TEMPLATE_TOKEN.lastIndex = at;
      const token = TEMPLATE_TOKEN.exec(text);
      if (!token || depth > TEMPLATE_DEPTH) return null;
      at = TEMPLATE_TOKEN.lastIndex;
      if (!token[2]) {
        parts.push((token[1] as Field | undefined) ?? Buffer.from(token[3]!, "utf8"));
        continue;
      }
      const nested = read(at, depth + 1);
      if (!nested || nested.end === text.length) return null;
      parts.push({ algorithm: token[2], inner: nested.parts });
      at = nested.end + 1;
    }
    return depth > TEMPLATE_DEPTH ? null : { parts, end: at };
  };
  const whole = text.length > TEMPLATE_LENGTH ? null : read(0, 0);
  return whole && whole.end === text.length ? whole.parts : null;
}

function fill(parts: readonly Part[], fields: Fields): Buffer {
  return Buffer.concat(
    parts.map((part) => {
      if (typeof part === "string") return fields[part];
      return "inner" in part
        ? Buffer.from(createHash(part.algorithm).update(fill(part.inner, fields)).digest("hex"))
        : part;
    }),
  );
}

/** Gives the raw bytes of the last round. */
async function cook(recipe: Recipe, given: Fields): Promise<Buffer> {
  const fields = { ...given, digest: fill(recipe.first, given) };
  let raw = NOTHING;
  await inTurns(recipe.stretches, () => {
    const hash =
      recipe.key.length > 0 ? createHmac(recipe.algorithm, fill(recipe.key, fields)) : createHash(recipe.algorithm);
    raw = hash.update(fill(recipe.template, fields)).digest();
    fields.digest = recipe.between === "raw" ? raw : Buffer.from(raw.toString("hex"));
  });
  return raw;
}

/** The expression for `{hash}` alone or with `{salt}` and separators; the digest has an exact length. */
function storedForm(stored: string, algorithm: string, output: "hex" | "base64"): RegExp | null {
  const bytes = HASH_BYTES[algorithm];
  if (!bytes || !/^[A-Za-z0-9._$:|#,;*!@{}-]+$/.test(stored)) return null;
  const segments = stored.split(/([$:|#,;*!@])/).filter((segment) => segment !== "");
  const isPlain = (segment: string) => segment === "{hash}" || segment === "{salt}" || !/[{}]/.test(segment);
  if (!segments.every(isPlain) || segments.filter((segment) => segment === "{hash}").length !== 1) return null;
  if (segments.filter((segment) => segment === "{salt}").length > 1) return null;
  const digits = 2 * bytes;
  const letters = Buffer.alloc(bytes).toString("base64").replace(/=+$/, "").length;
  const written =
    output === "hex"
      ? `[0-9a-f]{${digits}}|[0-9A-F]{${digits}}`
      : `[A-Za-z0-9+/]{${letters}}={${(3 - (bytes % 3)) % 3}}`;
  const named: Record<string, string> = {
    "{hash}": `(?<hash>${written})`,
    "{salt}": "(?<salt>[A-Za-z0-9./+=_-]{1,255})",
  };
  return new RegExp(`^${segments.map((segment) => named[segment] ?? segment.replace(/[.$*|-]/g, "\\$&")).join("")}$`);
}

// ---------------------------------------------------------------------------------------------------------------
// Decoys. better-auth hashes natively for an address that it does not know, and does nothing for a user without a
// password: next to bcrypt either one tells by its time who has an account. Here both cost what a wrong password of
// the commonest kind costs. The kind is found in a sample of the rows, not in what is tried, which anybody could bend.

type Functions = Pick<AuthContext["password"], "hash" | "verify">;

const EFFORT = "migratorEffort";
const DECOY_MS = 10 * 60_000;
const DECOY_SLICES = 8;
const DECOY_SLICE_ROWS = 25;

/** One sign-in: its first password function pays for a comparison, with the user's value or with a decoy. */
class Effort {
  #paid = false;
  readonly functions: Functions;

  constructor(
    real: Functions,
    private readonly decoys: Decoys,
  ) {
    this.functions = {
      verify: (data) => {
        this.#paid = true;
        return real.verify(data);
      },
      hash: async (password) => {
        if (this.#paid) return real.hash(password);
        await this.pay(password);
        return "";
      },
    };
  }

  /** Takes as long as a wrong password, unless one was compared already. */
  async pay(password: string): Promise<void> {
    if (this.#paid) return;
    this.#paid = true;
    await this.decoys.spend(password);
  }
}

class Decoys {
  #adapter: AuthContext["adapter"] | undefined;
  #compare: Verify | undefined;
  #hash: ((password: string) => Promise<string>) | undefined;
  #stored: string | undefined;
  #sampled = 0;
  #ready: Promise<void> = Promise.resolve();

  open(adapter: AuthContext["adapter"], compare: Verify, hash: (password: string) => Promise<string>): void {
    this.#adapter = adapter;
    this.#compare = compare;
    this.#hash = hash;
    this.#ready = this.#sample();
  }

  /** Takes as long as a wrong password of the commonest kind. */
  async spend(password: string): Promise<void> {
    await this.#ready;
    if (performance.now() - this.#sampled > DECOY_MS) void this.#sample();
    if (this.#stored === undefined) await this.#hash?.(password);
    else await this.#compare?.({ hash: this.#stored, password });
  }

  async #sample(): Promise<void> {
    this.#sampled = performance.now();
    const model = "account";
    const where = [{ field: "providerId", value: "credential" }];
    try {
      const count = (await this.#adapter?.count({ model, where })) ?? 0;
      const slices = count <= DECOY_SLICE_ROWS ? 1 : DECOY_SLICES;
      const found = await Promise.all(
        Array.from({ length: slices }, async () => {
          const offset = Math.floor(Math.random() * Math.max(1, count - DECOY_SLICE_ROWS + 1));
          return this.#adapter?.findMany<Account>({ model, where, limit: DECOY_SLICE_ROWS, offset });
        }),
      );
      this.#stored = commonest(found.flatMap((rows) => rows ?? []).flatMap(({ password }) => password ?? []));
    } catch {
      // The database is away: sign-ins fail on their own, and the next sample comes in its time.
    }
  }
}

/** A stored value of the kind that most have, undefined without any. */
function commonest(values: readonly string[]): string | undefined {
  const kinds = new Map<string, string[]>();
  for (const value of values) kinds.set(kindOf(value), [...(kinds.get(kindOf(value)) ?? []), value]);
  return [...kinds.values()].sort((one, other) => other.length - one.length)[0]?.[0];
}

/** What decides the cost of a comparison: scheme, cost, parameters, peppers. */
function kindOf(stored: string): string {
  const envelope = parseEnvelope(stored);
  if (!envelope) return NATIVE.test(stored) ? "native" : "unknown";
  const { scheme, peppers, params, value } = envelope;
  const given = [...params].filter(([name]) => name !== "salt");
  // ASP.NET's version 3 begins with version, function and iterations, in nine bytes; version 2 has one cost only.
  const binary = value.startsWith("AQ") ? value.slice(0, 12) : "2";
  const written = params.size > 0 ? "" : value.replace(/[A-Za-z0-9+/.]{8,}/g, "");
  return JSON.stringify([scheme, peppers, given, scheme === "aspnet_identity" ? binary : written]);
}

// ---------------------------------------------------------------------------------------------------------------
// The gate. A capability without a secret has no endpoint at all: 404, like any unknown path. Whoever has the
// secret is a server: cookies and the Origin header are dropped before better-auth looks at them, and there is no
// limit by address. The gate reads the body, so that nothing is read for a stranger and nothing without end.

const CAPABILITIES = [
  "IMPORT",
  "VERIFY",
  "STATISTICS",
  "EVENTS",
  "EXCHANGE",
  "LOGOUT",
  "RESET",
  "CAPTURE",
  "CLIENT",
] as const;
type Capability = (typeof CAPABILITIES)[number];
type Json = Record<string, unknown>;
type Handler = (call: Call) => Promise<Json>;
/** Endpoints for other servers: Auther's own code does not see them in `auth.api`. */
type Unlisted = Record<never, never>;
type Environment = Readonly<Record<string, string | undefined>>;

interface Door {
  readonly capability: Capability;
  readonly method: "GET" | "POST";
}

interface Call {
  readonly context: AuthContext;
  /** The JSON object of a POST, the parameters of a GET. */
  readonly input: Json;
}

const SECRET_BYTES_MIN = 32;
const WRONG_SECRET_MS = 60_000;
/** What can stand behind `Bearer`. */
const HEADER_TEXT = /^[\x21-\x7e]+$/;
const BODY_BYTES_MAX = 8 * 1024 * 1024;
const SMALL_BODY_BYTES_MAX = 512 * 1024;
const DROPPED_HEADERS = ["cookie", "origin", "referer", "content-length", "transfer-encoding"];

class Gate {
  readonly problems: string[] = [];
  readonly #secrets = new Map<Capability, Buffer[]>();
  readonly #doors = new Map<string, Door>();
  readonly #admitted = new WeakMap<Request, Json>();
  readonly #told = new Map<Capability, number>();

  constructor(env: Environment) {
    const users = new Map<string, Capability>();
    for (const capability of CAPABILITIES) {
      const names = [`MIGRATOR_SECRET_${capability}`, `MIGRATOR_SECRET_${capability}_NEXT`];
      const digests = names.flatMap((name) => this.#digestOf(name, env[name], capability, users));
      if (digests.length > 0) this.#secrets.set(capability, digests);
    }
  }

  isOpen(capability: Capability): boolean {
    return this.#secrets.has(capability);
  }

  guards(path: string): boolean {
    return this.#doors.has(path);
  }

  /** Makes the endpoint; `path` has no base path. */
  endpoint<Path extends string>(path: Path, door: Door, handle: Handler) {
    this.#doors.set(path, door);
    const options = { method: door.method, metadata: { isAction: false } } as const;
    return createAuthEndpoint(path, options, async (ctx) => {
      // Nobody comes here but through `admit`, whatever form of the path the router may accept.
      const input = ctx.request && this.#admitted.get(ctx.request);
      if (!input) throw new APIError("NOT_FOUND");
      ctx.setHeader("Cache-Control", "no-store");
      return ctx.json(await answered(handle, { context: ctx.context, input }));
    });
  }

  /** Lets a request with the right secret in, without its cookies; leaves requests for other paths alone. */
  async admit(request: Request, ctx: AuthContext): Promise<{ request: Request } | { response: Response } | undefined> {
    const url = new URL(request.url);
    const path = pathBelowBase(url, ctx);
    if (path === REDEEM_PATH) return { request: withoutLoginPrompt(request) };
    const door = this.#doors.get(path);
    if (!door || door.method !== request.method) return undefined;
    if (!this.#knows(door.capability, request.headers.get("authorization"))) {
      this.#tell(door.capability, ctx);
      return refusal(401, "wrong_secret");
    }
    const limit = door.capability === "IMPORT" ? BODY_BYTES_MAX : SMALL_BODY_BYTES_MAX;
    const input = door.method === "GET" ? Object.fromEntries(url.searchParams) : await readJson(request, limit);
    if (typeof input === "number") return refusal(input, input === 413 ? "too_large" : "not_json");
    const headers = new Headers(request.headers);
    for (const name of DROPPED_HEADERS) headers.delete(name);
    const body = door.method === "GET" ? null : "{}";
    if (body) headers.set("content-type", "application/json");
    const admitted = new Request(request.url, { method: door.method, headers, body });
    this.#admitted.set(admitted, input);
    return { request: admitted };
  }

  #digestOf(
    name: string,
    secret: string | undefined,
    capability: Capability,
    users: Map<string, Capability>,
  ): Buffer[] {
    if (!secret) return [];
    const other = users.get(secret) ?? capability;
    const problem =
      Buffer.byteLength(secret) < SECRET_BYTES_MIN
        ? `has less than ${SECRET_BYTES_MIN} bytes`
        : !HEADER_TEXT.test(secret)
          ? "holds a blank or a letter outside ASCII"
          : other !== capability && `is the secret of ${other} already`;
    if (problem) this.problems.push(`${name} ${problem} and is not used`);
    else users.set(secret, capability);
    return problem ? [] : [sha256(secret)];
  }

  /** Once a minute is enough to see a forgotten rotation, or somebody who tries. */
  #tell(capability: Capability, { logger }: AuthContext): void {
    const now = performance.now();
    if (now - (this.#told.get(capability) ?? Number.NEGATIVE_INFINITY) < WRONG_SECRET_MS) return;
    this.#told.set(capability, now);
    logger.warn(`migrator: somebody came without the secret of ${capability}, or with another one`);
  }

  #knows(capability: Capability, authorization: string | null): boolean {
    const given = sha256(/^Bearer ([\x21-\x7e]+)$/i.exec(authorization ?? "")?.[1] ?? "");
    // Every secret is compared: the time tells nothing about which one it was.
    const matches = (this.#secrets.get(capability) ?? []).map((secret) => timingSafeEqual(secret, given));
    return matches.includes(true);
  }
}

/** Runs a handler; what it did not refuse itself is a failed database: 503, and nothing of the request is done. */
async function answered(handle: Handler, call: Call): Promise<Json> {
  try {
    return await handle(call);
  } catch (error) {
    if (error instanceof APIError) throw error;
    call.context.logger.error(`migrator: a request failed (${errorName(error)}), nothing of it was done`);
    throw new APIError("SERVICE_UNAVAILABLE", { code: "database_failed", message: "try again" });
  }
}

/** The body as a JSON object, or the status of the refusal. */
async function readJson(request: Request, limit: number): Promise<Json | 400 | 413> {
  if (Number(request.headers.get("content-length") ?? 0) > limit) return 413;
  const chunks: Uint8Array[] = [];
  const reader = request.body?.getReader();
  try {
    for (let size = 0; reader;) {
      const { done, value } = await reader.read();
      if (done) break;
      size += value.byteLength;
      if (size > limit) return 413;
      chunks.push(value);
    }
    const parsed: unknown = JSON.parse(Buffer.concat(chunks).toString("utf8"));
    return isObject(parsed) ? parsed : 400;
  } catch {
    // Not JSON, or whoever sent it hung up midway.
    return 400;
  }
}

function pathBelowBase(url: URL, ctx: AuthContext): string {
  const base = ctx.options.basePath ?? "/api/auth";
  return url.pathname.startsWith(`${base}/`) ? url.pathname.slice(base.length) : "";
}

function refusal(status: number, code: string): { response: Response } {
  const headers = { "Cache-Control": "no-store", Connection: "close" };
  return { response: Response.json({ code }, { status, headers }) };
}

const badRequest = (message: string) => new APIError("BAD_REQUEST", { code: "bad_request", message });
const sha256 = (text: string) => createHash("sha256").update(text).digest();
const isObject = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);

// ---------------------------------------------------------------------------------------------------------------
// The mark: who is a user of this migration. An account that the import wrote has an id that follows from its owner,
// provider and subject under MIGRATOR_MARK; a user without any such account, and whoever lost one, has a row
// `migrator:user:<id>` in `verification`. Users with a role other than "user" are nobody's business here.

type Adapter = AuthContext["adapter"];
type Row = Record<string, unknown>;

const LETTERS = "abcdefghijklmnopqrstuvwxyz234567";
const ID_LENGTH = 32;
const ID_HEAD = 6;
const IN_LIST_MAX = 1000;
// Adapters give 100 rows unless told otherwise.
const ALL_ROWS = 1_000_000;
const NEVER = new Date("9999-01-01T00:00:00Z");
const markIdentifier = (userId: string) => `migrator:user:${userId}`;

class Members {
  readonly #mark: Buffer | null;
  #admins: readonly unknown[] = [];

  constructor(env: Environment) {
    const hex = env.MIGRATOR_MARK ?? "";
    this.#mark = /^[0-9a-f]{64}$/i.test(hex) ? Buffer.from(hex, "hex") : null;
  }

  problems(gate: Gate): string[] {
    const needed = CAPABILITIES.some((capability) => gate.isOpen(capability));
    return needed && !this.#mark ? ["MIGRATOR_MARK is not set (64 hex digits): nobody counts as imported"] : [];
  }

  /** Takes note of those whom Auther's configuration makes administrators, whatever their role says. */
  spare({ options }: AuthContext): void {
    const admin: { options?: unknown } | undefined = options.plugins?.find(({ id }) => id === "admin");
    const ids = isObject(admin?.options) ? admin.options.adminUserIds : [];
    this.#admins = Array.isArray(ids) ? ids : [];
  }

  /** The id that the import gives an account; empty without a mark. */
  accountId(owner: string, provider: string, subject: string): string {
    if (!this.#mark) return "";
    const text = ["account", owner, provider, subject].map((part) => `${[...part].length}:${part}`).join("");
    const digest = createHmac("sha256", this.#mark).update(text).digest();
    const letters = Array.from(digest, (byte) => LETTERS[byte % LETTERS.length]).join("");
    return ([...owner].length === ID_LENGTH ? owner.slice(0, ID_HEAD) : "").concat(letters).slice(0, ID_LENGTH);
  }

  wrote(account: Row): boolean {
    const { id, userId, providerId, accountId } = account;
    return Boolean(id) && id === this.accountId(String(userId), String(providerId), String(accountId));
  }

  /** Those of `users` (rows of the table) who are of this migration and have no other role.
   *  `known` are their accounts, where those were read already. */
  async among(db: Adapter, users: readonly Row[], known?: readonly Row[]): Promise<Set<string>> {
    const plain = users.filter((user) => isPlainRole(user.role) && !this.#admins.includes(user.id));
    const ids = plain.map((user) => String(user.id));
    const accounts = known ?? (await findIn(db, "account", "userId", ids));
    const marked = new Set(accounts.filter((account) => this.wrote(account)).map(({ userId }) => String(userId)));
    const ours = new Set(ids.filter((id) => marked.has(id)));
    const others = ids.filter((id) => !ours.has(id));
    for (const mark of await findIn(db, "verification", "identifier", others.map(markIdentifier)))
      // Others may choose what they write into `identifier`, but not the id.
      if (this.#mark && mark.id === mark.identifier) ours.add(String(mark.identifier).slice(markIdentifier("").length));
    return ours;
  }

  /** The user with this id, if it is one of this migration. */
  async find(db: Adapter, id: unknown): Promise<Row | null> {
    if (typeof id !== "string" || id === "") return null;
    const user = await db.findOne<Row>({ model: "user", where: [{ field: "id", value: id }] });
    return user && (await this.among(db, [user])).has(id) ? user : null;
  }
}

const isPlainRole = (role: unknown) => role === null || role === undefined || role === "user";

/** All rows whose field has one of the values, asked for in lists that every database takes. */
async function findIn(db: Adapter, model: string, field: string, values: readonly string[]): Promise<Row[]> {
  const found: Row[] = [];
  for (const value of inChunks(values, IN_LIST_MAX))
    found.push(...(await db.findMany<Row>({ model, where: [{ field, operator: "in", value }], limit: ALL_ROWS })));
  return found;
}

function inChunks<T>(values: readonly T[], size: number): T[][] {
  const count = Math.ceil(values.length / size);
  return Array.from({ length: count }, (_, index) => values.slice(index * size, (index + 1) * size));
}

/** Marks work of the plugin's own, of which the journal of changes takes no notice. */
class Quiet {
  readonly #storage = new AsyncLocalStorage<true>();

  run<T>(work: () => Promise<T>): Promise<T> {
    return this.#storage.run(true, work);
  }

  get now(): boolean {
    return this.#storage.getStore() === true;
  }
}

// ---------------------------------------------------------------------------------------------------------------
// Import: what the migrator reads and writes. On the wire rows have the tables' column names, times are Unix
// milliseconds, flags 0 or 1 (true and false are taken too).
//   upsert   A user who is there and ours is not written again, only accounts that are missing are added. An
//            account needs the id that the mark gives it; otherwise the user is `refused`.
//   change   Made only while the user and all accounts are as in `before`; `user: null` deletes. Columns that the
//            wire does not have (tokens) stay as they are. A ban, another password and a deletion end the user's
//            sessions and tokens. `tuples: {add, remove}` are rows, and ids of the user's own, of access_tuples.
//   read     With `tuples: true` also the user's access tuples; null where they cannot be read.
//   in-use   Names tables with rows of the user, apart from `account` and the user's mark; any user may be asked for.
//   ids, find, count and read see all users, since a taken address may be anybody's; what stands in place of a
//   stranger's password is WITHHELD.
// A request is written whole or not at all: in one transaction with the option `database`, otherwise row by row, and
// what was written is taken back when the database fails midway.

type Kind = "text" | "text?" | "time" | "time?" | "flag" | "flag?";
type Columns = Readonly<Record<string, Kind>>;
type Cell = string | number | null;
type Wire = Record<string, Cell>;
type Changed = "changed" | "conflict" | "email_taken" | "username_taken" | "refused";

interface Person {
  readonly user: Wire;
  readonly accounts: Wire[];
  readonly tuples: Wire[];
}

interface Change {
  readonly before: Person;
  readonly after: Person | null;
  readonly revoked: readonly string[];
}

interface Outcome {
  readonly id: Cell;
  readonly outcome: string;
  readonly detail?: string;
}

interface Upsert {
  readonly outcomes: Outcome[];
  readonly people: Person[];
  readonly accounts: Wire[];
}

const USER: Columns = {
  id: "text",
  name: "text",
  email: "text",
  email_verified: "flag",
  image: "text?",
  created_at: "time",
  updated_at: "time",
  role: "text?",
  banned: "flag?",
  ban_reason: "text?",
  ban_expires: "time?",
  username: "text?",
  display_username: "text?",
};
const { id: _, ...USER_DATA } = USER;
const ACCOUNT: Columns = {
  id: "text",
  account_id: "text",
  provider_id: "text",
  user_id: "text",
  password: "text?",
  created_at: "time",
  updated_at: "time",
};
const TUPLE: Columns = {
  id: "text",
  entity_type: "text",
  entity_type_id: "text?",
  entity_id: "text",
  relation: "text",
  subject_type: "text",
  subject_id: "text",
  subject_relation: "text?",
  condition: "text?",
  created_at: "time",
  updated_at: "time",
};
const MARK: Columns = {
  id: "text",
  identifier: "text",
  value: "text",
  expires_at: "time",
  created_at: "time",
  updated_at: "time",
};
// As far as a Date reaches, on both sides of 1970.
const TIME_MS_MAX = 8_640_000_000_000_000;
/** Said of a stranger: there is a password. */
const WITHHELD = "migrator:withheld";
const USERS_MAX = 1000;
const IDS_MAX = 5000;
const INSERT_ROWS = 500;
// What lets an application act for a user without a session, in the order in which it can be deleted.
const MODELS_OF_TOKENS = ["oauthAccessToken", "oauthRefreshToken"];
const MODELS_OF_USERS = ["session", "apikey", "oauthConsent", "oauthAccessToken", "oauthApplication"];

function importEndpoints(gate: Gate, imports: Imports) {
  if (!gate.isOpen("IMPORT")) return {};
  const post = { capability: "IMPORT", method: "POST" } as const;
  const get = { capability: "IMPORT", method: "GET" } as const;
  return {
    migratorUpsert: gate.endpoint("/migrator/users/upsert", post, (call) => imports.upsert(call)),
    migratorChange: gate.endpoint("/migrator/users/change", post, (call) => imports.change(call)),
    migratorFind: gate.endpoint("/migrator/users/find", post, (call) => imports.find(call)),
    migratorRead: gate.endpoint("/migrator/users/read", post, (call) => imports.read(call)),
    migratorIds: gate.endpoint("/migrator/users/ids", get, (call) => imports.ids(call)),
    migratorInUse: gate.endpoint("/migrator/users/in-use", post, (call) => imports.inUse(call)),
    migratorRemove: gate.endpoint("/migrator/users/remove", post, (call) => imports.remove(call)),
    migratorCount: gate.endpoint("/migrator/users/count", post, async ({ context }) => ({
      users: Number(await context.adapter.count({ model: "user" })),
    })),
  };
}

class Imports {
  constructor(
    private readonly members: Members,
    private readonly quiet: Quiet,
    private readonly database: Database | undefined,
  ) {}

  async upsert({ context, input }: Call): Promise<Json> {
    const people = list(input.users, "users", USERS_MAX).map((person, index) => personOf(person, `users[${index}]`));
    return this.#twice(async () => {
      const plan = await this.#planUpsert(context.adapter, people);
      await this.#insert(context, plan);
      return { outcomes: plan.outcomes };
    });
  }

  async change({ context, input }: Call): Promise<Json> {
    const changes = list(input.changes, "changes", USERS_MAX).map((change, index) =>
      changeOf(change, `changes[${index}]`),
    );
    return this.#twice(async () => {
      const answers = await this.#planChanges(context.adapter, changes);
      const wanted = changes.filter((_, index) => answers[index] === "changed");
      const done = await this.#write(context, wanted);
      await endStoredSessions(
        context,
        wanted.filter((change) => done.has(change.before) && endsSessions(change)),
      );
      const outcomes = changes.map(({ before }, index) => {
        const made = answers[index] !== "changed" || done.has(before);
        return { id: before.user.id ?? null, outcome: made ? (answers[index] ?? "conflict") : "conflict" };
      });
      return { outcomes };
    });
  }

  async find({ context, input }: Call): Promise<Json> {
    const [ids, emails, usernames] = ["ids", "emails", "usernames"].map((key) => texts(input[key] ?? [], key));
    const subjects = list(input.subjects ?? [], "subjects", IDS_MAX).map((pair) => {
      const [provider, subject] = list(pair, "subjects", 2);
      if (typeof provider === "string" && typeof subject === "string") return [provider, subject];
      throw badRequest("subjects holds something else than pairs of texts");
    });
    const taken = await this.#taken(context.adapter, ids ?? [], emails ?? [], usernames ?? [], subjects);
    return {
      ids: [...taken.ids.keys()],
      emails: Object.fromEntries(taken.emails),
      usernames: Object.fromEntries(taken.usernames),
      subjects: subjects.flatMap(([provider = "", subject = ""]) => {
        const owner = taken.subjects.get(subjectKey(provider, subject));
        return owner === undefined ? [] : [[provider, subject, owner]];
      }),
    };
  }

  async read({ context, input }: Call): Promise<Json> {
    const people = await this.#people(context.adapter, texts(input.ids, "ids"));
    const ours = await this.#ours(context.adapter, people);
    const users = Array.from(people, ([id, { user, accounts }]) => ({
      user,
      accounts: ours.has(id) ? accounts : accounts.map(withoutPassword),
    }));
    if (input.tuples !== true) return { users };
    const tuples = await this.#tuples(context.adapter, [...people.keys()]);
    return {
      users: users.map((person) => ({ ...person, tuples: tuples && (tuples.get(String(person.user.id)) ?? []) })),
    };
  }

  async ids({ context, input }: Call): Promise<Json> {
    const limit = Math.min(Math.max(Math.trunc(Number(input.limit ?? IDS_MAX)) || IDS_MAX, 1), IDS_MAX);
    const users = await context.adapter.findMany<Row>({
      model: "user",
      where: [{ field: "id", operator: "gt", value: String(input.after ?? "") }],
      sortBy: { field: "id", direction: "asc" },
      limit,
    });
    return { ids: users.map(({ id }) => id) };
  }

  async inUse({ context, input }: Call): Promise<Json> {
    const ids = texts(input.ids, "ids");
    const tables: Record<string, string[]> = {};
    for (const model of MODELS_OF_USERS.filter((name) => name in context.tables)) {
      const rows = await findIn(context.adapter, model, "userId", ids);
      for (const id of new Set(rows.map(({ userId }) => String(userId)))) (tables[id] ??= []).push(snake(model));
    }
    return { tables };
  }

  async remove({ context, input }: Call): Promise<Json> {
    const db = context.adapter;
    const people = await this.#people(db, texts(input.ids, "ids"));
    const ours = await this.#ours(db, people);
    const changes = [...people.values()].filter(({ user }) => ours.has(String(user.id)));
    const done = await this.#write(
      context,
      changes.map((before) => ({ before, after: null, revoked: [] })),
    );
    return { removed: done.size };
  }

  /** What fails once may be a row that came in between looking and writing: looks again, once. */
  async #twice(work: () => Promise<Json>): Promise<Json> {
    return this.quiet.run(() => work().catch(work));
  }

  async #planUpsert(db: Adapter, people: readonly Person[]): Promise<Upsert> {
    const users = people.map(({ user }) => user);
    const strangers = people.flatMap(({ accounts }) => accounts.filter((account) => !isCredential(account)));
    const taken = await this.#taken(
      db,
      users.map(({ id }) => String(id)),
      users.map(({ email }) => String(email)),
      users.flatMap(({ username }) => (username === null ? [] : [String(username)])),
      strangers.map((account) => [String(account.provider_id), String(account.account_id)]),
    );
    const ours = await this.members.among(db, [...taken.ids.values()]);
    const there = await findIn(db, "account", "userId", [...ours]);
    // Whoever set a password here keeps that one alone, under whatever id.
    const known = new Set(there.map(({ id }) => String(id)));
    for (const { providerId, userId } of there) if (providerId === "credential") known.add(credentialOf(userId));
    const plan: Upsert = { outcomes: [], people: [], accounts: [] };
    for (const person of people) plan.outcomes.push(this.#decide(person, taken, ours, known, plan));
    return plan;
  }

  #decide(person: Person, taken: Taken, ours: Set<string>, known: Set<string>, plan: Upsert): Outcome {
    const id = String(person.user.id);
    const refused = this.#reasonAgainst(person);
    if (refused) return { id, outcome: "refused", detail: refused };
    if (taken.ids.has(id) && !ours.has(id)) return { id, outcome: "id_taken" };
    const missing = person.accounts.filter(
      (account) => !known.has(String(account.id)) && !(isCredential(account) && known.has(credentialOf(id))),
    );
    const isTaken = (account: Wire) =>
      (taken.subjects.get(subjectKey(account.provider_id, account.account_id)) ?? id) !== id;
    const clash = missing.find(isTaken);
    if (clash) return { id, outcome: "subject_taken", detail: String(clash.provider_id) };
    if (!taken.ids.has(id)) {
      if (taken.emails.has(String(person.user.email))) return { id, outcome: "email_taken" };
      if (person.user.username !== null && taken.usernames.has(String(person.user.username)))
        return { id, outcome: "username_taken" };
      plan.people.push(person);
    }
    plan.accounts.push(...missing);
    const outcome = taken.ids.has(id) ? "there" : "inserted";
    remember(person, taken, ours, known);
    return { id, outcome };
  }

  #reasonAgainst({ user, accounts, tuples }: Person): string {
    if (!this.members.accountId("-", "-", "-")) return "MIGRATOR_MARK is not set at Auther";
    if (!isPlainRole(user.role)) return "another role";
    if (String(user.email) !== String(user.email).toLowerCase()) return "an address with capitals";
    const strange = accounts.some(
      (account) => account.user_id !== user.id || !this.members.wrote(toRecord(ACCOUNT, account)),
    );
    if (strange) return "an account without the mark";
    if (accounts.filter(isCredential).length > 1) return "two passwords";
    if (tuples.some((tuple) => tuple.subject_type !== "user" || tuple.subject_id !== user.id))
      return "a tuple of another";
    return tuples.length > 0 && !this.database ? "tuples need the plugin's option `database`" : "";
  }

  async #taken(
    db: Adapter,
    ids: string[],
    emails: string[],
    usernames: string[],
    subjects: string[][],
  ): Promise<Taken> {
    const users = (name: string, wanted: readonly string[]) => this.#select(db, "user", USER, name, wanted);
    const names = [...new Set(subjects.map((pair) => pair[1] ?? ""))];
    const accounts = await this.#select(db, "account", ACCOUNT, "account_id", names);
    return {
      ids: new Map((await users("id", ids)).map((user) => [String(user.id), user])),
      emails: new Map((await users("email", emails)).map((user) => [String(user.email), String(user.id)])),
      usernames: new Map((await users("username", usernames)).map((user) => [String(user.username), String(user.id)])),
      subjects: new Map(accounts.map((row) => [subjectKey(row.provider_id, row.account_id), String(row.user_id)])),
    };
  }

  async #people(db: Adapter, ids: readonly string[]): Promise<Map<string, Person>> {
    const users = await this.#select(db, "user", USER, "id", ids);
    const found = new Map(users.map((user) => [String(user.id), { user, accounts: [] as Wire[], tuples: [] }]));
    for (const account of await this.#select(db, "account", ACCOUNT, "user_id", [...found.keys()]))
      found.get(String(account.user_id))?.accounts.push(account);
    for (const { accounts } of found.values())
      accounts.sort((one, other) => (String(one.id) < String(other.id) ? -1 : 1));
    return found;
  }

  async #ours(db: Adapter, people: ReadonlyMap<string, Person>): Promise<Set<string>> {
    const found = [...people.values()];
    const accounts = found.flatMap((person) => person.accounts.map((account) => toRecord(ACCOUNT, account)));
    return this.members.among(
      db,
      found.map(({ user }) => user),
      accounts,
    );
  }

  /** Access tuples by user; null without the option `database` or the table. */
  async #tuples(db: Adapter, ids: readonly string[]): Promise<Map<string, Wire[]> | null> {
    if (!this.database || !(await this.#hasTuples())) return null;
    const found = new Map<string, Wire[]>();
    for (const row of await this.#select(db, "access_tuples", TUPLE, "subject_id", ids)) {
      const owner = String(row.subject_id);
      if (row.subject_type === "user") found.set(owner, [...(found.get(owner) ?? []), row]);
    }
    return found;
  }

  /** Rows in the form of the wire; straight from the database it is many times as fast as through the adapter. */
  async #select(
    db: Adapter,
    table: string,
    columns: Columns,
    name: string,
    wanted: readonly string[],
  ): Promise<Wire[]> {
    if (wanted.length === 0) return [];
    if (!this.database) return (await findIn(db, table, camel(name), wanted)).map((row) => toWire(columns, row));
    const sql = `SELECT ${quoted(columns)} FROM "${table}" WHERE "${name}" IN (SELECT value FROM json_each(?))`;
    const [result] = await this.database.batch([{ sql, args: [JSON.stringify(wanted)] }], "read");
    return Array.from(result?.rows ?? [], (row) => fromDatabase(columns, row as Row));
  }

  async #insert(context: AuthContext, { people, accounts }: Upsert): Promise<void> {
    const users = people.map(({ user }) => user);
    const marks = people.filter((person) => person.accounts.length === 0).map(({ user }) => markRow(user));
    if (this.database) {
      const tuples = people.flatMap((person) => person.tuples);
      await this.#batch([
        ...insertion("user", USER, users),
        ...insertion("account", ACCOUNT, accounts),
        ...insertion("verification", MARK, marks),
        ...insertion("access_tuples", TUPLE, tuples, ' ON CONFLICT ("id") DO NOTHING'),
      ]);
      return;
    }
    const undo: Array<() => Promise<unknown>> = [];
    await allOrNothing(undo, async () => {
      for (const [model, columns, rows] of [
        ["user", USER, users],
        ["account", ACCOUNT, accounts],
        ["verification", MARK, marks],
      ] as const)
        for (const row of rows) await createRow(context.adapter, model, columns, row, undo);
    });
  }

  async #planChanges(db: Adapter, changes: readonly Change[]): Promise<Changed[]> {
    const ids = changes.map(({ before }) => String(before.user.id));
    const now = await this.#people(db, ids);
    const ours = await this.#ours(db, now);
    const users = changes.flatMap(({ after }) => (after ? [after.user] : []));
    const names = users.flatMap(({ username }) => (username === null ? [] : [String(username)]));
    const taken = await this.#taken(
      db,
      [],
      users.map(({ email }) => String(email)),
      names,
      [],
    );
    return changes.map(({ before, after, revoked }) => {
      const id = String(before.user.id);
      const stored = now.get(id);
      if (!stored || !ours.has(id) || (after && !this.#mayBecome(stored, after))) return "refused";
      if (revoked.length > 0 && !this.database) return "refused";
      if (!isSame(stored, before)) return "conflict";
      if (after && (taken.emails.get(String(after.user.email)) ?? id) !== id) return "email_taken";
      const name = after?.user.username ?? null;
      if (name !== null && (taken.usernames.get(String(name)) ?? id) !== id) return "username_taken";
      if (after) remember(after, taken, ours, new Set());
      return "changed";
    });
  }

  #mayBecome(before: Person, after: Person): boolean {
    const known = new Set(before.accounts.map(({ id }) => id));
    const added = after.accounts.filter(({ id }) => !known.has(id ?? null));
    const kept = after.accounts.filter(({ id }) => known.has(id ?? null));
    const ofUser = kept.every(({ user_id }) => user_id === before.user.id);
    if (added.some(isCredential) && kept.some(isCredential)) return false;
    return after.user.id === before.user.id && ofUser && !this.#reasonAgainst({ ...after, accounts: added });
  }

  /** Makes changes whose users are still as `before` says; gives the `before` of those that were made. */
  async #write(context: AuthContext, changes: readonly Change[]): Promise<Set<Person>> {
    if (!this.database) return this.quiet.run(() => this.#writeOneByOne(context, changes));
    const tuples = changes.some(({ after }) => !after) && (await this.#hasTuples());
    const known = new Set(await this.#tablesWith("user_id"));
    const tables = MODELS_OF_TOKENS.map(snake).filter((name) => known.has(name));
    const claims = changes.map((change, index) => claimStatement(change, claimOf(index)));
    const rest = changes.flatMap((change, index) => changeStatements(change, claimOf(index), tuples));
    const ended = endStatements(changes, [...tables, "session"]);
    const results = await this.#batch([...claims, ...ended, ...rest]);
    const done = new Set<Person>();
    changes.forEach(({ before }, index) => {
      if ((results[index]?.rowsAffected ?? 0) > 0) done.add(before);
    });
    return done;
  }

  async #writeOneByOne(context: AuthContext, changes: readonly Change[]): Promise<Set<Person>> {
    const undo: Array<() => Promise<unknown>> = [];
    await allOrNothing(undo, async () => {
      for (const change of changes) await changeRows(context, change, undo);
    });
    return new Set(changes.map(({ before }) => before));
  }

  async #hasTuples(): Promise<boolean> {
    return (await this.#tablesWith("subject_id")).includes("access_tuples");
  }

  async #tablesWith(column: string): Promise<string[]> {
    const sql =
      `SELECT t.name FROM sqlite_schema AS t JOIN pragma_table_info(t.name) AS c` +
      ` WHERE t.type = 'table' AND c.name = ?`;
    const [found] = await this.#batch([{ sql, args: [column] }]);
    return Array.from(found?.rows ?? [], (row) => String((row as Row).name));
  }

  async #batch(statements: Statement[]): Promise<BatchResult[]> {
    return statements.length === 0 || !this.database ? [] : this.database.batch(statements, "write");
  }
}

interface Taken {
  readonly ids: Map<string, Row>;
  readonly emails: Map<string, string>;
  readonly usernames: Map<string, string>;
  readonly subjects: Map<string, string>;
}

/** What a person takes is taken for those who follow in the same request. */
function remember({ user, accounts }: Person, taken: Taken, ours: Set<string>, known: Set<string>): void {
  const id = String(user.id);
  taken.ids.set(id, user);
  ours.add(id);
  taken.emails.set(String(user.email), id);
  if (user.username !== null) taken.usernames.set(String(user.username), id);
  for (const account of accounts) {
    known.add(String(account.id));
    if (isCredential(account)) known.add(credentialOf(id));
    taken.subjects.set(subjectKey(account.provider_id, account.account_id), id);
  }
}

const isCredential = (account: Wire) => account.provider_id === "credential";
const withoutPassword = (account: Wire): Wire => ({ ...account, password: account.password ? WITHHELD : null });
const credentialOf = (userId: unknown) => subjectKey("credential", userId);
const subjectKey = (provider: unknown, subject: unknown) => JSON.stringify([provider, subject]);

function markRow({ id, created_at, updated_at }: Wire): Wire {
  const name = markIdentifier(String(id));
  const times = { created_at: created_at ?? null, updated_at: updated_at ?? null };
  return { id: name, identifier: name, value: "", expires_at: NEVER.getTime(), ...times };
}

function isSame(one: Person, other: Person): boolean {
  const text = ({ user, accounts }: Person) => {
    const sorted = accounts
      .map((account) => values(ACCOUNT, account))
      .sort((a, b) => (String(a[0]) < String(b[0]) ? -1 : 1));
    return JSON.stringify([values(USER, user), sorted]);
  };
  return text(one) === text(other);
}

function insertion(table: string, columns: Columns, rows: readonly Wire[], tail = ""): Statement[] {
  const names = quoted(columns);
  const one = `(${Object.keys(columns)
    .map(() => "?")
    .join(", ")})`;
  return inChunks(rows, INSERT_ROWS).map((chunk) => ({
    sql: `INSERT INTO "${table}" (${names}) VALUES ${chunk.map(() => one).join(", ")}${tail}`,
    args: chunk.flatMap((row) => values(columns, row)),
  }));
}

/** Below what a Date reaches, which is no row's time. */
const claimOf = (index: number) => -TIME_MS_MAX - 1 - index;

/** Whoever is signed in as this user must not stay so: shut out, deleted, or with another password. */
function endsSessions({ before, after }: Change): boolean {
  if (!after) return true;
  const password = ({ accounts }: Person) =>
    accounts.find(({ provider_id }) => provider_id === "credential")?.password ?? null;
  const [then, now] = [before.user, after.user];
  const isShut = Boolean(now.banned) && (then.banned !== now.banned || then.ban_expires !== now.ban_expires);
  return isShut || (password(before) !== null && password(before) !== password(after));
}

/** Signs out those of the changes' users who are held; in one statement a table, for want of an index. */
function endStatements(changes: readonly Change[], tables: readonly string[]): Statement[] {
  const held = changes.flatMap((change, index) =>
    endsSessions(change) ? [[change.before.user.id, claimOf(index)]] : [],
  );
  if (held.length === 0) return [];
  const whose =
    `SELECT u."id" FROM json_each(?) AS c JOIN "user" AS u` +
    ` ON u."id" = c.value ->> 0 AND u."updated_at" = c.value ->> 1`;
  const args = [JSON.stringify(held)];
  return tables.map((table) => ({ sql: `DELETE FROM "${table}" WHERE "user_id" IN (${whose})`, args }));
}

/** Where sessions are kept beside the database too, they end there as well. */
async function endStoredSessions(context: AuthContext, changes: readonly Change[]): Promise<void> {
  if (!context.options.secondaryStorage) return;
  for (const { before } of changes) await endSessions(context, String(before.user.id));
}

/** Takes hold of a user, if everything is as before, by a time that no row can have. */
function claimStatement({ before }: Change, claim: number): Statement {
  const id = before.user.id ?? null;
  const each = before.accounts.map(
    () => ` AND EXISTS (SELECT 1 FROM "account" WHERE "id" = ? AND (${quoted(ACCOUNT)}) IS (${marks(ACCOUNT)}))`,
  );
  return {
    sql:
      `UPDATE "user" SET "updated_at" = ? WHERE "id" = ? AND (${quoted(USER)}) IS (${marks(USER)})` +
      ` AND (SELECT count(*) FROM "account" WHERE "user_id" = ?) = ?${each.join("")}`,
    args: [
      claim,
      id,
      ...values(USER, before.user),
      id,
      before.accounts.length,
      ...before.accounts.flatMap((row) => [row.id ?? null, ...values(ACCOUNT, row)]),
    ],
  };
}

/** The rest of a change, in the same transaction: each statement does something only where the claim held. */
function changeStatements({ before, after, revoked }: Change, claim: number, tuples: boolean): Statement[] {
  const id = before.user.id ?? null;
  const held = `EXISTS (SELECT 1 FROM "user" WHERE "id" = ? AND "updated_at" = ?)`;
  const when = (sql: string, args: Cell[]): Statement => ({ sql: `${sql} ${held}`, args: [...args, id, claim] });
  if (!after) {
    const owned = [when(`DELETE FROM "account" WHERE "user_id" = ? AND`, [id])];
    const mark = when(`DELETE FROM "verification" WHERE "identifier" = ? AND`, [markIdentifier(String(id))]);
    const roles = `DELETE FROM "access_tuples" WHERE "subject_type" = 'user' AND "subject_id" = ? AND`;
    if (tuples) owned.push(when(roles, [id]));
    return [
      ...owned,
      mark,
      { sql: `DELETE FROM "user" WHERE "id" = ? AND "updated_at" = ?`, args: [id, claim] },
    ];
  }
  const { gone, altered, added } = difference(before, after);
  // Perhaps the last one of ours goes.
  const list = gone.length > 0 ? [markRow(after.user)] : [];
  return [
    ...gone.map((row) => when(`DELETE FROM "account" WHERE "id" = ? AND`, [row.id ?? null])),
    ...altered.map((row) =>
      when(`UPDATE "account" SET (${quoted(ACCOUNT)}) = (${marks(ACCOUNT)}) WHERE "id" = ? AND`, [
        ...values(ACCOUNT, row),
        row.id ?? null,
      ]),
    ),
    ...added.map((row) =>
      when(`INSERT INTO "account" (${quoted(ACCOUNT)}) SELECT ${marks(ACCOUNT)} WHERE`, values(ACCOUNT, row)),
    ),
    ...revoked.map((name) =>
      when(`DELETE FROM "access_tuples" WHERE "id" = ? AND "subject_type" = 'user' AND "subject_id" = ? AND`, [
        name,
        id,
      ]),
    ),
    ...after.tuples.map((row) =>
      when(
        `INSERT INTO "access_tuples" (${quoted(TUPLE)}) SELECT ${marks(TUPLE)}` +
          ` WHERE NOT EXISTS (SELECT 1 FROM "access_tuples" WHERE "id" = ?) AND`,
        [...values(TUPLE, row), row.id ?? null],
      ),
    ),
    ...list.map((row) =>
      when(
        `INSERT INTO "verification" (${quoted(MARK)}) SELECT ${marks(MARK)}` +
          ` WHERE NOT EXISTS (SELECT 1 FROM "verification" WHERE "id" = ?) AND`,
        [...values(MARK, row), row.id ?? null],
      ),
    ),
    // Without "id": for a key that others refer to, even an unchanged one, SQLite looks through their tables.
    {
      sql: `UPDATE "user" SET (${quoted(USER_DATA)}) = (${marks(USER_DATA)}) WHERE "id" = ? AND "updated_at" = ?`,
      args: [...values(USER_DATA, after.user), id, claim],
    },
  ];
}

function difference(before: Person, after: Person): { gone: Wire[]; altered: Wire[]; added: Wire[] } {
  const then = new Map(before.accounts.map((row) => [row.id, JSON.stringify(values(ACCOUNT, row))]));
  const kept = new Set(after.accounts.map(({ id }) => id));
  return {
    gone: before.accounts.filter(({ id }) => !kept.has(id)),
    altered: after.accounts.filter(
      (row) => then.has(row.id) && then.get(row.id) !== JSON.stringify(values(ACCOUNT, row)),
    ),
    added: after.accounts.filter(({ id }) => !then.has(id)),
  };
}

/** The same through better-auth's adapter, where it knows no transaction: each step notes how it is taken back. */
async function changeRows(
  context: AuthContext,
  change: Change,
  undo: Array<() => Promise<unknown>>,
): Promise<void> {
  const { before, after } = change;
  const db = context.adapter;
  const userId = String(before.user.id);
  const { gone, altered, added } = difference(before, after ?? { ...before, accounts: [] });
  const old = new Map(before.accounts.map((row) => [row.id, row]));
  for (const row of gone) await deleteRow(db, "account", ACCOUNT, row, undo);
  for (const row of altered) await updateRow(db, "account", ACCOUNT, old.get(row.id) ?? row, row, undo);
  for (const row of added) await createRow(db, "account", ACCOUNT, row, undo);
  const mark = markRow(before.user);
  const marked = await db.findOne({ model: "verification", where: [{ field: "id", value: String(mark.id) }] });
  if (after) {
    if (gone.length > 0 && !marked) await createRow(db, "verification", MARK, mark, undo);
    await updateRow(db, "user", USER, before.user, after.user, undo);
    if (endsSessions(change)) await endAccess(context, userId);
    return;
  }
  if (marked) await deleteRow(db, "verification", MARK, mark, undo);
  await endAccess(context, userId);
  await deleteRow(db, "user", USER, before.user, undo);
}

/** Ends sessions and tokens; not taken back when something fails later: then people sign in again. */
async function endAccess(context: AuthContext, userId: string): Promise<void> {
  const where = [{ field: "userId", value: userId }];
  for (const model of MODELS_OF_TOKENS.filter((name) => name in context.tables))
    await context.adapter.deleteMany({ model, where });
  await context.adapter.deleteMany({ model: "session", where });
}

async function createRow(db: Adapter, model: string, columns: Columns, row: Wire, undo: Array<() => Promise<unknown>>) {
  await db.create({ model, data: toRecord(columns, row), forceAllowId: true });
  const where = [{ field: "id", value: String(row.id) }];
  undo.push(() => db.deleteMany({ model, where }));
  // better-auth turns a missing `banned` of a new row into false.
  if (model === "user" && row.banned === null) await db.updateMany({ model, where, update: toRecord(columns, row) });
}

async function updateRow(
  db: Adapter,
  model: string,
  columns: Columns,
  from: Wire,
  to: Wire,
  undo: Array<() => Promise<unknown>>,
) {
  const where = [{ field: "id", value: String(from.id) }];
  await db.updateMany({ model, where, update: toRecord(columns, to) });
  undo.push(() => db.updateMany({ model, where, update: toRecord(columns, from) }));
}

async function deleteRow(db: Adapter, model: string, columns: Columns, row: Wire, undo: Array<() => Promise<unknown>>) {
  await db.deleteMany({ model, where: [{ field: "id", value: String(row.id) }] });
  undo.push(() => db.create({ model, data: toRecord(columns, row), forceAllowId: true }));
}

/** When the work fails, takes back what it noted in `undo`, the last first. */
async function allOrNothing(undo: Array<() => Promise<unknown>>, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    for (const step of undo.reverse()) await step().catch(() => undefined);
    throw error;
  }
}

function personOf(value: unknown, where: string): Person {
  if (!isObject(value)) throw badRequest(`${where} is no object`);
  return {
    user: wireOf(USER, value.user, `${where}.user`),
    accounts: list(value.accounts ?? [], `${where}.accounts`, IDS_MAX).map((row) =>
      wireOf(ACCOUNT, row, `${where}.accounts`),
    ),
    tuples: list(value.tuples ?? [], `${where}.tuples`, IDS_MAX).map((row) => wireOf(TUPLE, row, `${where}.tuples`)),
  };
}

function changeOf(value: unknown, where: string): Change {
  if (!isObject(value)) throw badRequest(`${where} is no object`);
  const { user, accounts } = value;
  const { add = [], remove = [] } = isObject(value.tuples) ? value.tuples : {};
  return {
    before: personOf(value.before, `${where}.before`),
    after: user === null ? null : personOf({ user, accounts, tuples: add }, where),
    revoked: texts(remove, `${where}.tuples.remove`),
  };
}

/** Checks a row from outside against its columns. */
function wireOf(columns: Columns, value: unknown, where: string): Wire {
  if (!isObject(value)) throw badRequest(`${where} is no object`);
  const unknown = Object.keys(value).find((name) => !Object.hasOwn(columns, name));
  if (unknown !== undefined) throw badRequest(`${where} has an unknown column`);
  const cells = Object.entries(columns).map(([name, kind]) => [
    name,
    cellOf(kind, value[name] ?? null, `${where}.${name}`),
  ]);
  return Object.fromEntries(cells) as Wire;
}

function cellOf(kind: Kind, value: unknown, where: string): Cell {
  if (value === null && kind.endsWith("?")) return null;
  if (kind.startsWith("text") && typeof value === "string" && (value !== "" || !where.endsWith("id"))) return value;
  if (kind.startsWith("flag") && [0, 1, true, false].includes(value as number)) return Number(value);
  if (kind.startsWith("time") && Number.isInteger(value) && Math.abs(value as number) <= TIME_MS_MAX)
    return value as number;
  throw badRequest(`${where} is no ${kind.replace("?", "")}`);
}

const quoted = (columns: Columns) =>
  Object.keys(columns)
    .map((name) => `"${name}"`)
    .join(", ");
const marks = (columns: Columns) =>
  Object.keys(columns)
    .map(() => "?")
    .join(", ");
const values = (columns: Columns, row: Wire) => Object.keys(columns).map((name) => row[name] ?? null);
const camel = (name: string) => name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
const snake = (name: string) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** A row of the wire as better-auth's adapters take it. */
function toRecord(columns: Columns, row: Wire): Row {
  const cells = Object.entries(columns).map(([name, kind]) => {
    const cell = row[name] ?? null;
    if (cell === null || kind.startsWith("text")) return [camel(name), cell];
    return [camel(name), kind.startsWith("time") ? new Date(Number(cell)) : Boolean(cell)];
  });
  return Object.fromEntries(cells) as Row;
}

/** SQLite keeps flags as 0 and 1 and times as numbers already. */
function fromDatabase(columns: Columns, row: Row): Wire {
  return Object.fromEntries(Object.keys(columns).map((name) => [name, (row[name] ?? null) as Cell]));
}

function toWire(columns: Columns, record: Row): Wire {
  const cells = Object.entries(columns).map(([name, kind]) => {
    const cell = record[camel(name)] ?? null;
    if (cell === null || kind.startsWith("text")) return [name, cell];
    return [name, kind.startsWith("time") ? new Date(cell as Date).getTime() : Number(cell)];
  });
  return Object.fromEntries(cells) as Wire;
}

function list(value: unknown, name: string, max: number): unknown[] {
  if (!Array.isArray(value)) throw badRequest(`${name} is no list`);
  if (value.length > max) throw badRequest(`${name} has more than ${max} entries`);
  return value;
}

function texts(value: unknown, name: string): string[] {
  const found = list(value, name, IDS_MAX);
  if (!found.every((text) => typeof text === "string")) throw badRequest(`${name} holds something else than text`);
  return [...new Set(found)];
}

// ---------------------------------------------------------------------------------------------------------------
// The journal of changes: a row in `verification` for each change that people or administrators make here to users of
// this migration, with `newUsers` to all users without another role. All doors end at better-auth's adapter, so that
// is where the journal stands: sign-up, change, reset and set of a password, a new address, ban and unban, deletion,
// the end of all sessions, whichever endpoint or plugin did it. The plugin's own work (import, rehash, logout) is
// no change. A sign-up is two events, `sign_up` and then `password`. Events are written right after the change, on the
// same connection; one that cannot be written stops nobody, is logged, and counted until Auther ends: `events` says so.
// A ban that has run out is no `unban`: the application's own lock ends the same way.

type EventType = "password" | "email" | "ban" | "unban" | "delete" | "sign_up" | "revoke";
type Where = NonNullable<Parameters<Adapter["findMany"]>[0]["where"]>;
type Query = { model: string; where: Where };
type Transaction = Parameters<Parameters<Adapter["transaction"]>[0]>[0];

interface EventValue extends Row {
  readonly type: EventType;
  readonly user_id: string;
  readonly at_ms: number;
  readonly sealed?: string;
}

const EVENT_PREFIX = "migrator:event:";
const DAY_MS = 24 * 60 * 60 * 1000;
const EVENT_DAYS = 30;
const EVENTS_MAX = 1000;
const SETTLE_MS = 1000;
const SWEEP_EVERY_MS = 60 * 60 * 1000;
const PASSWORD_MS = 30_000;
const eventIdentifier = (atMs: number, random: string) =>
  `${EVENT_PREFIX}${String(Math.max(atMs, 0)).padStart(15, "0")}${random && ":"}${random}`;

class Journal {
  /** Events that could not be written down since this process began. */
  lost = 0;
  #written = 0;
  readonly #seen = new WeakSet<object>();
  readonly #passwords = new Map<string, { password: string; expires: number }>();

  constructor(
    private readonly members: Members,
    private readonly quiet: Quiet,
    private readonly seal: Seal,
    private readonly newUsers: boolean,
  ) {}

  /** Keeps, for as long as it takes to store a new hash, the password that it was made of. */
  remember(hash: string, password: string): void {
    if (!this.seal.isOpen) return;
    const now = performance.now();
    for (const [old, { expires }] of this.#passwords) if (expires < now) this.#passwords.delete(old);
    this.#passwords.set(hash, { password, expires: now + PASSWORD_MS });
    setTimeout(() => this.#passwords.delete(hash), PASSWORD_MS).unref();
  }

  /** Puts the journal around the writing methods of better-auth's adapter. */
  watch<Db extends Adapter | Transaction>(db: Db, ctx: AuthContext): Db {
    if (this.#seen.has(db)) return db;
    this.#seen.add(db);
    const own = { ...db } as Adapter;
    const watched: Pick<Adapter, "create" | "update" | "updateMany" | "delete" | "deleteMany" | "findMany"> = {
      findMany: async (query) => (isReserved(query) ? [] : own.findMany(query)),
      create: async (query) => {
        const row = await own.create(query);
        await this.#after(ctx, async () => this.#created(own, ctx, query.model, { ...query.data, ...(row as Row) }));
        return row as never;
      },
      update: (query) => this.#around(own, ctx, query, query.update, () => own.update(query) as Promise<never>),
      updateMany: (query) => this.#around(own, ctx, query, query.update, () => own.updateMany(query)),
      delete: (query) => this.#around(own, ctx, query, null, () => own.delete(query)),
      deleteMany: (query) => this.#around(own, ctx, query, null, () => own.deleteMany(query)),
    };
    Object.assign(db, watched);
    if ("transaction" in db)
      Object.assign(db, {
        transaction: ((work) => own.transaction((inner) => work(this.watch(inner, ctx)))) as Adapter["transaction"],
      });
    return db;
  }

  async revoked(ctx: AuthContext, userId: string): Promise<void> {
    await this.#after(ctx, async () => {
      if (await this.#concerns(ctx.adapter, userId)) await this.#write(ctx.adapter, "revoke", userId);
    });
  }

  /** Looks before a write, writes, and notes what became different. */
  async #around<T>(
    db: Adapter,
    ctx: AuthContext,
    query: Query,
    update: Row | null,
    write: () => Promise<T>,
  ): Promise<T> {
    const note = this.quiet.now ? null : await this.#prepare(db, ctx, query, update).catch(() => this.#lose(ctx));
    const result = await write();
    if (note) await this.#after(ctx, note);
    return result;
  }

  async #after(ctx: AuthContext, note: () => Promise<void>): Promise<void> {
    if (this.quiet.now) return;
    await note().catch((error: unknown) => this.#lose(ctx, error));
  }

  #lose(ctx: AuthContext, error?: unknown): null {
    this.lost += 1;
    const what = error instanceof Unwritten ? error.message : "a change of a user";
    ctx.logger.error(`migrator: EVENT LOST, could not be written down: ${what}`);
    return null;
  }

  async #created(db: Adapter, ctx: AuthContext, model: string, row: Row): Promise<void> {
    if (model === "user" && this.newUsers && isPlainRole(row.role))
      await this.#write(db, "sign_up", String(row.id), aboutAddress(row), { name: String(row.name) });
    if (model === "account" && row.providerId === "credential" && typeof row.password === "string")
      await this.#passwordSet(db, ctx, [String(row.userId)], row.password);
  }

  /** What will have to be noted once the write is done; null when nothing. */
  async #prepare(
    db: Adapter,
    ctx: AuthContext,
    query: Query,
    update: Row | null,
  ): Promise<(() => Promise<void>) | null> {
    const { model, where } = query;
    if (model === "user" && update && !["email", "emailVerified", "banned"].some((field) => field in update))
      return null;
    if (model === "account" && update && typeof update.password !== "string") return null;
    if (model === "session") return update ? null : this.#sessionsEnd(db, where);
    if (model !== "user" && model !== "account") return null;
    const rows = await db.findMany<Row>({ model, where, limit: ALL_ROWS });
    if (model === "user") return update ? () => this.#usersChanged(db, rows, update) : this.#usersGo(db, rows);
    if (!update) return this.#accountsGo(db, rows);
    const owners = rows.filter(
      ({ providerId, password }) => providerId === "credential" && password !== update.password,
    );
    return () =>
      this.#passwordSet(
        db,
        ctx,
        owners.map(({ userId }) => String(userId)),
        String(update.password),
      );
  }

  async #sessionsEnd(db: Adapter, where: Where): Promise<(() => Promise<void>) | null> {
    const [only, more] = where;
    if (more || only?.field !== "userId" || typeof only.value !== "string") return null;
    const userId = only.value;
    return async () => {
      if (await this.#concerns(db, userId)) await this.#write(db, "revoke", userId);
    };
  }

  async #usersChanged(db: Adapter, rows: Row[], update: Row): Promise<void> {
    for (const before of rows) {
      const id = String(before.id);
      const after: Row = { ...before, ...update };
      const ended = before.banExpires instanceof Date && before.banExpires.getTime() <= Date.now();
      const isBan = !before.banned && Boolean(after.banned);
      const isUnban = Boolean(before.banned) && !after.banned && !ended;
      // An address that is proven later counts as a new one: the application has to hear of it.
      const isMove = before.email !== after.email || (!before.emailVerified && Boolean(after.emailVerified));
      if (!(isBan || isUnban || isMove) || !(await this.#concerns(db, id))) continue;
      if (isMove) await this.#write(db, "email", id, aboutAddress(after));
      if (isBan || isUnban) await this.#write(db, isBan ? "ban" : "unban", id);
    }
  }

  async #usersGo(db: Adapter, rows: Row[]): Promise<() => Promise<void>> {
    const gone: string[] = [];
    for (const { id } of rows) if (await this.#concerns(db, String(id))) gone.push(String(id));
    return async () => {
      for (const id of gone) {
        await db.deleteMany({ model: "verification", where: [{ field: "identifier", value: markIdentifier(id) }] });
        await this.#write(db, "delete", id);
      }
    };
  }

  /** Whoever loses an account of ours gets the mark instead: accounts are deleted before their user is. */
  async #accountsGo(db: Adapter, rows: Row[]): Promise<null> {
    const owners = new Set(rows.filter((row) => this.members.wrote(row)).map(({ userId }) => String(userId)));
    for (const owner of owners) await ensureMark(db, owner);
    return null;
  }

  async #passwordSet(db: Adapter, ctx: AuthContext, userIds: readonly string[], hash: string): Promise<void> {
    const password = this.#passwords.get(hash)?.password;
    this.#passwords.delete(hash);
    for (const id of new Set(userIds)) {
      if (!(await this.#concerns(db, id))) continue;
      const sealed = password === undefined ? null : await this.seal.close(password, id, ctx);
      await this.#write(db, "password", id, sealed === null ? {} : { sealed });
    }
  }

  async #concerns(db: Adapter, userId: string): Promise<boolean> {
    const user = await db.findOne<Row>({ model: "user", where: [{ field: "id", value: userId }] });
    if (!user || !isPlainRole(user.role)) return false;
    return this.newUsers || (await this.members.among(db, [user])).has(userId);
  }

  async #write(db: Adapter, type: EventType, userId: string, ...more: Row[]): Promise<void> {
    const now = new Date();
    const value = Object.assign({ type, user_id: userId, at_ms: now.getTime() }, ...more) as EventValue;
    // Those of one process keep their order within a millisecond.
    this.#written = (this.#written + 1) % 10_000;
    const order = String(this.#written).padStart(4, "0");
    const identifier = eventIdentifier(now.getTime(), order + randomBytes(9).toString("base64url"));
    const expiresAt = new Date(now.getTime() + EVENT_DAYS * DAY_MS);
    const data = { identifier, value: JSON.stringify(value), expiresAt, createdAt: now, updatedAt: now };
    await db.create({ model: "verification", data }).catch(() => {
      throw new Unwritten(`${type} of user ${userId}`);
    });
  }
}

/** Says what could not be written down, without the values that a database's own message quotes. */
class Unwritten extends Error {}

/**
 * Whether somebody's code or token names a row of ours. better-auth looks such rows up by whatever text a request
 * brings and then deletes them: /oauth2/token with the code `migrator:user:<id>` would take the mark from that user.
 * The plugin itself never looks for one row in this way.
 */
const isReserved = ({ model, where = [] }: Parameters<Adapter["findMany"]>[0]) =>
  model === "verification" &&
  where.some(
    ({ field, operator = "eq", value }) =>
      field === "identifier" && operator === "eq" && String(value).startsWith("migrator:"),
  );

const aboutAddress = ({ email, emailVerified }: Row): Row => ({ email, email_verified: Boolean(emailVerified) });

async function ensureMark(db: Adapter, userId: string): Promise<void> {
  const identifier = markIdentifier(userId);
  if ((await findIn(db, "verification", "identifier", [identifier])).length > 0) return;
  const now = new Date();
  const data = { id: identifier, identifier, value: "", expiresAt: NEVER, createdAt: now, updatedAt: now };
  await db.create({ model: "verification", data, forceAllowId: true });
}

function eventEndpoints(gate: Gate, events: Events) {
  if (!gate.isOpen("EVENTS")) return {};
  const acknowledge = { capability: "EVENTS", method: "POST" } as const;
  return {
    migratorEvents: gate.endpoint("/migrator/events", { capability: "EVENTS", method: "GET" }, (call) =>
      events.after(call),
    ),
    migratorAcknowledge: gate.endpoint("/migrator/events/acknowledge", acknowledge, (call) => events.acknowledge(call)),
  };
}

/** What the journal wrote, for the migrator. Sealed passwords leave the table when acknowledged, or after a day. */
class Events {
  #sweptTo = EVENT_PREFIX;

  constructor(private readonly journal: Journal) {}

  /** In order; what is younger than a second is held back, since an older one may still be on its way. */
  async after({ context, input }: Call): Promise<Json> {
    const asked = String(input.after ?? "");
    if (asked !== "" && !asked.startsWith(EVENT_PREFIX)) throw badRequest("after is no cursor");
    const now = Date.now();
    await this.sweep(context.adapter, now);
    const limit = Math.min(Math.max(Math.trunc(Number(input.limit ?? EVENTS_MAX)) || EVENTS_MAX, 1), EVENTS_MAX);
    const rows = await this.#page(context.adapter, asked, limit, now - SETTLE_MS);
    const events = rows.map(({ identifier, value }) => ({ id: identifier, ...value }));
    return { events, cursor: rows.at(-1)?.identifier ?? asked, now_ms: now, lost: this.journal.lost };
  }

  async acknowledge({ context, input }: Call): Promise<Json> {
    const ids = texts(input.ids, "ids").filter((id) => id.startsWith(EVENT_PREFIX));
    const rows = await findIn(context.adapter, "verification", "identifier", ids);
    for (const row of rows) {
      const { sealed: _, ...value } = eventValue(row);
      await this.#store(context.adapter, String(row.identifier), { ...value, acknowledged: true });
    }
    return { acknowledged: rows.length };
  }

  /** Blanks what was sealed more than a day ago. */
  async sweep(db: Adapter, now: number): Promise<void> {
    for (;;) {
      const rows = await this.#page(db, this.#sweptTo, EVENTS_MAX, now - DAY_MS);
      for (const { identifier, value } of rows) {
        const { sealed, ...rest } = value;
        if (sealed) await this.#store(db, identifier, { ...rest, sealed_expired: true });
      }
      const last = rows.at(-1);
      if (!last) return;
      this.#sweptTo = last.identifier;
    }
  }

  async unacknowledged(db: Adapter): Promise<number> {
    const count = async (field: string, operator: "starts_with" | "contains", value: string) =>
      Number(await db.count({ model: "verification", where: [{ field, operator, value }] }));
    const done = await count("value", "contains", '"acknowledged":true');
    return (await count("identifier", "starts_with", EVENT_PREFIX)) - done;
  }

  async #page(db: Adapter, after: string, limit: number, untilMs: number) {
    const value = after.startsWith(EVENT_PREFIX) ? after : EVENT_PREFIX;
    const where: Where = [{ field: "identifier", operator: "gt", value }];
    const sortBy = { field: "identifier", direction: "asc" } as const;
    const rows = await db.findMany<Row>({ model: "verification", where, sortBy, limit });
    const end = eventIdentifier(untilMs, "");
    // Rows of others sort behind the events.
    return rows
      .map((row) => ({ identifier: String(row.identifier), value: eventValue(row) }))
      .filter(({ identifier }) => identifier.startsWith(EVENT_PREFIX) && identifier < end);
  }

  async #store(db: Adapter, identifier: string, value: Row): Promise<void> {
    const where = [{ field: "identifier", value: identifier }];
    await db.updateMany({ model: "verification", where, update: { value: JSON.stringify(value) } });
  }
}

function sweepRegularly(events: Events, ctx: AuthContext): void {
  const sweep = () =>
    events.sweep(ctx.adapter, Date.now()).catch((error: unknown) => {
      ctx.logger.error(`migrator: old sealed passwords could not be cleared away (${errorName(error)})`);
    });
  setInterval(sweep, SWEEP_EVERY_MS).unref();
  void sweep();
}

function eventValue({ value }: Row): Partial<EventValue> & Row {
  try {
    const parsed: unknown = JSON.parse(String(value));
    return isObject(parsed) ? parsed : {};
  } catch {
    return {};
  }
}

// ---------------------------------------------------------------------------------------------------------------
// Write-back material: a new password in the application's own scheme, which only the migrator can open.
// MIGRATOR_WRITE_BACK says how (MAKERS below), MIGRATOR_SEAL_KEY is the migrator's public X25519 key. Without both
// nothing is sealed, and no password is remembered for it.
//   v1.<ephemeral public key>.<iv, ciphertext, tag>, base64url; AES-256-GCM; additional data: the user's id;
//   key = HKDF-SHA256(X25519 secret, salt = ephemeral || recipient, info = "migrator write-back v1")

const SEAL_INFO = "migrator write-back v1";
const X25519_BYTES = 32;
const IV_BYTES = 12;

class Seal {
  readonly #recipient: KeyObject | null;
  readonly #recipientBytes: Buffer;
  readonly #make: Make | null;

  constructor(env: Environment) {
    this.#recipientBytes = Buffer.from(env.MIGRATOR_SEAL_KEY ?? "", "base64url");
    const isKey = this.#recipientBytes.length === X25519_BYTES;
    this.#recipient = isKey ? x25519(this.#recipientBytes) : null;
    this.#make = maker(env.MIGRATOR_WRITE_BACK ?? "");
  }

  problems(env: Environment): string[] {
    const { MIGRATOR_SEAL_KEY: key, MIGRATOR_WRITE_BACK: scheme } = env;
    if (!key && !scheme) return [];
    if (!this.#recipient) return ["MIGRATOR_SEAL_KEY is no X25519 public key: new passwords are not written back"];
    if (!this.#make)
      return ["MIGRATOR_WRITE_BACK is no scheme with a cost: new passwords are not written back"];
    return [];
  }

  get isOpen(): boolean {
    return this.#recipient !== null && this.#make !== null;
  }

  /** Seals the legacy value of a password; null when it has none. */
  async close(password: string, userId: string, ctx: AuthContext): Promise<string | null> {
    // Applications answer with an error to a NUL byte.
    if (!this.#recipient || !this.#make || password.includes("\0")) return null;
    const value = await this.#make(password, (problem) => ctx.logger.error(problem));
    return value === null ? null : this.#encrypt(value, userId, this.#recipient);
  }

  #encrypt(value: string, userId: string, recipient: KeyObject): string {
    const { publicKey, privateKey } = generateKeyPairSync("x25519");
    const ephemeral = Buffer.from(String(publicKey.export({ format: "jwk" }).x), "base64url");
    const shared = diffieHellman({ privateKey, publicKey: recipient });
    const salt = Buffer.concat([ephemeral, this.#recipientBytes]);
    const key = Buffer.from(hkdfSync("sha256", shared, salt, SEAL_INFO, 32));
    const iv = randomBytes(IV_BYTES);
    const cipher = createCipheriv("aes-256-gcm", key, iv).setAAD(Buffer.from(userId, "utf8"));
    const sealed = Buffer.concat([iv, cipher.update(value, "utf8"), cipher.final(), cipher.getAuthTag()]);
    return `v1.${ephemeral.toString("base64url")}.${sealed.toString("base64url")}`;
  }
}

/** Makes a legacy value of a password; null when it cannot, and why is told. */
type Make = (password: string, tell: Warn) => Promise<string | null>;

const COST = "(0?[4-9]|1[0-7])";
const SALT_BYTES = 16;
// By what MIGRATOR_WRITE_BACK says; `pepper=none` for none. The migrator puts Django's own name before Argon2's values.
const MAKERS: readonly (readonly [RegExp, (...given: string[]) => Make | null])[] = [
  [new RegExp(`^bcrypt:cost=${COST}&pepper=([A-Za-z0-9_-]{1,32})$`), makeBcrypt],
  [new RegExp(`^django_bcrypt:cost=${COST}$`), makeDjangoBcrypt],
  [/^django_pbkdf2:iterations=([1-9]\d{0,6})$/, makeDjangoPbkdf2],
  [/^argon2:kind=(argon2id?)&m=([1-9]\d{0,6})&t=([1-9]\d{0,3})&p=([1-9]\d?)$/, makeArgon2],
];

/** What makes values in this way; null when they could not be verified afterwards. */
function maker(text: string): Make | null {
  for (const [form, make] of MAKERS) {
    const match = form.exec(text);
    if (match) return make(...match.slice(1));
  }
  return null;
}

function makeBcrypt(cost: string, pepper: string): Make {
  return async (password, tell) => {
    const secret = pepperOf(pepper);
    if (secret === undefined) tell(`migrator: not written back, not set: ${pepperVariable(pepper)}`);
    if (secret === undefined) return null;
    const input = Buffer.from(password + secret, "utf8").subarray(0, BCRYPT_INPUT_BYTES);
    return hashBcrypt(input, { cost: Number(cost), version: "2a" });
  };
}

function makeDjangoBcrypt(cost: string): Make {
  return async (password) => {
    const input = digest("sha256", Buffer.from(password, "utf8")).toString("hex");
    return `bcrypt_sha256$${await hashBcrypt(input, { cost: Number(cost), version: "2b" })}`;
  };
}

function makeDjangoPbkdf2(iterations: string): Make | null {
  if (Number(iterations) > PBKDF2_ITERATIONS) return null;
  return async (password) => {
    const salt = randomBytes(SALT_BYTES).toString("hex");
    const input = Buffer.from(password, "utf8");
    const key = await derivePbkdf2(input, salt, Number(iterations), HASH_BYTES.sha256!, "sha256");
    return `pbkdf2_sha256$${iterations}$${salt}$${key.toString("base64")}`;
  };
}

function makeArgon2(kind: string, m: string, t: string, p: string): Make | null {
  const [memoryCost, timeCost, parallelism] = [Number(m), Number(t), Number(p)] as const;
  if (!isAffordable(memoryCost, timeCost, parallelism)) return null;
  const algorithm = kind === "argon2i" ? 1 : 2;
  return (password) => hashArgon2(password, { algorithm, memoryCost, timeCost, parallelism, outputLen: 32 });
}

function x25519(bytes: Buffer): KeyObject {
  return createPublicKey({ key: { kty: "OKP", crv: "X25519", x: bytes.toString("base64url") }, format: "jwk" });
}

// ---------------------------------------------------------------------------------------------------------------
// Verify and statistics: what is known without anybody signing in.
//   verify   `valid` means that this password would sign in. `reason` is "banned" or "unverified" for a right password
//            that would not. Strangers and users without a password cost what a wrong password costs. It makes no
//            session, no rehash, no event. After 30 wrong passwords for one id within a minute it answers 429 for
//            that id until the minute is over: whoever comes by the secret can't guess faster than that.

interface Looks {
  readonly gate: Gate;
  readonly members: Members;
  readonly events: Events;
  readonly journal: Journal;
  readonly tally: Tally;
  readonly decoys: Decoys;
  readonly guesses: Guesses;
}

const VERSION = "1";
const GUESSES_MAX = 30;
const GUESSES_MS = 60_000;

/** Counts wrong passwords per user, for a minute from the first; each process for itself. */
class Guesses {
  readonly #wrong = new Map<string, { count: number; until: number }>();

  /** Runs a comparison that tells whether the password was right; until it does, it counts as wrong. */
  async count<T>(id: string, compare: () => Promise<{ right: boolean; said: T }>): Promise<T> {
    const now = performance.now();
    // The oldest stand first.
    for (const [old, { until }] of this.#wrong) {
      if (until > now) break;
      this.#wrong.delete(old);
    }
    const found = this.#wrong.get(id) ?? { count: 0, until: now + GUESSES_MS };
    if (found.count >= GUESSES_MAX) throw tooMany(found.until - now);
    this.#wrong.set(id, found);
    found.count += 1;
    try {
      const { right, said } = await compare();
      if (right) found.count -= 1;
      return said;
    } catch (error) {
      found.count -= 1;
      throw error;
    }
  }
}

function tooMany(leftMs: number): APIError {
  const headers = { "Retry-After": String(Math.ceil(leftMs / 1000)) };
  return new APIError("TOO_MANY_REQUESTS", { code: "too_many_wrong", message: "wait for the next password" }, headers);
}

/** Counts since this process began. */
class Tally {
  readonly passwords: Record<string, { right: number; wrong: number }> = {};
  readonly counts = { rehashed: 0, rehash_failed: 0, exchanged: 0, captured: 0 };
  // Of several processes behind one address each counts for itself.
  readonly process = { id: randomBytes(8).toString("hex"), started_at_s: Date.now() / 1000 };

  compared(stored: string, valid: boolean): void {
    const scheme = schemeOf(stored);
    const counter = (this.passwords[scheme] ??= { right: 0, wrong: 0 });
    counter[valid ? "right" : "wrong"] += 1;
  }
}

/** The scheme of a stored value: of its envelope, "native" or "unknown". */
function schemeOf(stored: string): string {
  const scheme = parseEnvelope(stored)?.scheme;
  if (scheme !== undefined) return SCHEMES.has(scheme) ? scheme : "unknown";
  return NATIVE.test(stored) ? "native" : "unknown";
}

const counting =
  (verify: Verify, tally: Tally): Verify =>
  async (data) => {
    const valid = await verify(data);
    tally.compared(data.hash, valid);
    return valid;
  };

function lookEndpoints(looks: Looks, compare: () => Verify) {
  const { gate } = looks;
  const verify = { capability: "VERIFY", method: "POST" } as const;
  const statistics = { capability: "STATISTICS", method: "GET" } as const;
  return {
    ...(gate.isOpen("VERIFY") && {
      migratorVerify: gate.endpoint("/migrator/verify", verify, (call) => verifyOnly(call, looks, compare())),
    }),
    ...(gate.isOpen("STATISTICS") && {
      migratorStatistics: gate.endpoint("/migrator/statistics", statistics, (call) => statisticsOf(call, looks)),
    }),
  };
}

async function verifyOnly({ context, input }: Call, looks: Looks, compare: Verify): Promise<Json> {
  const { id, password } = input;
  if (typeof id !== "string" || typeof password !== "string") throw badRequest("id and password are texts");
  return looks.guesses.count(id, async () => {
    const said = await verdictFor(context, id, password, looks, compare);
    return { right: said.valid || said.reason === "banned" || said.reason === "unverified", said: { ...said } };
  });
}

async function verdictFor(
  context: AuthContext,
  id: string,
  password: string,
  { members, decoys }: Looks,
  compare: Verify,
): Promise<{ valid: boolean; scheme: string; reason: string }> {
  const user = await members.find(context.adapter, id);
  const where = [
    { field: "userId", value: id },
    { field: "providerId", value: "credential" },
  ];
  const account = user && (await context.adapter.findOne<Account>({ model: "account", where }));
  const stored = account?.password;
  if (!user || !stored) {
    await decoys.spend(password);
    return { valid: false, scheme: "", reason: user ? "no_credential" : "not_ours" };
  }
  const { valid, scheme, reason } = await verdictOn(stored, password, compare);
  if (!valid) return { valid, scheme, reason };
  const state = stateOf(user);
  return { valid: state === "", scheme, reason: state };
}

async function verdictOn(stored: string, password: string, compare: Verify): Promise<Verdict> {
  if (stored.startsWith("migrator:")) {
    const damaged = { valid: false, scheme: schemeOf(stored), reason: "unknown_scheme" } as const;
    return checkEnvelope(stored, password, () => undefined).catch(() => damaged);
  }
  const valid = await compare({ hash: stored, password });
  const scheme = schemeOf(stored);
  return { valid, scheme, reason: valid || scheme === "native" ? "" : "unknown_scheme" };
}

/** Why a user may not sign in now. */
function stateOf({ banned, banExpires, emailVerified }: Row): "" | "banned" | "unverified" {
  const isOver = banExpires instanceof Date && banExpires.getTime() <= Date.now();
  if (banned && !isOver) return "banned";
  return emailVerified ? "" : "unverified";
}

async function statisticsOf({ context, input }: Call, { members, events, journal, tally }: Looks): Promise<Json> {
  const cheap = {
    version: VERSION,
    links_accounts_by_email: linksByEmail(context),
    social_providers: context.socialProviders.map(({ id }) => id),
    process: tally.process,
    sign_ins: { passwords: tally.passwords, ...tally.counts },
  };
  // Counting reads every account: whoever asks what is there need not wait for it.
  if (input.counts === "0") return cheap;
  const db = context.adapter;
  const kinds = new Map<string, number>();
  const ours = new Set<string>();
  for await (const account of everyAccount(db)) {
    if (members.wrote(account)) ours.add(String(account.userId));
    if (account.providerId !== "credential" || typeof account.password !== "string") continue;
    const scheme = schemeOf(account.password);
    kinds.set(scheme, (kinds.get(scheme) ?? 0) + 1);
  }
  const { native = 0, unknown = 0, ...envelopes } = Object.fromEntries(kinds);
  const starts: Where = [{ field: "identifier", operator: "starts_with", value: markIdentifier("") }];
  for (const mark of await db.findMany<Row>({ model: "verification", where: starts, limit: ALL_ROWS }))
    ours.add(String(mark.identifier).slice(markIdentifier("").length));
  return {
    ...cheap,
    users: Number(await db.count({ model: "user" })),
    ours: ours.size,
    envelopes,
    native,
    unknown,
    events_unacknowledged: await events.unacknowledged(db),
    events_lost: journal.lost,
  };
}

/** Whether somebody's account at a social provider opens the account here that has the same address. */
const linksByEmail = ({ options }: AuthContext): boolean => options.account?.accountLinking?.enabled !== false;

/** Page by page, so that the event loop has its turn in between. */
async function* everyAccount(db: Adapter): AsyncGenerator<Row> {
  const sortBy = { field: "id", direction: "asc" } as const;
  for (let last = ""; ;) {
    const where: Where = [{ field: "id", operator: "gt", value: last }];
    const rows = await db.findMany<Row>({ model: "account", where, sortBy, limit: IN_LIST_MAX });
    yield* rows;
    if (rows.length < IN_LIST_MAX) return;
    last = String(rows.at(-1)?.id);
  }
}

// ---------------------------------------------------------------------------------------------------------------
// Logout and reset tickets, for the application's server.
//   logout         ends the user's sessions here; the application's own tokens are its own business, so no event.
//   reset-ticket   like the link of better-auth's reset mail, for 15 minutes; `redirect_to` is the page that asks for
//                  the new password, as in better-auth's /request-password-reset.

const RESET_MS = 15 * 60_000;

function sessionEndpoints(gate: Gate, members: Members, quiet: Quiet) {
  const post = (capability: Capability) => ({ capability, method: "POST" }) as const;
  return {
    ...(gate.isOpen("LOGOUT") && {
      migratorLogout: gate.endpoint("/migrator/logout", post("LOGOUT"), (call) =>
        quiet.run(() => logOut(call, members)),
      ),
    }),
    ...(gate.isOpen("RESET") && {
      migratorResetTicket: gate.endpoint("/migrator/reset-ticket", post("RESET"), (call) => resetTicket(call, members)),
    }),
  };
}

async function logOut({ context, input }: Call, members: Members): Promise<Json> {
  const { id } = await memberOr404(context, members, input.id);
  const ended = await context.adapter.count({ model: "session", where: [{ field: "userId", value: id }] });
  await endSessions(context, id);
  return { ended: Number(ended) };
}

async function endSessions(context: AuthContext, userId: string): Promise<void> {
  const sessions = context.internalAdapter as unknown as Record<
    string,
    ((userId: string) => Promise<unknown>) | undefined
  >;
  // The newer better-auth has the first name, 1.3 the second.
  await (sessions.deleteUserSessions ?? sessions.deleteSessions)?.(userId);
}

async function resetTicket({ context, input }: Call, members: Members): Promise<Json> {
  const { id } = await memberOr404(context, members, input.id);
  const token = randomBytes(24).toString("hex");
  const expiresAt = new Date(Date.now() + RESET_MS);
  await createVerification(context, { identifier: `reset-password:${token}`, value: id, expiresAt });
  const callback = typeof input.redirect_to === "string" ? encodeURIComponent(input.redirect_to) : "";
  return { token, url: `${context.baseURL}/reset-password/${token}?callbackURL=${callback}` };
}

async function memberOr404(context: AuthContext, members: Members, id: unknown): Promise<Row & { id: string }> {
  const user = await members.find(context.adapter, id);
  if (!user) throw new APIError("NOT_FOUND", { code: "not_ours", message: "no user of this migration" });
  return { ...user, id: String(user.id) };
}

/** Through better-auth, which may keep such values in another form or place. */
async function createVerification(context: AuthContext, data: { identifier: string; value: string; expiresAt: Date }) {
  const create = context.internalAdapter.createVerificationValue as (data: Row) => Promise<unknown>;
  await create(data);
}

// ---------------------------------------------------------------------------------------------------------------
// Capture: a password that the application has just accepted, of a user whose legacy hash could not be carried here.
// It becomes the user's password where there is none, or none that any scheme knows; never in place of one that
// signs in, nor for a banned user. Whom the migration pins it imports without a password too: they are the
// application's to leave out. `outcome` is "captured", or why not: "has_password", "banned", "too_long" (72 bytes
// and more: bcrypt saw only the beginning, so any tail may have been typed). Not a change of the user's: no event.

function captureEndpoints(gate: Gate, members: Members, quiet: Quiet, tally: Tally) {
  if (!gate.isOpen("CAPTURE")) return {};
  return {
    migratorCapture: gate.endpoint("/migrator/capture", { capability: "CAPTURE", method: "POST" }, async (call) => {
      const outcome = await quiet.run(() => capture(call, members));
      tally.counts.captured += Number(outcome === "captured");
      return { outcome };
    }),
  };
}

async function capture({ context, input }: Call, members: Members): Promise<string> {
  const { password } = input;
  if (typeof password !== "string" || password === "") throw badRequest("id and password are texts");
  const user = await memberOr404(context, members, input.id);
  if (stateOf(user) === "banned") return "banned";
  if (Buffer.byteLength(password) >= BCRYPT_INPUT_BYTES) return "too_long";
  const where = ownPassword(user.id);
  const found = await context.adapter.findMany<Row>({ model: "account", where });
  if (found.some(({ password: stored }) => isUsable(stored))) return "has_password";
  const hash = await context.password.hash(password);
  const done = await (found[0]
    ? replaceUnusable(context.adapter, found[0], hash)
    : addPassword(context, members, user.id, hash));
  return done ? "captured" : "has_password";
}

const ownPassword = (userId: string): Where => [
  { field: "userId", value: userId },
  { field: "providerId", value: "credential" },
];

const isUsable = (stored: unknown) => typeof stored === "string" && stored !== "" && schemeOf(stored) !== "unknown";

/** Compare-and-swap: whoever set a password meanwhile keeps it. No adapter finds null by its value. */
async function replaceUnusable(db: Adapter, { id, password, updatedAt }: Row, hash: string): Promise<boolean> {
  const asBefore =
    typeof password === "string"
      ? { field: "password", value: password }
      : { field: "updatedAt", value: updatedAt as Date };
  const where: Where = [{ field: "id", value: String(id) }, asBefore];
  return Boolean(await db.update({ model: "account", where, update: { password: hash, updatedAt: new Date() } }));
}

/** The account has the import's id, so two at once cannot both add it; one that the user added wins. */
async function addPassword({ adapter }: AuthContext, members: Members, userId: string, hash: string): Promise<boolean> {
  const now = new Date();
  const id = members.accountId(userId, "credential", userId);
  const row = { id, accountId: userId, providerId: "credential", userId, password: hash };
  try {
    await adapter.create({ model: "account", data: { ...row, createdAt: now, updatedAt: now }, forceAllowId: true });
  } catch (error) {
    if (await adapter.findOne({ model: "account", where: [{ field: "id", value: id }] })) return false;
    throw error;
  }
  if (Number(await adapter.count({ model: "account", where: ownPassword(userId) })) === 1) return true;
  await adapter.deleteMany({ model: "account", where: [{ field: "id", value: id }] });
  return false;
}

// ---------------------------------------------------------------------------------------------------------------
// Client: the row of the application's OAuth client, and consents of imported users for it. Each request names the
// client; any other than that of MIGRATOR_CLIENT_ID is refused. It needs the option `database`: better-auth's adapters
// find no null, so they cannot tell a row that somebody changed meanwhile.
//   read     The row, or null. Of a secret it tells only that there is one.
//   write    Makes the row (`before: null`), or changes it while it is as in `before` and has no secret; `written`
//            says whether. It is public and enabled then.
//   consents/add, consents/remove   For those of `users` who have said neither yes nor no; what was added so, but not
//            what people said themselves. `rows` counts.

const CLIENT_ROW: Columns = {
  name: "text?",
  redirect_ur_ls: "text?",
  type: "text?",
  disabled: "flag?",
  metadata: "text?",
  updated_at: "time?",
};
const NO_SECRET = `coalesce("client_secret", '') = ''`;
// What the application's shim asks for.
const CONSENT_SCOPES = "openid profile email";

function clientEndpoints(gate: Gate, clients: Clients) {
  if (!gate.isOpen("CLIENT")) return {};
  const post = { capability: "CLIENT", method: "POST" } as const;
  return {
    migratorClientRead: gate.endpoint("/migrator/client/read", post, (call) => clients.read(call)),
    migratorClientWrite: gate.endpoint("/migrator/client/write", post, (call) => clients.write(call)),
    migratorConsentsAdd: gate.endpoint("/migrator/client/consents/add", post, (call) => clients.addConsents(call)),
    migratorConsentsRemove: gate.endpoint("/migrator/client/consents/remove", post, (call) =>
      clients.removeConsents(call),
    ),
  };
}

class Clients {
  readonly #id: string;

  constructor(
    env: Environment,
    private readonly members: Members,
    private readonly database: Database | undefined,
  ) {
    this.#id = env.MIGRATOR_CLIENT_ID ?? "";
  }

  problems(gate: Gate): string[] {
    if (!gate.isOpen("CLIENT")) return [];
    return [
      ...(this.#id ? [] : ["MIGRATOR_CLIENT_ID is not set: MIGRATOR_SECRET_CLIENT reaches no client"]),
      ...(this.database ? [] : ["without the option `database` no client is written"]),
    ];
  }

  async read(call: Call): Promise<Json> {
    const columns = `${quoted(CLIENT_ROW)}, NOT ${NO_SECRET} AS "has_secret"`;
    const sql = `SELECT ${columns} FROM "oauth_application" WHERE "client_id" = ?`;
    const [found] = await this.#reach(call).batch([{ sql, args: [this.#id] }], "read");
    const [row] = Array.from(found?.rows ?? []) as Row[];
    return { client: row ? { ...fromDatabase(CLIENT_ROW, row), has_secret: row.has_secret } : null };
  }

  async write(call: Call): Promise<Json> {
    const { before, name, redirect_ur_ls } = call.input;
    if (typeof name !== "string" || typeof redirect_ur_ls !== "string" || !name || !redirect_ur_ls)
      throw badRequest("name and redirect_ur_ls are texts");
    const rows = await this.#run(
      call,
      before === null
        ? this.#insertion(name, redirect_ur_ls)
        : this.#change(name, redirect_ur_ls, cellsOf(CLIENT_ROW, before, "before")),
    );
    return { written: rows > 0 };
  }

  async addConsents(call: Call): Promise<Json> {
    const now = Date.now();
    const consents = (await this.#consents(call)).map(({ id, user }) => [id, user]);
    const rows = await this.#run(call, {
      sql:
        `INSERT INTO "oauth_consent"` +
        ` ("id", "client_id", "user_id", "scopes", "created_at", "updated_at", "consent_given")` +
        ` SELECT n.value ->> 0, ?, n.value ->> 1, ?, ?, ?, 1 FROM json_each(?) AS n WHERE NOT EXISTS` +
        ` (SELECT 1 FROM "oauth_consent" AS c WHERE c."client_id" = ? AND c."user_id" = n.value ->> 1)` +
        ` ON CONFLICT ("id") DO NOTHING`,
      args: [this.#id, CONSENT_SCOPES, now, now, JSON.stringify(consents), this.#id],
    });
    return { rows };
  }

  async removeConsents(call: Call): Promise<Json> {
    const ids = (await this.#consents(call)).map(({ id }) => id);
    const sql = `DELETE FROM "oauth_consent" WHERE "id" IN (SELECT value FROM json_each(?))`;
    return { rows: await this.#run(call, { sql, args: [JSON.stringify(ids)] }) };
  }

  /** The database, for the one client that may be touched. */
  #reach({ context, input }: Call): Database {
    if (!this.#id || input.client_id !== this.#id)
      throw new APIError("FORBIDDEN", { code: "another_client", message: "MIGRATOR_CLIENT_ID names another client" });
    if (!this.database || !("oauthApplication" in context.tables))
      throw new APIError("NOT_IMPLEMENTED", { code: "no_clients", message: "no option `database`, or no clients" });
    return this.database;
  }

  async #run(call: Call, statement: Statement): Promise<number> {
    const [result] = await this.#reach(call).batch([statement], "write");
    return result?.rowsAffected ?? 0;
  }

  /** client_id in the id keeps two requests from making two rows. */
  #insertion(name: string, redirects: string): Statement {
    const now = Date.now();
    return {
      sql:
        `INSERT INTO "oauth_application"` +
        ` ("id", "name", "client_id", "redirect_ur_ls", "type", "disabled", "created_at", "updated_at")` +
        ` SELECT ?, ?, ?, ?, 'public', 0, ?, ?` +
        ` WHERE NOT EXISTS (SELECT 1 FROM "oauth_application" WHERE "client_id" = ?) ON CONFLICT ("id") DO NOTHING`,
      args: [`migrator-${this.#id}`, name, this.#id, redirects, now, now, this.#id],
    };
  }

  #change(name: string, redirects: string, before: Wire): Statement {
    return {
      sql:
        `UPDATE "oauth_application"` +
        ` SET "name" = ?, "redirect_ur_ls" = ?, "type" = 'public', "disabled" = 0, "updated_at" = ?` +
        ` WHERE "client_id" = ? AND ${NO_SECRET} AND (${quoted(CLIENT_ROW)}) IS (${marks(CLIENT_ROW)})`,
      args: [name, redirects, Date.now(), this.#id, ...values(CLIENT_ROW, before)],
    };
  }

  /** For those of the users who are of this migration, with the ids by which its own are known again. */
  async #consents(call: Call): Promise<Array<{ id: string; user: string }>> {
    this.#reach(call);
    const db = call.context.adapter;
    const users = await findIn(db, "user", "id", texts(call.input.users, "users"));
    const ours = await this.members.among(db, users);
    return [...ours].map((user) => ({ id: this.members.accountId(user, "oauth_consent", this.#id), user }));
  }
}

/** A row as `read` gave it, in whatever form somebody may have written it by hand. */
function cellsOf(columns: Columns, value: unknown, where: string): Wire {
  if (!isObject(value)) throw badRequest(`${where} is no object`);
  const row = fromDatabase(columns, value);
  const isCell = (cell: unknown) => cell === null || typeof cell === "string" || typeof cell === "number";
  if (!Object.values(row).every(isCell)) throw badRequest(`${where} holds something else than texts and numbers`);
  return row;
}

// ---------------------------------------------------------------------------------------------------------------
// Session exchange: who is signed in at the application gets a session here without a password. Two hops, since both
// are other sites to the browser:
//   1. The application sends the browser to GET exchange/start?client_id=&to=&state=. It gets a cookie with a nonce,
//      and goes back to `to` (same origin as a redirect URL of the client) with `nonce_hash` and `state`.
//   2. The application's server asks for a ticket: POST exchange/ticket {id, nonce_hash, client_id, code_challenge}.
//   3. The browser goes to GET exchange/redeem?ticket=&… with the parameters of its /oauth2/authorize request, which
//      must be for the ticket's client and code_challenge (S256). It gets a session and goes on to /oauth2/authorize.
// A ticket is good once, for a minute, in the browser with the nonce. One that is not good sends the browser back to
// the client with `error=login_required`. 403 for users who may not sign in, 409 where another person is signed in.

const NONCE_S = 5 * 60;
const TICKET_MS = 60_000;
const DIGEST = /^[A-Za-z0-9_-]{43}$/;
const TICKET_PREFIX = "migrator:ticket:";
const LOGIN_PROMPT_COOKIE = "oidc_login_prompt";
const REDEEM_PATH = "/migrator/exchange/redeem";

interface Ticket {
  readonly user_id: string;
  readonly nonce_hash: string;
  readonly client_id: string;
  readonly code_challenge: string;
}

function exchangeEndpoints(gate: Gate, members: Members, tally: Tally) {
  if (!gate.isOpen("EXCHANGE")) return {};
  const options = { method: "GET", metadata: { isAction: false } } as const;
  return {
    migratorExchangeTicket: gate.endpoint(
      "/migrator/exchange/ticket",
      { capability: "EXCHANGE", method: "POST" },
      (call) => issueTicket(call, members),
    ),
    migratorExchangeStart: createAuthEndpoint("/migrator/exchange/start", options, async (ctx) => {
      const { client_id, to, state } = queryOf(ctx.query);
      const target = await targetOf(ctx.context, client_id, to);
      if (!target) throw badRequest("the client has no redirect URL of that origin");
      const cookie = nonceCookie(ctx.context);
      const known = ctx.getCookie(cookie.name) ?? "";
      const nonce = DIGEST.test(known) ? known : randomBytes(32).toString("base64url");
      ctx.setCookie(cookie.name, nonce, cookie.options);
      target.searchParams.set("nonce_hash", sha256(nonce).toString("base64url"));
      if (state !== undefined) target.searchParams.set("state", state);
      ctx.setHeader("Cache-Control", "no-store");
      throw ctx.redirect(target.toString());
    }),
    migratorExchangeRedeem: createAuthEndpoint(REDEEM_PATH, options, async (ctx) => {
      const { ticket: secret = "", ...query } = queryOf(ctx.query);
      ctx.setHeader("Cache-Control", "no-store");
      const nonce = ctx.getCookie(nonceCookie(ctx.context).name) ?? "";
      const ticket = await takeTicket(ctx.context, secret, nonce, query);
      const user = ticket && (await members.find(ctx.context.adapter, ticket.user_id));
      const backToClient = async (error: string, description?: string) =>
        ctx.redirect(await errorUrl(ctx.context, query, error, description));
      if (!ticket || !user) throw await backToClient("login_required");
      const state = stateOf(user);
      if (state) throw await backToClient("access_denied", state);
      const present = await getSessionFromCtx(ctx);
      if (present && present.user.id !== user.id) throw await backToClient("access_denied", "other_session");
      if (!present) {
        const session = await createSession(ctx.context, String(user.id), ctx);
        await setSessionCookie(ctx, { session, user: user as typeof session & Row } as never);
        tally.counts.exchanged += 1;
      }
      throw ctx.redirect(`${ctx.context.baseURL}/oauth2/authorize?${new URLSearchParams(query)}`);
    }),
  };
}

async function issueTicket({ context, input }: Call, members: Members): Promise<Json> {
  const { nonce_hash, client_id, code_challenge } = input;
  const digests = [nonce_hash, code_challenge].every((digest) => typeof digest === "string" && DIGEST.test(digest));
  if (!digests || typeof client_id !== "string")
    throw badRequest("nonce_hash and code_challenge are SHA-256 in base64url");
  const user = await memberOr404(context, members, input.id);
  const state = stateOf(user);
  if (state) throw new APIError("FORBIDDEN", { code: state, message: "this user may not sign in" });
  const ticket = randomBytes(32).toString("base64url");
  const value = JSON.stringify({ user_id: user.id, nonce_hash, client_id, code_challenge });
  const now = new Date();
  const data = { identifier: ticketName(ticket), value, expiresAt: new Date(now.getTime() + TICKET_MS) };
  await context.adapter.create({ model: "verification", data: { ...data, createdAt: now, updatedAt: now } });
  return { ticket, expires_in_s: TICKET_MS / 1000 };
}

/** The ticket, if it is good for this browser and request; whatever it is, it is not good a second time. */
async function takeTicket(context: AuthContext, secret: string, nonce: string, query: Record<string, string>) {
  const db = context.adapter;
  const where = [{ field: "identifier", value: ticketName(secret) }];
  const row = await db.findOne<Row>({ model: "verification", where });
  if (!row || new Date(row.expiresAt as Date).getTime() <= Date.now()) return null;
  if (!(await takeOnce(db, row))) return null;
  await db.deleteMany({ model: "verification", where });
  const ticket = JSON.parse(String(row.value)) as Ticket;
  const isSame =
    timingSafeEqual(sha256(ticket.nonce_hash), sha256(sha256(nonce).toString("base64url"))) &&
    ticket.client_id === query.client_id &&
    ticket.code_challenge === query.code_challenge &&
    query.code_challenge_method?.toUpperCase() === "S256";
  return isSame ? ticket : null;
}

/** Two requests may have read the ticket: the primary key lets only one of them put its row beside it. */
async function takeOnce(db: Adapter, { identifier, expiresAt }: Row): Promise<boolean> {
  const id = `migrator:taken:${String(identifier).slice(TICKET_PREFIX.length)}`;
  const now = new Date();
  const data = { id, identifier: id, value: "", expiresAt, createdAt: now, updatedAt: now };
  const taken = db.create({ model: "verification", data, forceAllowId: true });
  return taken.then(
    () => true,
    () => false,
  );
}

const ticketName = (ticket: string) => TICKET_PREFIX + sha256(ticket).toString("base64url");

/** The application's page, if the client is known and has a redirect URL of the same origin. */
async function targetOf(context: AuthContext, clientId = "", to = ""): Promise<URL | null> {
  // Outside http every scheme has the same origin, "null": myapp://callback would let javascript: and otherapp: pass.
  if (!/^https?:/i.test(to) || !URL.canParse(to)) return null;
  const urls = await redirectUrls(context, clientId);
  return urls.some((url) => URL.canParse(url) && new URL(url).origin === new URL(to).origin) ? new URL(to) : null;
}

async function redirectUrls(context: AuthContext, clientId: string): Promise<string[]> {
  if (!("oauthApplication" in context.tables)) return [];
  const where = [{ field: "clientId", value: clientId }];
  const client = await context.adapter.findOne<Row>({ model: "oauthApplication", where });
  return client && !client.disabled ? String(client.redirectURLs ?? "").split(",") : [];
}

/** Where the application takes the person back: nobody is left on a page of Auther's that says no. */
async function errorUrl(context: AuthContext, query: Record<string, string>, error: string, description?: string) {
  const { client_id = "", redirect_uri = "", state } = query;
  const urls = await redirectUrls(context, client_id);
  if (!urls.includes(redirect_uri)) throw badRequest("no session is given, and redirect_uri is not the client's");
  const url = new URL(redirect_uri);
  url.searchParams.set("error", error);
  if (description !== undefined) url.searchParams.set("error_description", description);
  if (state !== undefined) url.searchParams.set("state", state);
  return url.toString();
}

/** Browsers take a `__Host-` cookie over https only, and from nobody but this host. */
function nonceCookie(context: AuthContext) {
  const secure = context.baseURL.startsWith("https:");
  const options = { httpOnly: true, secure, sameSite: "lax", path: "/", maxAge: NONCE_S } as const;
  return { name: secure ? "__Host-migrator_nonce" : "migrator_nonce", options };
}

/** better-auth 1.3 wants the endpoint's context as second argument, where newer ones take a flag. */
async function createSession(context: AuthContext, userId: string, ctx: unknown) {
  const create = context.internalAdapter.createSession as (
    ...args: unknown[]
  ) => ReturnType<typeof context.internalAdapter.createSession>;
  return create.length > 5 ? create(userId, ctx) : create(userId);
}

function queryOf(query: unknown): Record<string, string> {
  const pairs = Object.entries(isObject(query) ? query : {});
  return Object.fromEntries(pairs.filter((pair): pair is [string, string] => typeof pair[1] === "string"));
}

/** An earlier login that was given up left a cookie, which would take the place of the request that goes on here. */
function withoutLoginPrompt(request: Request): Request {
  const cookies = (request.headers.get("cookie") ?? "").split(/; */);
  const headers = new Headers(request.headers);
  headers.set("cookie", cookies.filter((cookie) => !cookie.startsWith(`${LOGIN_PROMPT_COOKIE}=`)).join("; "));
  return new Request(request, { headers });
}

// ---------------------------------------------------------------------------------------------------------------
// The id_token as Auther's guide promises it, by option. better-auth offers no way to change it before it is signed,
// so it is signed anew, by the plugin `jwt` with its current key. A token that this plugin did not sign stays as it is,
// and one whose claims cannot be told goes out without them: a missing claim is not an empty one.

type Claims = Record<string, unknown>;

/** Whatever a hook's context has; the call below passes it on as it is. */
interface TokenContext {
  readonly context: AuthContext & { readonly returned?: unknown };
}

const MILLISECONDS_FROM = 1e11;
const TIMES = ["iat", "auth_time"];

const changesIdToken = ({ iatInSeconds, idTokenSeconds, permissionsClaim }: LegacyPasswordsOptions) =>
  Boolean(iatInSeconds || idTokenSeconds || permissionsClaim);

/** The token endpoint's answer with the id_token that the options ask for; null where it stays as it is. */
async function renewedAnswer(ctx: TokenContext, options: LegacyPasswordsOptions): Promise<Row | null> {
  const { returned, logger } = ctx.context;
  if (!isObject(returned) || typeof returned.id_token !== "string") return null;
  const [header = {}, claims = {}] = returned.id_token.split(".").slice(0, 2).map(decodedPart);
  if (typeof header.kid !== "string") {
    logger.warn("migrator: the id_token is not signed by the plugin `jwt` and stays as it is");
    return null;
  }
  const payload = { ...timesOf(claims, options), ...(await permissionsOf(claims, options, ctx.context)) };
  return { ...returned, id_token: await signed(ctx, payload) };
}

function timesOf(claims: Claims, { iatInSeconds, idTokenSeconds }: LegacyPasswordsOptions): Claims {
  const changed = { ...claims };
  for (const name of iatInSeconds ? TIMES : []) {
    const time = Number(changed[name]);
    if (time > MILLISECONDS_FROM) changed[name] = Math.floor(time / 1000);
  }
  const end = Math.floor(Date.now() / 1000) + (idTokenSeconds ?? Number.POSITIVE_INFINITY);
  return { ...changed, exp: Math.min(Number(claims.exp), end) };
}

async function permissionsOf(
  claims: Claims,
  options: LegacyPasswordsOptions,
  { logger }: AuthContext,
): Promise<Claims> {
  try {
    const found = await options.permissionsClaim?.(String(claims.sub), String(claims.aud));
    if (!found) return {};
    const { permissions, abac_required = {} } = found;
    return { permissions, ...(Object.keys(abac_required).length > 0 && { abac_required }) };
  } catch (error) {
    logger.error(`migrator: the id_token has no permissions (${errorName(error)})`);
    return {};
  }
}

async function signed(ctx: TokenContext, payload: Claims): Promise<string> {
  const jwt = ctx.context.options.plugins?.find(({ id }) => id === "jwt");
  const sign = jwt?.endpoints?.signJWT as ((call: unknown) => Promise<{ token: string }>) | undefined;
  if (!sign)
    throw new APIError("INTERNAL_SERVER_ERROR", { code: "no_jwt_plugin", message: "the plugin jwt is missing" });
  return (await sign({ ...ctx, body: { payload }, asResponse: false, returnHeaders: false })).token;
}

function decodedPart(part: string): Claims {
  const parsed: unknown = JSON.parse(Buffer.from(part, "base64url").toString("utf8"));
  return isObject(parsed) ? parsed : {};
}
