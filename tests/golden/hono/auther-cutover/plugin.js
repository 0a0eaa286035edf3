// Calls to Auther's migration plugin, server to server, each with a secret of its own.
import { Unavailable } from "./errors.js";

const MAX_BYTES = 65_536;

/** What the plugin said, or that it could not be asked. */
export class Plugin {
  /** @param {import("./types.js").Settings} settings */
  constructor({ pluginUrl }) {
    this.url = pluginUrl;
  }

  /**
   * @param {string} path
   * @param {string} secret "": this is not set up.
   * @param {Record<string, unknown>} body
   * @param {{ timeoutS: number }} options
   * @returns {Promise<any>}
   * @throws {Unavailable} It cannot be asked, or does not answer with 200; `status` in `cause` says with what.
   */
  async post(path, secret, body, { timeoutS }) {
    if (!this.url || !secret) throw new Unavailable(`${path}: no plugin URL or no secret`);
    const { status, answer } = await postJson(
      `${this.url}/${path}`,
      body,
      { authorization: `Bearer ${secret}` },
      timeoutS,
    );
    if (status === 200) return answer;
    throw Object.assign(new Unavailable(`${path} answered ${status}`), { cause: { status } });
  }
}

/**
 * @param {string} url
 * @param {Record<string, unknown> | URLSearchParams} body A form when it is URLSearchParams.
 * @param {Record<string, string>} headers
 * @param {number} timeoutS
 * @returns {Promise<{ status: number, answer: any }>} `answer` is null when it is not JSON.
 * @throws {Unavailable} No answer in time.
 */
export async function postJson(url, body, headers, timeoutS) {
  const isForm = body instanceof URLSearchParams;
  try {
    const response = await fetch(url, {
      method: "POST",
      body: isForm ? body : JSON.stringify(body),
      headers: { accept: "application/json", ...(isForm ? {} : { "content-type": "application/json" }), ...headers },
      redirect: "error",
      signal: AbortSignal.timeout(timeoutS * 1000),
    });
    const text = await response.text();
    return { status: response.status, answer: text.length > MAX_BYTES ? null : parsed(text) };
  } catch {
    throw new Unavailable("Auther does not answer");
  }
}

/** @param {string} text */
function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
