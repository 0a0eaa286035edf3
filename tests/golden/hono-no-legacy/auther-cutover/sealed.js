// What a browser keeps for us: sealed, so that it can neither read nor change it.
import { createCipheriv, createDecipheriv, createHash, hkdfSync, randomBytes } from "node:crypto";

import { EncryptJWT, jwtDecrypt } from "jose";

const IV_BYTES = 12;
const TAG_BYTES = 16;

/** Seals small objects for cookies. */
export class Seal {
  #key;

  /** @param {string} secret */
  constructor(secret) {
    this.#key = new Uint8Array(hkdfSync("sha256", secret, "", "auther-cutover login attempt", 32));
  }

  /**
   * @param {Record<string, unknown>} value
   * @param {number} lifetimeS
   */
  close(value, lifetimeS) {
    const sealing = new EncryptJWT(value).setProtectedHeader({ alg: "dir", enc: "A256GCM" });
    return sealing.setExpirationTime(`${lifetimeS} s`).encrypt(this.#key);
  }

  /**
   * Gives what was sealed; null when it was not by us, or its time is over.
   * @param {string} text
   * @returns {Promise<Record<string, any> | null>}
   */
  async open(text) {
    const options = { keyManagementAlgorithms: ["dir"], contentEncryptionAlgorithms: ["A256GCM"] };
    return jwtDecrypt(text, this.#key, options).then(
      ({ payload }) => payload,
      () => null,
    );
  }
}

/**
 * A token that is too large for a cookie is kept in the database, readable only by whoever has the cookie.
 * @param {string} token
 */
export function sealToken(token) {
  const handle = `s.${randomBytes(32).toString("base64url")}`;
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv("aes-256-gcm", keyOf(handle), iv);
  const sealed = Buffer.concat([iv, cipher.update(token, "utf8"), cipher.final(), cipher.getAuthTag()]);
  return { handle, hash: handleHash(handle), sealed: sealed.toString("base64url") };
}

/**
 * @param {string} handle
 * @param {string} sealed
 * @returns {string | null} null: not sealed under this handle.
 */
export function openToken(handle, sealed) {
  const bytes = Buffer.from(sealed, "base64url");
  try {
    const decipher = createDecipheriv("aes-256-gcm", keyOf(handle), bytes.subarray(0, IV_BYTES), {
      authTagLength: TAG_BYTES,
    });
    decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
    return decipher.update(bytes.subarray(IV_BYTES, -TAG_BYTES), undefined, "utf8") + decipher.final("utf8");
  } catch {
    return null;
  }
}

/** @param {string} handle */
export const isHandle = (handle) => /^s\.[\w-]{43}$/.test(handle);

/** @param {string} handle */
export const handleHash = (handle) => createHash("sha256").update(handle).digest("hex");

/** @param {string} handle */
const keyOf = (handle) => createHash("sha256").update(`migrator_token:${handle}`).digest();
