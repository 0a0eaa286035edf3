# frozen_string_literal: true

# Signing in through Auther. What it does, how to check it, how to take it back and how
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

  # Below these paths a bearer of somebody else is for the application's own authenticator, which finds
  # neither session nor cookie then; everywhere else it is refused.
  foreign_paths: [],
  # Does Auther decide about permissions, or the application?
  delegate_permissions: false,
  check_permission_url: "",

  # Paths that are answered without asking who it is.
  exempt_paths: ["/up", "/healthz"]
)