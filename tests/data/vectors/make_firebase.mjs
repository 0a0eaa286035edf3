/**
 * Values of Firebase Authentication's scrypt.
 *
 *     npm install firebase-scrypt@2.2.0
 *     node make_firebase.mjs > firebase.json
 *
 * The first one is the example that Firebase itself publishes with its scrypt, with the same parameters.
 */
import { createRequire } from "node:module";

const { FirebaseScrypt } = createRequire(`${process.cwd()}/`)("firebase-scrypt");
const SIGNER = "jxspr8Ki0RYycVU8zykbdLGjFQ3McFUH0uiiTvC8pVMXAn210wjLNmdZJzxUECKbm0QsEmYUSDzZvpjeJ9WmXA==";
const SEPARATOR = "Bw==";
const SALT = "42xEC+ixf3L2lw==";
const PUBLISHED = "lSrfV15cpx95/sZS2W9c9Kp6i/LVgQNDNC/qzrCnh1SAyZvqmZqAjTdn3aoItz+VHjoZilo78198JAdRuid5lQ==";
const PASSWORDS = ["correct horse", " trailing ", "Cr\u00e8me", "Cre\u0300me", "ключ 🔑", "nul\0inside", "p".repeat(100)];

const row = (value, password, rounds, memCost) => ({
  declared: { scheme: "firebase_scrypt", rounds, mem_cost: memCost, separator: SEPARATOR },
  value,
  password,
  salt: SALT,
  pepper: SIGNER,
});
const rows = [row(PUBLISHED, "user1password", 8, 14)];
for (const [index, password] of PASSWORDS.entries()) {
  const [rounds, memCost] = [[8, 14], [4, 8], [1, 1]][index % 3];
  const made = new FirebaseScrypt({ memCost, rounds, saltSeparator: SEPARATOR, signerKey: SIGNER });
  rows.push(row(await made.hash(password, SALT), password, rounds, memCost));
}
process.stdout.write(`${JSON.stringify(rows, null, 1)}\n`);
