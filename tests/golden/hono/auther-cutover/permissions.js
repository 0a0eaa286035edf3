// Permissions that Auther decides about. Off by default: then they are the application's own business.
import { postJson } from "./plugin.js";

/** @typedef {"allowed" | "denied" | "unknown"} Answer */

const TIMEOUT_S = 1;

/**
 * What a token itself says: claim keys are `type` (all entities) and `type:id`. A missing claim is not an empty one.
 * @param {import("./types.js").Claims | undefined} claims
 * @param {string} permission
 * @param {string} type
 * @param {string} id
 * @returns {Answer}
 */
export function fromClaims(claims, permission, type, id) {
  const granted = claims?.permissions;
  if (typeof granted !== "object" || granted === null) return "unknown";
  const keys = [type, `${type}:${id}`];
  if (isConditional(claims?.abac_required, keys, permission)) return "unknown";
  return keys.some((key) => holds(granted, key, permission)) ? "allowed" : "denied";
}

/**
 * What is not understood may be a condition.
 * @param {unknown} lists
 * @param {string[]} keys
 * @param {string} permission
 */
function isConditional(lists, keys, permission) {
  if (typeof lists !== "object") return lists !== undefined && lists !== false;
  return keys.some((key) => holds(lists, key, permission));
}

/**
 * @param {unknown} lists
 * @param {string} key
 * @param {string} permission
 */
function holds(lists, key, permission) {
  if (typeof lists !== "object" || lists === null || !Object.hasOwn(lists, key)) return false;
  const list = /** @type {Record<string, unknown>} */ (lists)[key];
  return Array.isArray(list) && list.includes(permission);
}

/**
 * Asks Auther what a token does not say. The subject of its answer is the API key, never a person: so the key is that
 * of the program which called, as it came with the request, and not one of the application's own, which would give
 * everybody what the application may.
 * @param {import("./types.js").Settings} settings
 * @param {string} apiKey
 * @param {{ permission: string, type: string, id: string, resource?: Record<string, unknown> }} question `resource` for
 *   conditions on attributes.
 * @returns {Promise<Answer>} `unknown`: Auther could not be asked. It counts as a refusal.
 */
export async function ofApiKey({ checkPermissionUrl }, apiKey, { permission, type, id, resource }) {
  if (!apiKey || !checkPermissionUrl) return "unknown";
  const body = { entityType: type, entityId: id, permission, ...(resource && { resource }) };
  const asked = postJson(checkPermissionUrl, body, { "x-api-key": apiKey }, TIMEOUT_S);
  const { status, answer } = await asked.catch(() => ({ status: 0, answer: null }));
  if (status !== 200 || typeof answer?.allowed !== "boolean") return "unknown";
  return answer.allowed ? "allowed" : "denied";
}
