// The club's sessions: everything in one signed cookie, and another one that remembers a browser for longer.
import { createHmac, timingSafeEqual } from "node:crypto";

import { deleteCookie, getCookie, setCookie } from "hono/cookie";

import * as users from "./users.js";

/** @typedef {import("hono").Context} Context */
/** @typedef {{ user?: { id: string, salt: string }, csrf?: string, cart?: string }} Session */

const SESSION = "club.sid";
const REMEMBER = "remember_me";
const REMEMBER_S = 14 * 86_400;
const ATTRIBUTES = /** @type {const} */ ({ path: "/", httpOnly: true, sameSite: "Lax" });
const SECRET = process.env.SESSION_SECRET ?? "";

/**
 * @param {Context} c
 * @returns {Session}
 */
export const sessionOf = (c) => c.get("session") ?? opened(getCookie(c, SESSION)) ?? {};

/**
 * @param {Context} c
 * @param {Session} session
 */
export function write(c, session) {
  c.set("session", session);
  setCookie(c, SESSION, sealed(session), ATTRIBUTES);
}

/**
 * @param {Context} c
 * @param {users.User} user
 */
export function begin(c, user) {
  write(c, { ...sessionOf(c), user: { id: user.id, salt: users.saltOf(user) } });
}

/**
 * @param {Context} c
 * @param {users.User} user
 */
export function remember(c, user) {
  const value = sealed({ id: user.id, salt: users.saltOf(user), until: Date.now() + REMEMBER_S * 1000 });
  setCookie(c, REMEMBER, value, { ...ATTRIBUTES, maxAge: REMEMBER_S });
}

/** What the README of the shim asks for. */
export const sessions = {
  /** @param {Context} c */
  holdsUser: (c) => (sessionOf(c).user ?? remembered(c)) !== undefined,

  /** @param {Context} c */
  async read(c) {
    const { id, salt } = sessionOf(c).user ?? remembered(c);
    const user = await users.activeById(id);
    return user && users.saltOf(user) === salt ? user : null;
  },

  /**
   * @param {Context} c
   * @param {{ keeps: boolean }} options
   */
  forget(c, { keeps }) {
    const { user, ...rest } = sessionOf(c);
    if (user || !keeps) write(c, keeps ? rest : {});
    if (getCookie(c, REMEMBER)) deleteCookie(c, REMEMBER, ATTRIBUTES);
  },

  fixture: () => `${SESSION}=${sealed({ user: { id: "0", salt: "" } })}`,
};

/** @param {Context} c */
function remembered(c) {
  const found = opened(getCookie(c, REMEMBER));
  return found && found.until > Date.now() ? found : undefined;
}

/** @param {object} value */
function sealed(value) {
  const text = Buffer.from(JSON.stringify(value)).toString("base64url");
  return `${text}.${macOf(text)}`;
}

/**
 * @param {string | undefined} cookie
 * @returns {any}
 */
function opened(cookie) {
  const [text, mac] = cookie?.split(".") ?? [];
  if (!mac || mac.length !== macOf(text).length) return undefined;
  const isOurs = timingSafeEqual(Buffer.from(mac), Buffer.from(macOf(text)));
  return isOurs ? JSON.parse(Buffer.from(text, "base64url").toString()) : undefined;
}

/** @param {string} text */
const macOf = (text) => createHmac("sha256", SECRET).update(text).digest("base64url");
