<?php

// What was baked into this build, and what its environment adds. Nothing here is secret; secrets come from the
// environment only. `php artisan config:cache` reads that environment once: cache after it is complete.

$settings = [
    // Who may sign tokens, for whom, with what. The issuers also tell our bearers from foreign ones.
    'issuers' => ['https://id.example.org'],
    'audiences' => ['club'],
    'algorithms' => ['EdDSA'],
    'jwks_url' => 'https://id.example.org/api/auth/jwks',

    // The browser's login: this application as an OAuth client of Auther.
    'client_id' => 'club',
    'client_secret' => env('AUTHER_CLIENT_SECRET', ''),
    'authorize_url' => 'https://id.example.org/api/auth/oauth2/authorize',
    'token_url' => 'https://id.example.org/api/auth/oauth2/token',
    'redirect_uri' => 'https://club.example.org/auth/callback',
    'after_login' => '/',

    // Auther's migration plugin; '' where there is none.
    'plugin_url' => 'https://id.example.org/api/auth/migrator',
    'logout_secret' => env('MIGRATOR_LOGOUT_SECRET', ''),

    // The legacy model's name in `migrator_identity`; whether an unknown `sub` gets a row of its own.
    'source' => 'User',
    'create_users' => false,

    // Permissions: the application's own business, or asked of Auther.
    'delegate_permissions' => false,
    'check_permission_url' => '',

    // Which build this is, told by each instance every ten seconds and with its counters.
    'build' => '1',
    'heartbeat_s' => 10,

    // The guard that people sign in with (config/auth.php), and paths that work whatever else is in the browser: health
    // checks, your own logout.
    'guard' => 'web',
    'exempt' => ['healthz', 'logout'],
    // What our own routes run in: the cookies' encryption and the session, but no decision and no CSRF check.
    'middleware' => [
        App\Http\Middleware\EncryptCookies::class,
        Illuminate\Cookie\Middleware\AddQueuedCookiesToResponse::class,
        Illuminate\Session\Middleware\StartSession::class,
    ],

    // The legacy login page; what each way in is called in the counters, by path. Any other is called `other`.
    'login_path' => '/login',
    'doors' => [
        'login' => 'form', 'api/login' => 'json', 'register' => 'registration', 'reset-password' => 'reset',
    ],

    // Where the cutover's stage comes from, and what holds while no document was ever seen.
    'namespace' => 'club',
    'stage_public_key' => 'XHUYBkVE9pgEVSm7k4CRtZ4SUz2gCEBsDDW5B10n9so',
    'baked_stage' => 'dual',
    'baked_percent' => 0.0,
    'stage_file' => env('MIGRATOR_STAGE_FILE', ''),
    'stage_cache' => env('MIGRATOR_STAGE_CACHE', '') ?: storage_path('app/auther-stage.json'),

    // Path prefixes whose foreign bearers (Sanctum, Passport) go to the application's own authenticator.
    'foreign_paths' => [],
    'exchange_in_dual' => false,
    // In `drain`, doors that answer JSON stay open until then; '': not at all.
    'json_doors_until' => '',
    'control_secret' => env('MIGRATOR_CONTROL_SECRET', ''),
    'verify_secret' => env('MIGRATOR_VERIFY_SECRET', ''),
    'capture_secret' => env('MIGRATOR_CAPTURE_SECRET', ''),
    'exchange_secret' => env('MIGRATOR_EXCHANGE_SECRET', ''),
    'reset_secret' => env('MIGRATOR_RESET_SECRET', ''),
    // How long a look at "all legacy sessions of this user were ended" is good for.
    'sessions_every_s' => 5,

    // What all workers of this instance share: keys, counters. A folder of this host's own disk, for this user alone.
    'state_folder' => env('MIGRATOR_STATE_FOLDER', '') ?: storage_path('framework/auther-cutover'),
    'instance' => env('MIGRATOR_INSTANCE', '') ?: gethostname(),
    'metrics_token' => env('MIGRATOR_METRICS_TOKEN', ''),
    // One line of JSON for each decision.
    'log' => env('MIGRATOR_LOG', '') ?: 'php://stderr',

    'leeway_s' => 30,
    'max_token_bytes' => 8192,
    'jwks_cooldown_s' => (int) (env('MIGRATOR_JWKS_COOLDOWN_S') ?: 30),
    'jwks_retry_s' => 5,
    'jwks_timeout_s' => 5,
    // After this a key set is refreshed behind an answer; after `jwks_stale_s` it is no longer used.
    'jwks_max_age_s' => 600,
    'jwks_stale_s' => 86_400,
];

// Checked here, so that what is cached was checked once, and no request does it again.
return $settings + ['problem' => App\AutherCutover\Settings::problemIn($settings)];
