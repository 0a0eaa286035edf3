import type { Context } from "hono";

import type { Attempts } from "./attempts.js";
import type { AutherSession } from "./auther-session.js";
import type { EndedSessions } from "./background.js";
import type { Credentials } from "./credentials.js";
import type { Exchange } from "./exchange.js";
import type { LegacySide } from "./legacy-side.js";
import type { Counters } from "./metrics.js";
import type { Database, People } from "./people.js";
import type { Plugin } from "./plugin.js";
import type { Renewal } from "./renewal.js";
import type { Cookies } from "./request.js";
import type { StageReader } from "./stage.js";
import type { TokenVerifier } from "./tokens.js";
import type { Claims, Decision, Environment, Judge, Settings, SignedIn } from "./types.js";

declare module "hono" {
  interface ContextVariableMap {
    /** Who this request acts for, and by which credential; null for nobody. */
    autherUser: AutherUser | null | undefined;
    /** On which path this request was counted; undefined where nothing was decided. */
    autherPath: Decision["path"] | undefined;
  }
}

export interface AutherUser extends SignedIn {
  /** As your application knows them. */
  readonly user: any;
}

/** Your sessions, remember-me included: Hono has none of its own. */
export interface LegacySessions {
  /**
   * Whether the browser's cookies name a user. Opens them with your own code, asks no database about people: this is
   * what counts as legacy, and what the detection control checks.
   */
  holdsUser(c: Context): boolean | Promise<boolean>;
  /**
   * Whom they name after all your checks: locked, unconfirmed and deleted accounts are nobody. Makes no session. Asked only
   * where holdsUser said yes.
   */
  read(c: Context): Promise<object | null | undefined> | object | null | undefined;
  /**
   * Takes the user out of session and remember-me. `keeps`: the rest stays (cart, CSRF token); otherwise all of it goes. A
   * session with an id of its own gets a new one.
   */
  forget(c: Context, options: { keeps: boolean }): void | Promise<void>;
  /** A Cookie header with a session of a made-up user, as your own code seals it. Nothing is stored. */
  fixture(): string | Promise<string>;
}

export interface Options {
  readonly sessions: LegacySessions;
  /** The application's primary: a connection string, or something with `query`. */
  readonly database: string | Database;
  /**
   * The user for a primary key, as your application knows it; null for accounts that may not be used. A lock that failed
   * attempts imposed is none of its business: `judge` looks at those.
   */
  readonly findUser: (
    userId: string,
    claims?: Claims,
  ) => Promise<object | null | undefined> | object | null | undefined;
  /** The primary key of such a user. */
  readonly userId: (user: any) => string | number;
  /** Your login page; gets `?return_to=`. */
  readonly loginPath: string;
  /** Exact paths that nothing is decided for, for example "/healthz". */
  readonly exempt?: readonly string[];
  /** Turns the account's columns into its state; by default as Devise would. */
  readonly judge?: Judge;
  /** Gets one object per decision; by default a JSON line on stdout. */
  readonly log?: (line: object) => void;
}

/** What the parts share. */
export interface Parts {
  readonly options: Options;
  readonly settings: Settings;
  readonly environment: Environment;
  readonly log: (line: object) => void;
  readonly counters: Counters;
  readonly verifier: TokenVerifier;
  readonly people: People;
  readonly credentials: Credentials;
  readonly cookies: Cookies;
  readonly plugin: Plugin;
  readonly attempts: Attempts;
  readonly autherSession: AutherSession;
  readonly renewal: Renewal;
  /** A connection of its own for what must never be the cause of an error or of a wait. */
  readonly side: Database;
  readonly stage: StageReader;
  readonly legacy: LegacySide;
  readonly ended: EndedSessions;
  readonly exchange: Exchange;
}
