// The values that the parts hand to each other. Names that end in S are seconds.
import type { JWTPayload } from "jose";

export type Stage = "legacy" | "dual" | "drain" | "auther";
export type AccountState = "active" | "locked" | "locked_by_attempts" | "unconfirmed" | "deleted";
export type Credential = "session" | "cookie" | "header";

export interface Settings {
  readonly issuers: readonly string[];
  readonly audiences: readonly string[];
  readonly algorithms: readonly string[];
  readonly jwksUrl: string;
  readonly clientId: string;
  readonly authorizeUrl: string;
  readonly tokenUrl: string;
  readonly redirectUri: string;
  readonly pluginUrl: string;
  readonly checkPermissionUrl: string;
  readonly build: string;
  readonly heartbeatS: number;
  readonly delegatePermissions: boolean;
  readonly createUsers: boolean;
  readonly source: string;
  readonly afterLogin: string;
  readonly leewayS: number;
  readonly maxTokenBytes: number;
  readonly jwksRetryS: number;
  readonly jwksTimeoutS: number;
  readonly jwksMaxAgeS: number;
  readonly jwksStaleS: number;
  readonly namespace: string;
  readonly stagePublicKey: string;
  readonly bakedStage: Stage;
  readonly bakedPercent: number;
  readonly foreignPaths: readonly string[];
  readonly exchangeInDual: boolean;
  readonly jsonDoorsUntil: string;
  readonly stageEveryS: number;
  readonly sessionsEveryS: number;
}

/** Secrets and places, from the environment; empty means not set. */
export interface Environment {
  readonly instance: string;
  readonly countersFolder: string;
  readonly metricsToken: string;
  readonly cookieSecret: string;
  readonly clientSecret: string;
  readonly logoutSecret: string;
  readonly jwksCooldownS: number;
  readonly stageFile: string;
  readonly stageCache: string;
  readonly controlSecret: string;
  readonly verifySecret: string;
  readonly captureSecret: string;
  readonly exchangeSecret: string;
  readonly resetSecret: string;
}

/** A row of `migrator_identity` with the account's state. */
export interface Person {
  readonly userId: string;
  readonly autherId: string;
  readonly home: "legacy" | "auther";
  /** May not use Auther: a second factor that Auther cannot hold, and the like. */
  readonly pinned: boolean;
  /** Tokens issued before this Unix time are revoked. */
  readonly validAfterS: number | null;
  readonly state: AccountState;
}

/** What decides about an account: its row's columns as JSON; a column that is not there is undefined. */
export type Account = Readonly<Record<string, unknown>>;
export type Judge = (account: Account, nowMs: number) => AccountState;

/** Who a request acts for. */
export interface SignedIn {
  readonly userId: string;
  /** CSRF protection may be skipped for `header` only: a browser sends the others by itself. */
  readonly credential: Credential;
  readonly autherId?: string;
  readonly claims?: Claims;
}

export interface Claims extends JWTPayload {
  readonly sub: string;
  readonly exp: number;
}

export type Place = "header" | "cookie";

/** Auther's credential after every check. */
export interface Finding {
  readonly kind: "absent" | "valid" | "stale" | "forged" | "disabled" | "unlinked" | "foreign" | "unavailable";
  readonly place: Place;
  /** Why it is not valid, from a closed list. */
  readonly reason: string;
  readonly person?: Person;
  readonly claims?: Claims;
  readonly retryAfterS?: number;
}

/** Whom the application's own session names. */
export interface LegacySession {
  readonly userId: string;
}

/** The stage as this process sees it now. */
export interface StageView {
  readonly stage: Stage;
  /** Share of browsers that sign in at Auther in `dual`, 0 to 100. */
  readonly percent: number;
  readonly salt: string;
  readonly epoch: number;
  readonly stopAccepting: boolean;
  /** Unix time after which legacy credentials end in `drain`. */
  readonly legacyUntilS: number | null;
  /** Groups of the application's own making that sign in at Auther in `dual`. */
  readonly cohorts: readonly string[];
  readonly origin: "live" | "cached" | "baked";
}

/** One request's outcome; path, outcome and reason are a counter's labels. */
export interface Decision {
  readonly path: "legacy" | "auther" | "both" | "foreign" | "none";
  readonly outcome: "accepted" | "refused" | "anonymous" | "unavailable";
  readonly reason: string;
  readonly answer: Answer;
  readonly user?: SignedIn;
  readonly dropCookie?: boolean;
  readonly forgetLegacy?: boolean;
  readonly retryAfterS?: number;
  /** Ids of a conflict, shortened hashes only: enough to see that it is the same two again. */
  readonly parties?: readonly string[];
}

/** `pass`: the application answers. `login`, `legacy_ended`, `conflict_page`: a page is redirected. */
export type Answer =
  | "pass"
  | "login"
  | "invalid_token"
  | "foreign_bearer"
  | "legacy_ended"
  | "auth_conflict"
  | "conflict_page"
  | "identity_unlinked"
  | "verification_unavailable";
