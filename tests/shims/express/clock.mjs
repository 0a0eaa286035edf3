// The application's clock: ahead by as many seconds as a file says, which a test may change at any time.
import { readFileSync } from "node:fs";

const real = Date.now;
Date.now = () => real() + Number(readFileSync(process.env.AHEAD_FILE, "utf8")) * 1000;
