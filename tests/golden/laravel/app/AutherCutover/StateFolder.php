<?php

namespace App\AutherCutover;

/**
 * Small files that all workers of an instance share: PHP keeps nothing from one request to the next.
 */
final class StateFolder
{
    public function __construct(private readonly Settings $settings)
    {
    }

    public function path(string $name): string
    {
        return "{$this->settings->state_folder}/$name";
    }

    /**
     * Opens a file, and makes the folder for the first one.
     *
     * @return resource|null null: it cannot be opened in this mode.
     */
    public function open(string $name, string $mode)
    {
        $this->make();

        return @fopen($this->path($name), $mode) ?: null;
    }

    public function read(string $name): ?string
    {
        $text = @file_get_contents($this->path($name));

        return $text === false ? null : $text;
    }

    /** What tells a file's text from the one before, without reading it; '' while there is none. */
    public static function stateOf(string $path): string
    {
        clearstatcache(true, $path);
        $found = @stat($path);

        return $found ? "{$found['mtime']}-{$found['ino']}-{$found['size']}" : '';
    }

    /** Renamed into place: a reader sees the old text or the new one, never half of it. */
    public function write(string $name, string $text): void
    {
        $this->make();
        self::replace($this->path($name), $text);
    }

    /** As `write`, anywhere. Best effort: a full disk must not fail a request. */
    public static function replace(string $path, string $text): bool
    {
        $draft = $path.'.'.getmypid().'.'.bin2hex(random_bytes(4));
        $mask = umask(0077);
        $isWhole = @file_put_contents($draft, $text) === strlen($text) && @rename($draft, $path);
        umask($mask);
        if (! $isWhole) {
            @unlink($draft);
        }

        return $isWhole;
    }

    /**
     * Calls back while no other worker is inside the same lock; the system frees it when a worker dies.
     *
     * @throws Unavailable The folder cannot be written.
     */
    public function locked(string $name, callable $inside): mixed
    {
        $file = $this->open("$name.lock", 'c') ?? throw new Unavailable('the state folder cannot be written');
        flock($file, LOCK_EX);
        try {
            return $inside();
        } finally {
            flock($file, LOCK_UN);
            fclose($file);
        }
    }

    /** Whether this is the first call with this name; exactly one of all workers gets a yes. */
    public function claim(string $name): bool
    {
        $file = $this->open($name, 'x');

        return $file !== null && fclose($file);
    }

    /** Removes files of a kind that are older than so many seconds. */
    public function forget(string $prefix, int $olderThanS): void
    {
        foreach (glob($this->path("$prefix*")) ?: [] as $path) {
            if (time() - (int) @filemtime($path) > $olderThanS) {
                @unlink($path);
            }
        }
    }

    private function make(): void
    {
        is_dir($this->settings->state_folder) || @mkdir($this->settings->state_folder, 0700, true);
    }
}
