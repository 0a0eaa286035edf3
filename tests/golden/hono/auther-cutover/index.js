// Accepts the application's own sessions and Auther's tokens side by side. See README.md.
export { safeReturnPath } from "./attempts.js";
export { createCutover } from "./cutover.js";
export { DoorClosed } from "./doors.js";
export { Unavailable } from "./errors.js";
export { deviseState } from "./people.js";
