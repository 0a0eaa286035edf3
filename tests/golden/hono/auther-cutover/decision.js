// The decision table, without any input or output: who a request acts for.
import { createHash } from "node:crypto";

import { OTHER_SCHEME } from "./credentials.js";

/** @typedef {import("./types.js").Decision} Decision */
/** @typedef {import("./types.js").Finding} Finding */
/** @typedef {import("./types.js").LegacySession} LegacySession */

/**
 * @param {LegacySession | null} session Whom the application's own session names.
 * @param {Finding} finding What came of Auther's credential.
 * @param {{ legacyIsOver: boolean, handsForeignOn: boolean }} at Stage `auther`, or `drain` after its deadline;
 *   whether the application's own authenticator takes foreign bearers on this path.
 * @returns {Decision}
 */
export function decide(session, finding, { legacyIsOver, handsForeignOn }) {
  const { kind, place, reason } = finding;
  if (kind === "unavailable") return unavailable(finding);
  if (kind === "valid") return valid(session, finding, legacyIsOver);
  if (kind === "foreign") {
    return handsForeignOn
      ? { path: "foreign", outcome: "accepted", reason, answer: "pass" }
      : { path: "foreign", outcome: "refused", reason, answer: "foreign_bearer" };
  }
  // Never a fall-through to the session: a caller who names a credential means it.
  if (place === "header" && kind !== "absent") {
    return {
      path: "auther",
      outcome: "refused",
      reason,
      answer: kind === "unlinked" ? "identity_unlinked" : "invalid_token",
    };
  }
  if (kind === "forged" || kind === "disabled" || kind === "unlinked") {
    // The session is not used in this request, whoever's it is; and it is not ended either.
    const answer = kind === "unlinked" ? "identity_unlinked" : "login";
    return { path: "auther", outcome: "refused", reason, answer, dropCookie: true };
  }
  return sessionAlone(session, finding, legacyIsOver);
}

/**
 * @param {Finding} finding
 * @returns {Decision}
 */
const unavailable = ({ reason, retryAfterS }) => ({
  path: "auther",
  outcome: "unavailable",
  reason,
  answer: "verification_unavailable",
  retryAfterS,
});

/**
 * @param {LegacySession | null} session
 * @param {Finding} finding
 * @param {boolean} legacyIsOver
 * @returns {Decision}
 */
function valid(session, { person, place, claims }, legacyIsOver) {
  if (!person) throw new TypeError("a valid finding has a person");
  const user = { userId: person.userId, credential: place, autherId: person.autherId, claims };
  const accepted = /** @type {const} */ ({ outcome: "accepted", answer: "pass", user });
  if (session === null) return { path: "auther", reason: "", ...accepted };
  if (legacyIsOver) return { path: "auther", reason: "legacy_stale", ...accepted, forgetLegacy: true };
  if (session.userId === person.userId) return { path: "both", reason: "", ...accepted };
  return {
    path: "both",
    outcome: "refused",
    reason: "conflict",
    answer: place === "header" ? "auth_conflict" : "conflict_page",
    parties: [session.userId, person.userId].map(short),
  };
}

/**
 * @param {LegacySession | null} session
 * @param {Finding} finding
 * @param {boolean} legacyIsOver
 * @returns {Decision}
 */
function sessionAlone(session, { kind, reason }, legacyIsOver) {
  const dropCookie = kind === "stale";
  if (session === null) {
    return {
      path: reason === OTHER_SCHEME ? "foreign" : "none",
      outcome: "anonymous",
      reason,
      answer: "pass",
      dropCookie,
    };
  }
  if (legacyIsOver) {
    const ended = /** @type {const} */ ({ outcome: "refused", reason: "legacy_refused", answer: "legacy_ended" });
    return { path: "legacy", ...ended, dropCookie, forgetLegacy: true };
  }
  const user = /** @type {const} */ ({ userId: session.userId, credential: "session" });
  return { path: "legacy", outcome: "accepted", reason: "", answer: "pass", user, dropCookie };
}

/** @param {string} userId */
const short = (userId) => createHash("sha256").update(userId).digest("hex").slice(0, 12);
