# frozen_string_literal: true

# Signing in through Auther beside the application's own sessions. What it does, how to check it, how to take it back and how
# to remove it: docs/auther_cutover.md. Nothing here is secret; secrets come from the environment.
require "auther_cutover"

AutherCutover.configure(
  # Who may sign tokens, for whom, with what. The issuers also tell our bearers from foreign ones.
  issuers: ["https://id.example.org"],
  audiences: ["club"],
  algorithms: ["EdDSA"],
  jwks_url: "https://id.example.org/api/auth/jwks",

  # The browser's login: this application as an OAuth client of Auther.
  client_id: "club",
  authorize_url: "https://id.example.org/api/auth/oauth2/authorize",
  token_url: "https://id.example.org/api/auth/oauth2/token",
  redirect_uri: "https://club.example.org/auth/callback",
  # The plugin's endpoints at Auther; "" uses none of them.
  plugin_url: "https://id.example.org/api/auth/migrator",
  after_login: "/",

  build: "1",
  # What the import calls the users. Does somebody whom only Auther knows get a row?
  source: "User",
  create_users: false,

  # Where the cutover's stage comes from.
  namespace: "club",
  stage_public_key: "XHUYBkVE9pgEVSm7k4CRtZ4SUz2gCEBsDDW5B10n9so",
  baked_stage: "dual",
  baked_percent: 0.0,
  # Legacy sessions become Auther's without a new login: in drain always, and in dual?
  exchange_in_dual: false,
  # In drain, sign-ins by JSON are refused from this time on; "": at once.
  json_doors_until: "",

  # Below these paths a bearer of somebody else is for the application's own authenticator, which finds
  # neither session nor cookie then; everywhere else it is refused.
  foreign_paths: [],
  # Does Auther decide about permissions, or the application?
  delegate_permissions: false,
  check_permission_url: "",

  # Paths that are answered without asking who it is.
  exempt_paths: ["/up", "/healthz"]
)