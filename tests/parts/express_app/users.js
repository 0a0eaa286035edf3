// The club's users, in the table that its Rails predecessor left: hashes and locks are Devise's.
import { createHmac, timingSafeEqual } from "node:crypto";

import { verify } from "@node-rs/bcrypt";
import pg from "pg";

const BCRYPT_BYTES = 72;
const REMEMBER_DAYS = 14;
const SECRET = process.env.SESSION_SECRET ?? "";
const PEPPER = process.env.DEVISE_PEPPER ?? "";
const COLUMNS = `id, email, encrypted_password, confirmed_at IS NOT NULL AND deleted_at IS NULL
  AND (locked_at IS NULL OR locked_at < now() AT TIME ZONE 'utc' - interval '1 hour') AS active`;

export const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL });

/** @typedef {{ id: string, email: string, encrypted_password: string, active: boolean }} User */

/**
 * @param {string} where
 * @param {unknown} value
 * @returns {Promise<User | undefined>}
 */
const find = async (where, value) =>
  (await pool.query(`SELECT ${COLUMNS} FROM users WHERE ${where} = $1`, [value])).rows[0];

/** @param {string} email */
export const byEmail = (email) => find("email", email.trim().toLowerCase());

/** @param {string} id */
export const byId = (id) => (/^\d{1,18}$/.test(id) ? find("id", id) : undefined);

/** Who may be signed in.
 * @param {string} id */
export const activeById = async (id) => {
  const user = await byId(id);
  return user?.active ? user : null;
};

/**
 * @param {User} user
 * @param {string} password
 */
export const hasPassword = (user, password) =>
  verify(Buffer.from(password + PEPPER).subarray(0, BCRYPT_BYTES), user.encrypted_password).catch(() => false);

/** What ties a session to the password: a new one ends it.
 * @param {User} user */
export const saltOf = (user) => user.encrypted_password.slice(0, 29);

/** @param {User} user */
export function rememberToken(user) {
  const claim = `${user.id}.${Date.now() + REMEMBER_DAYS * 86_400_000}`;
  return `${claim}.${macOf(claim, user)}`;
}

/** @param {string | undefined} header The Cookie header. */
export async function rememberedUser(header) {
  const [, claim, id, until, mac] = /(?:^|; )remember_me=((\d+)\.(\d+))\.([\w-]{43})/.exec(header ?? "") ?? [];
  const user = claim && Number(until) > Date.now() ? await activeById(id) : null;
  return user && timingSafeEqual(Buffer.from(mac), Buffer.from(macOf(claim, user))) ? user : null;
}

/**
 * @param {string} claim
 * @param {User} user
 */
const macOf = (claim, user) =>
  createHmac("sha256", SECRET)
    .update(claim + saltOf(user))
    .digest("base64url");
