/**
 * Values of ASP.NET Identity.
 *
 *     npm install aspnetcore-identity-password-hasher@1.0.1 aspnet-identity-pw@1.0.2
 *     node make_aspnet.mjs > aspnet.json
 *
 * The first ones are the test vectors that ASP.NET Core itself publishes, in PasswordHasherTest.cs.
 */
import { createRequire } from "node:module";

const require = createRequire(`${process.cwd()}/`);
const version3 = require("aspnetcore-identity-password-hasher");
const version2 = require("aspnet-identity-pw");

const PUBLISHED = [
  "AAABAgMEBQYHCAkKCwwNDg+ukCEMDf0yyQ29NYubggHIVY0sdEUfdyeM+E1LtH1uJg==",
  "ANXrDknc7fGPpigibZXXZFMX4aoqz44JveK6jQuwY3eH/UyPhvr5xTPeGYEckLxz9A==",
  "AQAAAAEAACcQAAAAEAABAgMEBQYHCAkKCwwNDg+yWU7rLgUwPZb1Itsmra7cbxw2EFpwpVFIEtP+JIuUEw==",
  "AQAAAAIAAAAyAAAAEOMwvh3+FZxqkdMBz2ekgGhwQ4B6pZWND6zgESBuWiHw",
  "AQAAAAIAAAD6AAAAIJbVi5wbMR+htSfFp8fTw8N8GOS/Sje+S/4YZcgBfU7EQuqv4OkVYmc4VJl9AGZzmRTxSkP7LtVi9IWyUxX8IAAfZ8v+ZfhjCcudtC1YERSqE1OEdXLW9VukPuJWBBjLuw==",
  "AQAAAAAAAAD6AAAAEAhftMyfTJylOlZT+eEotFXd1elee8ih5WsjXaR3PA9M",
  "AQAAAAEAA9CQAAAAIESkQuj2Du8Y+kbc5lcN/W/3NiAZFEm11P27nrSN5/tId+bR1SwV8CO1Jd72r4C08OLvplNlCDc3oQZ8efcW+jQ=",
];
const PASSWORDS = ["correct horse", " trailing ", "Cr\u00e8me", "Cre\u0300me", "ключ 🔑", "nul\0inside", "p".repeat(100)];

const row = (value, password) => ({ scheme: "aspnet_identity", value, password, pepper: "" });
const rows = PUBLISHED.map((value) => row(value, "my password"));
for (const password of PASSWORDS) {
  rows.push(row(await version3.hash(password), password));
  rows.push(row(version2.hashPassword(password), password));
}
process.stdout.write(`${JSON.stringify(rows, null, 1)}\n`);
