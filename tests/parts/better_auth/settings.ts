/** What the server is told through its environment. */
import type { LegacyPasswordsOptions } from "./.parts/legacy-passwords.ts";

export interface Client {
  clientId: string;
  name: string;
  redirectURLs: string[];
  type: "public" | "web";
  clientSecret?: string;
  /** In the configuration (no consent asked), or only a row of oauth_application. */
  trusted: boolean;
  /** Has its row in oauth_application. */
  row: boolean;
}

/** What Authers differ in; everything is on unless said otherwise. */
export interface Behaviour {
  /** Sign-up asks for it in x-internal-signup-secret, as Auther does. */
  signUpSecret?: string;
  signUp?: boolean;
  /** Sends mails to reset a password. */
  reset?: boolean;
  /** Has pages to register and to ask for a reset mail. */
  pages?: boolean;
  /** Mails are appended here, one JSON object a line. */
  mailFile?: string;
  /** Social providers, by name; none of them is reached. */
  social?: string[];
  linking?: boolean;
  /** People may change their address and delete themselves; off unless set. */
  selfService?: boolean;
  /** Ids of users who are administrators whatever their role says. */
  admins?: string[];
}

export interface Settings {
  behaviour: Behaviour;
  databaseFile: string;
  /** Of a libSQL server; the file is not used then. */
  databaseUrl: string | undefined;
  schemaFile: string;
  host: string;
  port: number;
  baseURL: string | undefined;
  secret: string;
  plugin: boolean;
  rateLimit: boolean;
  /** Auther configures hash and verify itself (the functions of better-auth, named explicitly). */
  ownPassword: boolean;
  clients: Client[];
  /** Options of the plugin, apart from `database`, which is the server's own client when it is asked for. */
  pluginOptions: LegacyPasswordsOptions;
  pluginDatabase: boolean;
  /** With the claim `permissions`: "" for none, "tuples" from the table, "fails" for a failing one. */
  permissions: string;
}

export function readSettings(env: NodeJS.ProcessEnv): Settings {
  return {
    databaseFile: required(env, "DATABASE_FILE"),
    databaseUrl: env.DATABASE_URL,
    schemaFile: required(env, "SCHEMA_FILE"),
    host: env.HOST ?? "127.0.0.1",
    port: Number(env.PORT ?? 0),
    baseURL: env.BASE_URL,
    secret: required(env, "BETTER_AUTH_SECRET"),
    plugin: env.PLUGIN !== "0",
    rateLimit: env.RATE_LIMIT === "1",
    ownPassword: env.OWN_PASSWORD === "1",
    clients: JSON.parse(env.CLIENTS ?? "[]") as Client[],
    pluginOptions: JSON.parse(env.PLUGIN_OPTIONS ?? "{}") as LegacyPasswordsOptions,
    pluginDatabase: env.PLUGIN_DATABASE === "1",
    permissions: env.PERMISSIONS ?? "",
    behaviour: JSON.parse(env.BEHAVIOUR ?? "{}") as Behaviour,
  };
}

function required(env: NodeJS.ProcessEnv, name: string): string {
  const value = env[name];
  if (!value) throw new Error(`${name} is not set`);
  return value;
}
