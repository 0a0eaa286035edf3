import type { CookieOptions, Request, Response } from "express";
import type { PassportStatic } from "passport";

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
import type { Claims, Environment, Judge, Settings, SignedIn } from "./types.js";

declare global {
  namespace Express {
    interface Request {
      /** Who this request acts for, and by which credential; null for nobody. */
      auther?: SignedIn | null;
    }
  }
}

export interface Options {
  readonly passport: PassportStatic;
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
  /** Names of the doors by path, for the counters: a short, closed list. */
  readonly doors?: Readonly<Record<string, string>>;
  /** The name of your remember-me cookie. */
  readonly rememberCookie?: string;
  /** Its path and domain. */
  readonly rememberCookieOptions?: CookieOptions;
  /** Whom that cookie names, after all your checks, without making a session. */
  readonly rememberedUserId?: (req: Request) => Promise<string | number | null>;
  /** Something that your serializeUser can take, for the detection control. */
  readonly fixtureUser?: object;
  /** Passport's `key` option, where it is not "passport". */
  readonly sessionKey?: string;
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
