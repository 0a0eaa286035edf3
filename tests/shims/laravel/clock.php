<?php

// Comes before each request: to the shim it is as many seconds later as a file says.

namespace App\AutherCutover;

function ahead(): int
{
    return (int) file_get_contents(getenv('AHEAD_FILE'));
}

function time(): int
{
    return \time() + ahead();
}

function microtime(bool $asFloat): float
{
    return \microtime($asFloat) + ahead();
}

/** What was written just now is not two days old. */
function stat(string $path): array|false
{
    $found = \stat($path);

    return $found ? ['mtime' => $found['mtime'] + ahead()] + $found : false;
}
