// Sign-in through Auther. See README.md.
export { safeReturnPath } from "./attempts.js";
export { createAuther } from "./auther.js";
