<?php

// No Composer: Debian packs the framework with an autoloader, and the application's own classes are found by their names.

require_once 'Illuminate/autoload.php';
require_once 'GuzzleHttp/autoload.php';

$root = dirname(__DIR__);
spl_autoload_register(function (string $class) use ($root) {
    foreach (['App\\' => 'app', 'Tests\\' => 'tests'] as $prefix => $folder) {
        $path = "$root/$folder/".strtr(substr($class, strlen($prefix)), '\\', '/').'.php';
        if (str_starts_with($class, $prefix) && is_file($path)) {
            require $path;
        }
    }
});

$app = new Illuminate\Foundation\Application($root);
$app->singleton(Illuminate\Contracts\Http\Kernel::class, App\Http\Kernel::class);
$app->singleton(Illuminate\Contracts\Console\Kernel::class, App\Console\Kernel::class);
$app->singleton(Illuminate\Contracts\Debug\ExceptionHandler::class, App\Exceptions\Handler::class);

return $app;
