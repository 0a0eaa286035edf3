<?php

// One request of `laravel_program.php`: PHP's server runs this file for each. A GET measures one side once, as PHP runs every
// request: the shim's classes come out of opcache, its provider and its objects are made, and no line of it ran before.
// Framework and application are there already. A POST measures pairs in a loop, with all objects made anew for each.

declare(strict_types=1);

use App\AutherCutover\AutherCutoverServiceProvider;
use App\AutherCutover\Counters;
use App\AutherCutover\DecideWho;
use App\AutherCutover\Settings;
use Illuminate\Auth\AuthServiceProvider;
use Illuminate\Auth\GenericUser;
use Illuminate\Auth\SessionGuard;
use Illuminate\Config\Repository;
use Illuminate\Container\Container;
use Illuminate\Contracts\Auth\Authenticatable;
use Illuminate\Contracts\Auth\UserProvider;
use Illuminate\Cookie\CookieServiceProvider;
use Illuminate\Filesystem\Filesystem;
use Illuminate\Foundation\Application;
use Illuminate\Http\Request;
use Illuminate\Http\Response;
use Illuminate\Session\ArraySessionHandler;
use Illuminate\Session\Store;
use Illuminate\Support\Facades\Auth;
use Illuminate\Support\Facades\DB;
use Illuminate\Support\Facades\Facade;
use Illuminate\Support\ServiceProvider;

require 'Illuminate/autoload.php';
// Asked first, as Composer's only one is: Debian has one for each package.
spl_autoload_register(function (string $class) {
    str_starts_with($class, 'App\\') && include $_SERVER['DOCUMENT_ROOT'].'/app/'.strtr(substr($class, 4), '\\', '/').'.php';
}, prepend: true);

/** The lookup of both sides: the same constants. */
class Lookup
{
    public function selectOne(): object
    {
        return (object) ['user_pk' => '7', 'home' => 'legacy', 'pinned' => false, 'valid_after_s' => null, 'buried' => false];
    }
}

class Members implements UserProvider
{
    public function __construct(private readonly Authenticatable $user)
    {
    }

    public function retrieveById($identifier)
    {
        return $this->user;
    }

    public function retrieveByToken($identifier, $token)
    {
        return null;
    }

    public function updateRememberToken(Authenticatable $user, $token)
    {
    }

    public function retrieveByCredentials(array $credentials)
    {
        return null;
    }

    public function validateCredentials(Authenticatable $user, array $credentials)
    {
        return false;
    }
}

/** What Laravel itself takes for a package that does nothing. */
class EmptyProvider extends ServiceProvider
{
    public function boot(): void
    {
    }
}

class EmptyMiddleware
{
    public function handle(Request $request, Closure $next): Response
    {
        return $next($request);
    }
}

$folder = $_SERVER['DOCUMENT_ROOT'];
$app = new Application($folder);
Facade::setFacadeApplication($app);
$own = ['driver' => 'session', 'provider' => 'users'];
$guards = ['web' => ['driver' => 'auther', 'provider' => 'users'], 'bare' => $own, 'own' => $own];
$app->instance('config', new Repository([
    'app' => ['key' => str_repeat('k', 32), 'cipher' => 'AES-256-CBC'],
    'auth' => ['defaults' => ['guard' => 'web'], 'guards' => $guards, 'providers' => ['users' => ['driver' => 'members']]],
    'database' => ['default' => 'pgsql', 'connections' => ['pgsql' => []]],
    'session' => ['driver' => 'file', 'path' => '/', 'domain' => null, 'secure' => false],
    'auther_cutover' => require "$folder/bootstrap/cache/auther_cutover.php",
]));
$request = Request::capture();
$app->instance('request', $request);
$app->instance('files', new Filesystem());
array_map([$app, 'register'], [AuthServiceProvider::class, CookieServiceProvider::class]);
$session = new Store('laravel_session', new ArraySessionHandler(10));
$session->start();
$app->instance('session.store', $session);
$request->setLaravelSession($session);
$app->boot();
// What every application of Laravel's has loaded by now: how providers are booted, and where cached routes are looked for.
$app->register(new class($app) extends ServiceProvider {
    public function boot(): void
    {
        $this->app->runningInConsole() || $this->app->routesAreCached();
    }
});
DB::swap(new Lookup());
$user = new GenericUser(['id' => '7']);
Auth::provider('members', fn () => new Members($user));

/** What any library does: decode, look at the algorithm, verify, look at the claims. */
$verify = function (string $token): array {
    [$header, $claims, $signature] = explode('.', $token);
    $read = fn ($part) => base64_decode(strtr($part, '-_', '+/'));
    $isGood = json_decode($read($header), true)['alg'] === 'EdDSA'
        && sodium_crypto_sign_verify_detached($read($signature), "$header.$claims", $read($_SERVER['HTTP_X_KEY']));
    $found = json_decode($read($claims), true);
    if (! $isGood || $found['exp'] < time() || $found['aud'] !== config('auther_cutover.audiences')[0]) {
        throw new RuntimeException('not a good token');
    }

    return $found;
};
$lookUp = fn () => [DB::selectOne('', [], false), Auth::createUserProvider('users')->retrieveById('7')];
$next = fn () => new Response('ok');
$bare = fn (string $kind, string $token) => match ($kind) {
    'fresh' => [$verify($token), $lookUp(), $next()],
    'cached' => [$lookUp(), $next()],
    'legacy' => [$next(), Auth::guard('bare')->user()->getAuthIdentifier()],
};
$kind = $request->query('kind');
if ($kind === 'legacy') {
    // What is looked up now and then is in the session already.
    $session->put(['auther_seen_at' => time(), 'auther_looked_at' => time()]);
    array_map(fn ($guard) => $session->put("login_{$guard}_".sha1(SessionGuard::class), '7'), ['bare', 'web']);
}
// What Laravel and the application have run through in any case: router, guard, lookup, answer.
[$request->getPathInfo(), $request->getRealMethod(), $request->headers->get('Accept')];
[Auth::guard('own')->user(), $lookUp(), $next()];

if ($request->getRealMethod() === 'GET') {
    $behindSince = 0;
    register_shutdown_function(function () use (&$behindSince) {
        $behindSince = hrtime(true);
    });
    $at = [hrtime(true)];
    if ($request->query('side') === 'bare') {
        $bare($kind, substr((string) $request->headers->get('Authorization'), strlen('Bearer ')));
    } elseif ($request->query('side') === 'nothing') {
        $app->register(EmptyProvider::class);
        $app->make(EmptyMiddleware::class)->handle($request, $next);
    } else {
        $app->register(AutherCutoverServiceProvider::class);
        $at[] = hrtime(true);
        $middleware = $app->make(DecideWho::class);
        $at[] = hrtime(true);
        $middleware->handle($request, $next);
        Auth::user()->getAuthIdentifier();
    }
    $at[] = hrtime(true);
    register_shutdown_function(function () use (&$behindSince, $at) {
        echo json_encode([...array_map(fn ($one) => $one - $at[0], $at), hrtime(true) - $behindSince]);
    });

    return;
}
$app->register(AutherCutoverServiceProvider::class);
$prepared = function (string $token) use ($app, $session): Request {
    $headers = ['HTTP_ACCEPT' => 'application/json', 'HTTP_SEC_FETCH_MODE' => 'cors', 'HTTP_COOKIE' => 'theme=dark; consent=1'];
    $made = Request::create('/api/members?page=2', 'GET', [], [], [], $headers + ($token ? ['HTTP_AUTHORIZATION' => "Bearer $token"] : []));
    $made->setLaravelSession($session);
    // As after the request before, nothing is left: not the guards either, which ask for every later request.
    Closure::bind(fn () => $this->reboundCallbacks = [], $app, Container::class)();
    $app->instance('request', $made);
    $app->forgetScopedInstances();
    $app->forgetInstance(Settings::class);
    Auth::forgetGuards();

    return $made;
};
$found = [];
foreach ($request->json() as $number => $token) {
    foreach ($number % 2 ? [0, 1] : [1, 0] as $side) {
        $made = $prepared($token);
        $began = hrtime(true);
        $side ? [$app->make(DecideWho::class)->handle($made, $next), Auth::user()->getAuthIdentifier()] : $bare($kind, $token);
        $found[$number][$side] = hrtime(true) - $began;
    }
    ksort($found[$number]);
    // Written behind the answer.
    $app->make(Counters::class)->save();
}
echo json_encode($found);
