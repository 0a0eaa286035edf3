<?php

// Runs Laravel itself: its migrations, its user model, its hashers, its login. No Composer: Debian packs
// the framework with an autoloader. LARAVEL_DSN names the database, LARAVEL_KEYS the kind of its keys.

declare(strict_types=1);

namespace App\Models;

require 'Illuminate/autoload.php';

use Illuminate\Contracts\Auth\MustVerifyEmail;
use Illuminate\Database\Eloquent\SoftDeletes;
use Illuminate\Foundation\Auth\User as Authenticatable;
use Illuminate\Support\Str;

class User extends Authenticatable implements MustVerifyEmail
{
    use SoftDeletes;

    protected $guarded = [];
    protected $hidden = ['password', 'remember_token'];
    protected $casts = ['email_verified_at' => 'datetime'];

    public static function boot()
    {
        parent::boot();
        static::creating(function (User $user) {
            if (getenv('LARAVEL_KEYS') === 'uuid') {
                $user->id = (string) Str::uuid();
            }
        });
    }

    public function getIncrementing()
    {
        return getenv('LARAVEL_KEYS') !== 'uuid';
    }

    public function getKeyType()
    {
        return $this->getIncrementing() ? 'int' : 'string';
    }
}

namespace Site;

use App\Models\User;
use Illuminate\Auth\AuthServiceProvider;
use Illuminate\Config\Repository;
use Illuminate\Contracts\Encryption\DecryptException;
use Illuminate\Cookie\CookieServiceProvider;
use Illuminate\Database\DatabaseServiceProvider;
use Illuminate\Database\Migrations\DatabaseMigrationRepository;
use Illuminate\Database\Migrations\Migrator;
use Illuminate\Database\Schema\Blueprint;
use Illuminate\Encryption\Encrypter;
use Illuminate\Encryption\EncryptionServiceProvider;
use Illuminate\Events\EventServiceProvider;
use Illuminate\Filesystem\FilesystemServiceProvider;
use Illuminate\Foundation\Application;
use Illuminate\Foundation\Http\Middleware\ConvertEmptyStringsToNull;
use Illuminate\Foundation\Http\Middleware\TrimStrings;
use Illuminate\Hashing\HashServiceProvider;
use Illuminate\Http\Request;
use Illuminate\Pipeline\Pipeline;
use Illuminate\Session\SessionServiceProvider;
use Illuminate\Support\Facades\Auth;
use Illuminate\Support\Facades\DB;
use Illuminate\Support\Facades\Facade;
use Illuminate\Support\Facades\Hash;
use Illuminate\Support\Str;

// Made up, like every password here.
const APP_KEY = 'base64:bGFyYXZlbCBmaXh0dXJlIGtleSwgMzIgYnl0ZXMgbG8=';
const OLD_KEY = 'base64:dGhlIGtleSBiZWZvcmUgaXQsIDMyIGJ5dGVzIGxvbmc=';
const PASSWORD = 'Crème brûlée $7';

/** As in the application skeleton's App\Http\Middleware. */
class TrimInput extends TrimStrings
{
    protected $except = ['current_password', 'password', 'password_confirmation'];
}

function start(): Application
{
    $app = new Application(__DIR__);
    Facade::setFacadeApplication($app);
    $app->instance('config', new Repository(settings()));
    $app->instance('request', Request::create('/login', 'POST'));
    date_default_timezone_set('UTC');
    $providers = [
        EventServiceProvider::class, FilesystemServiceProvider::class, DatabaseServiceProvider::class,
        EncryptionServiceProvider::class, HashServiceProvider::class, CookieServiceProvider::class,
        SessionServiceProvider::class, AuthServiceProvider::class,
    ];
    array_map([$app, 'register'], $providers);
    $app->boot();

    return $app;
}

function settings(): array
{
    $place = parse_url(getenv('LARAVEL_DSN'));
    $connection = [
        'driver' => 'pgsql', 'host' => $place['host'], 'port' => $place['port'],
        'database' => ltrim($place['path'], '/'), 'username' => $place['user'],
        'password' => $place['pass'], 'charset' => 'utf8', 'schema' => 'public', 'prefix' => '',
    ];

    return [
        'app' => ['key' => APP_KEY, 'cipher' => 'AES-256-CBC'],
        'auth' => [
            'defaults' => ['guard' => 'web'],
            'guards' => ['web' => ['driver' => 'session', 'provider' => 'users']],
            'providers' => ['users' => ['driver' => 'eloquent', 'model' => User::class]],
        ],
        'database' => [
            'default' => 'pgsql', 'migrations' => 'migrations', 'connections' => ['pgsql' => $connection],
        ],
        'hashing' => ['driver' => 'bcrypt', 'bcrypt' => ['rounds' => 4]],
        'session' => ['driver' => 'array', 'lifetime' => 120, 'lottery' => [0, 1], 'cookie' => 'laravel_session'],
    ];
}

function migrate(Application $app): void
{
    Blueprint::macro('userKey', function (string $name) {
        return getenv('LARAVEL_KEYS') === 'uuid' ? $this->uuid($name) : $this->unsignedBigInteger($name);
    });
    $ran = new DatabaseMigrationRepository($app['db'], 'migrations');
    $ran->createRepository();
    (new Migrator($ran, $app['db'], $app['files']))->run(__DIR__.'/migrations');
}

/** One user of each kind; a fixed time, so that the same people come out every time. */
function people(): array
{
    $bcrypt = Hash::driver('bcrypt');
    $cheap = $bcrypt->make(PASSWORD, ['rounds' => 4]);
    $long = str_repeat('long ', 14).'é beyond seventy-two bytes';

    return [
        ...hashes(),
        ['long_password', ['password' => $bcrypt->make($long)], $long],
        ['blank_password', ['password' => $bcrypt->make('  two blanks around  ')], '  two blanks around  '],
        ['unverified', ['password' => $cheap, 'email_verified_at' => null]],
        ['remembered', ['password' => $cheap, 'remember_token' => Str::random(60)]],
        ['deleted', ['password' => $cheap, 'deleted_at' => '2024-03-01 10:00:00']],
        ['provider_only', ['password' => null]],
        ['provider_column', ['password' => null, 'github_id' => '7000001']],
        ['no_way_in', ['password' => null]],
        ['second_factor', ['password' => $cheap] + factor('GEZDGNBVGY3TQOJQ', '2024-01-02 03:04:05')],
        ['second_factor_begun', ['password' => $cheap] + factor('MFRGGZDFMZTWQ2LK', null)],
        ['second_factor_old_key', ['password' => $cheap] + factor('ONSWG4TFOQQHG33N', '2023-01-01 00:00:00', encrypter('old'))],
        ['second_factor_gcm', ['password' => $cheap] + factor('KRSXG5CTMVRXEZLU', '2024-01-02 03:04:05', encrypter('gcm'))],
        ['second_factor_lost', ['password' => $cheap, 'two_factor_secret' => 'cut o'] + factor('', '2023-01-01 00:00:00')],
        ['md5', ['password' => md5(PASSWORD)]],
        ['Capitals', ['password' => $cheap, 'email' => 'Grace.Capitals@Example.ORG']],
        ['pair_lower', ['password' => $cheap, 'email' => 'pair@example.org']],
        ['pair_upper', ['password' => $cheap, 'email' => 'Pair@example.org']],
        ['twin_deleted', ['password' => $cheap, 'email' => 'twin@example.org', 'deleted_at' => '2024-03-01 10:00:00']],
        ['twin_alive', ['password' => $cheap, 'email' => 'Twin@example.org']],
        ['blank_alone', ['password' => $cheap, 'email' => ' blank.alone@example.org']],
        ['blank_beside', ['password' => $cheap, 'email' => 'beside@example.org ']],
        ['beside', ['password' => $cheap, 'email' => 'beside@example.org']],
        ['accent_lower', ['password' => $cheap, 'email' => 'éva@example.org']],
        ['accent_upper', ['password' => $cheap, 'email' => 'Éva@example.org']],
    ];
}

function hashes(): array
{
    $bcrypt = fn (int $rounds) => Hash::driver('bcrypt')->make(PASSWORD, ['rounds' => $rounds]);
    $argon = fn (string $driver, int $memory, int $time, int $threads) => Hash::driver($driver)->make(
        PASSWORD, ['memory' => $memory, 'time' => $time, 'threads' => $threads]
    );

    return [
        ['bcrypt_4', ['password' => $bcrypt(4)]],
        ['bcrypt_8', ['password' => $bcrypt(8)]],
        ['bcrypt_10', ['password' => $bcrypt(10)]],
        ['argon2i', ['password' => $argon('argon', 1024, 2, 2)]],
        ['argon2id', ['password' => $argon('argon2id', 1024, 2, 2)]],
        ['argon2id_dear', ['password' => $argon('argon2id', 65536, 4, 1)]],
    ];
}

/** What Fortify writes when it enables the second factor. */
function factor(string $secret, ?string $confirmed, ?Encrypter $encrypter = null): array
{
    $encrypter ??= encrypter('now');

    return [
        'two_factor_secret' => $encrypter->encrypt($secret),
        'two_factor_recovery_codes' => $encrypter->encrypt(json_encode(['abcde-fghij'])),
        'two_factor_confirmed_at' => $confirmed,
    ];
}

/** Laravel's own, with the key of today, with the one before it, and with its other cipher. */
function encrypter(string $which): Encrypter
{
    $key = base64_decode(substr($which === 'old' ? OLD_KEY : APP_KEY, strlen('base64:')));

    return new Encrypter($key, $which === 'gcm' ? 'AES-256-GCM' : 'AES-256-CBC');
}

function make(Application $app): array
{
    migrate($app);
    $made = [];
    foreach (people() as $number => [$category, $fields, $password]) {
        $at = sprintf('2023-%02d-%02d 08:30:00', $number % 12 + 1, $number + 1);
        $usual = [
            'name' => "Ada $category", 'email' => strtolower($category).'@example.org',
            'email_verified_at' => $at, 'created_at' => $at, 'updated_at' => $at,
        ];
        $user = new User($fields + $usual);
        $user->timestamps = false;
        $user->save();
        $made[$category] = [$user, $password ?? PASSWORD];
    }
    surroundings(array_map(fn ($pair) => $pair[0], $made));

    return array_map(fn ($category) => shown($app, $category, ...$made[$category]), array_keys($made));
}

/** Rows beside the users, as the packages' own code writes them. */
function surroundings(array $users): void
{
    $at = '2024-05-01 12:00:00';
    $id = fn (string $category) => $users[$category]->id;
    DB::table('social_accounts')->insert([
        ['user_id' => $id('provider_only'), 'provider' => 'google', 'provider_id' => '1180001', 'created_at' => $at, 'updated_at' => $at],
        ['user_id' => $id('bcrypt_4'), 'provider' => 'google', 'provider_id' => '1180002', 'created_at' => $at, 'updated_at' => $at],
    ]);
    foreach (['editor' => 1, 'moderator' => 2, 'superuser' => 3] as $name => $role) {
        DB::table('roles')->insert(['id' => $role, 'name' => $name, 'guard_name' => 'web']);
    }
    DB::table('model_has_roles')->insert([
        ['role_id' => 1, 'model_type' => User::class, 'model_id' => $id('bcrypt_4')],
        ['role_id' => 2, 'model_type' => User::class, 'model_id' => $id('bcrypt_4')],
        ['role_id' => 1, 'model_type' => User::class, 'model_id' => $id('argon2i')],
        // Another model with the same key: none of the user's roles.
        ['role_id' => 3, 'model_type' => 'App\Models\Admin', 'model_id' => $id('bcrypt_8')],
    ]);
    foreach ([$id('bcrypt_4'), $id('bcrypt_4'), null] as $number => $holder) {
        DB::table('sessions')->insert([
            'id' => str_repeat((string) $number, 40), 'user_id' => $holder, 'ip_address' => '127.0.0.1',
            'payload' => base64_encode(serialize(['_token' => 'x'])), 'last_activity' => 1714564800 + $number,
        ]);
    }
    DB::table('personal_access_tokens')->insert([
        'tokenable_type' => User::class, 'tokenable_id' => $id('bcrypt_4'), 'name' => 'phone',
        'token' => hash('sha256', 'made up'), 'abilities' => '["*"]',
    ]);
    DB::table('password_resets')->insert(
        ['email' => 'bcrypt_4@example.org', 'token' => Hash::make('made up'), 'created_at' => $at]
    );
}

/** A user with what Laravel says when somebody types the stored address and the password. */
function shown(Application $app, string $category, User $user, string $password): array
{
    $lower = mb_strtolower($user->email);

    return [
        'id' => (string) $user->id, 'category' => $category, 'email' => $user->email, 'password' => $password,
        'valid' => Hash::check($password, (string) $user->password),
        'verified' => $user->hasVerifiedEmail(),
        'signs_in_as' => attempt($app, $user->email, $password),
        'in_lower_case' => $lower === $user->email ? '' : attempt($app, $lower, $password),
        'otp_secret' => otp_secret($user),
    ];
}

function otp_secret(User $user): string
{
    foreach ($user->two_factor_secret ? ['now', 'old', 'gcm'] : [] as $which) {
        try {
            return encrypter($which)->decrypt($user->two_factor_secret);
        } catch (DecryptException $error) {
            continue;
        }
    }

    return $user->two_factor_secret ? 'undecryptable' : '';
}

/** The login of Laravel's starter kits: the input middleware, then Auth::attempt. Gives whom it signs in. */
function attempt(Application $app, string $email, string $password): string
{
    $request = Request::create('/login', 'POST', ['email' => $email, 'password' => $password]);

    return (new Pipeline($app))->send($request)
        ->through([TrimInput::class, ConvertEmptyStringsToNull::class])
        ->then(function (Request $request) {
            $signed_in = Auth::attempt($request->only('email', 'password'));
            $id = $signed_in ? (string) Auth::id() : '';
            Auth::forgetGuards();

            return $id;
        });
}

function set_password(string $email, string $password): bool
{
    return User::where('email', $email)->firstOrFail()->forceFill(['password' => Hash::make($password)])->save();
}

/** Addresses and passwords in turn. */
function sign_in(Application $app, array $asked): array
{
    return array_map(fn ($pair) => attempt($app, ...$pair) !== '', array_chunk($asked, 2));
}

$app = start();
$given = array_slice($argv, 2);
$answer = match ($argv[1]) {
    'make' => make($app),
    'set_password' => set_password(...$given),
    'sign_in' => sign_in($app, $given),
};
echo json_encode($answer, JSON_THROW_ON_ERROR | JSON_UNESCAPED_UNICODE), "\n";
