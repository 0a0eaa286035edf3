/**
 * Lets imported users sign in at Auther with the password of their old application.
 *
 * Add it as the last plugin, and `@node-rs/bcrypt` to the dependencies:
 *
 *     plugins: [..., legacyPasswords()]
 *
 * The import stores a legacy hash in `account.password` as an envelope,
 * `migrator:v1:bcrypt:peppers=2024,none:$2a$12$…`: scheme, ids of the peppers to try in this order
 * ("none" = no pepper), then the legacy value unchanged. The plugin verifies envelopes and, after the
 * first success, replaces the envelope by better-auth's own scrypt format. That format keeps working
 * as before, computed by Node off the main thread. A value that nobody knows is a wrong password (401).
 *
 * Environment: MIGRATOR_PEPPER_<ID>, one per pepper id (upper case, "-" becomes "_").
 */
import { Buffer } from "node:buffer";
import { createHmac, randomBytes, scrypt, timingSafeEqual } from "node:crypto";
import { verify as verifyBcrypt } from "@node-rs/bcrypt";
import type { AuthContext, BetterAuthPlugin } from "better-auth";
import { createAuthMiddleware } from "better-auth/api";

interface Envelope {
  readonly scheme: string;
  readonly params: string;
  readonly value: string;
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
const BCRYPT_INPUT_BYTES = 72;
// 2x marks values of a defect of 2011 that touched only passwords outside ASCII: those do not match here.
const BCRYPT = /^\$2[abxy]\$(?:0[4-9]|[12][0-9]|3[01])\$[./A-Za-z0-9]{53}$/;
const NATIVE = /^([0-9a-fA-F]+):([0-9a-fA-F]{128})$/;
const SCRYPT_KEY_BYTES = 64;
// Node refuses more than 32 MiB unless told otherwise; N=16384 and r=16 need just over that.
const SCRYPT = { N: 16384, r: 16, p: 1, maxmem: 128 * 16384 * 16 * 2 };
const SIGN_IN_PATHS = new Set(["/sign-in/email", "/sign-in/username"]);
const PROOF_MS = 30_000;
const BOOT_SAMPLE_ROWS = 100;

/** The plugin. It takes no options: what differs between hashes stands in their envelopes. */
export const legacyPasswords = () => {
  const proofs = new Proofs();
  return {
    id: "migrator-legacy-passwords",
    init(ctx) {
      const own = ctx.options.emailAndPassword?.password;
      const warn = onceEach((message) => ctx.logger.warn(`migrator: ${message}`));
      const native = own?.verify ?? ((data: Credentials) => verifyNative(data, warn));
      const verify = passwordVerifier(native, proofs, warn);
      void warnOfMissingPeppers(ctx);
      return { context: { password: { ...ctx.password, hash: own?.hash ?? hashNative, verify } } };
    },
    hooks: {
      after: [
        {
          matcher: (ctx) => SIGN_IN_PATHS.has(ctx.path ?? ""),
          handler: createAuthMiddleware(async (ctx) => {
            // A banned user gets no session; an unverified one only where verification is not required.
            const user = ctx.context.newSession?.user;
            const password: unknown = ctx.body?.password;
            if (!user?.emailVerified || typeof password !== "string") return;
            await rehash(ctx.context, user.id, password, proofs).catch((error: unknown) => {
              ctx.context.logger.error(`migrator: rehash failed (${errorName(error)}), envelope kept`);
            });
          }),
        },
      ],
    },
  } satisfies BetterAuthPlugin;
};

/** Replaces `password.verify`: true or false for any stored value, and never an exception. */
function passwordVerifier(native: Verify, proofs: Proofs, warn: Warn): Verify {
  return async ({ hash, password }) => {
    try {
      if (!hash.startsWith("migrator:")) return await native({ hash, password });
      const valid = await verifyEnvelope(hash, password, warn);
      // Of 72 bytes and more bcrypt saw only the beginning: a native hash of whatever tail was typed first
      // would lock the owner out. Such a password keeps its envelope.
      if (valid && Buffer.byteLength(password) < BCRYPT_INPUT_BYTES) proofs.add(hash, password);
      return valid;
    } catch (error) {
      warn(`can't verify a stored value (${errorName(error)}): ${shape(hash)}`);
      return false;
    }
  };
}

async function verifyEnvelope(stored: string, password: string, warn: Warn): Promise<boolean> {
  const envelope = parseEnvelope(stored);
  const peppers = envelope && parsePeppers(envelope.params);
  if (!envelope || !peppers || envelope.scheme !== "bcrypt" || !BCRYPT.test(envelope.value)) {
    warn(`no scheme for a stored value: ${shape(stored)}`);
    return false;
  }
  for (const id of peppers) {
    const pepper = pepperOf(id);
    if (pepper === undefined) warn(`pepper "${id}" is not set: ${pepperVariable(id)}`);
    else if (await matchesBcrypt(envelope.value, password + pepper)) return true;
  }
  return false;
}

/** Raw bytes, not normalised; the cut at 72 may fall inside a character, as it did when hashing. */
async function matchesBcrypt(hash: string, secret: string): Promise<boolean> {
  // No legacy password holds a NUL byte; implementations in C stop there and would accept any tail.
  if (secret.includes("\0")) return false;
  return verifyBcrypt(Buffer.from(secret, "utf8").subarray(0, BCRYPT_INPUT_BYTES), hash);
}

function parseEnvelope(stored: string): Envelope | null {
  if (!stored.startsWith(PREFIX)) return null;
  const [scheme, params, ...value] = stored.slice(PREFIX.length).split(":");
  if (scheme === undefined || params === undefined || value.length === 0) return null;
  return { scheme, params, value: value.join(":") };
}

/** Reads `peppers=2024,none`; null for anything else, so that an unknown parameter is never ignored. */
function parsePeppers(params: string): string[] | null {
  const ids = /^peppers=([^&=]+)$/.exec(params)?.[1]?.split(",") ?? [];
  const valid = ids.length > 0 && ids.length <= MAX_PEPPERS && ids.every((id) => PEPPER_ID.test(id));
  return valid ? ids : null;
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

/** Runs on Node's thread pool, so that a storm of sign-ins does not stop the event loop. */
function scryptKey(password: string, salt: string): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    scrypt(password.normalize("NFKC"), salt, SCRYPT_KEY_BYTES, SCRYPT, (error, key) =>
      error ? reject(error) : resolve(key),
    );
  });
}

/** Replaces the user's envelope by the native format, if the row still holds a proven one. */
async function rehash(ctx: AuthContext, userId: string, password: string, proofs: Proofs) {
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
    if (replaced) return proofs.forget(envelope);
  }
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
    const params = rows.map((row) => parseEnvelope(row.password ?? "")?.params ?? "");
    const ids = new Set(params.flatMap((text) => parsePeppers(text) ?? []));
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
