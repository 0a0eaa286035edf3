/** What the server is told through its environment. */
export interface Client {
  clientId: string;
  name: string;
  redirectURLs: string[];
  type: "public" | "web";
  clientSecret?: string;
  /** In the configuration (no consent asked), or only a row of oauth_application. */
  trusted: boolean;
}

export interface Settings {
  databaseFile: string;
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
}

export function readSettings(env: NodeJS.ProcessEnv): Settings {
  return {
    databaseFile: required(env, "DATABASE_FILE"),
    schemaFile: required(env, "SCHEMA_FILE"),
    host: env.HOST ?? "127.0.0.1",
    port: Number(env.PORT ?? 0),
    baseURL: env.BASE_URL,
    secret: required(env, "BETTER_AUTH_SECRET"),
    plugin: env.PLUGIN !== "0",
    rateLimit: env.RATE_LIMIT === "1",
    ownPassword: env.OWN_PASSWORD === "1",
    clients: JSON.parse(env.CLIENTS ?? "[]") as Client[],
  };
}

function required(env: NodeJS.ProcessEnv, name: string): string {
  const value = env[name];
  if (!value) throw new Error(`${name} is not set`);
  return value;
}
