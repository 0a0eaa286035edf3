<?php

namespace App\AutherCutover;

use Illuminate\Database\ConnectionInterface;
use Illuminate\Support\Facades\DB;
use Throwable;

/**
 * What no answer waits for, best effort and on a connection of its own: this instance tells that it lives and has no legacy
 * side. It runs behind requests (and `php artisan auther:heartbeat` in quiet times).
 */
final class Background
{
    private const CONNECTION = 'auther_side';

    private const BEAT = <<<'SQL'
        INSERT INTO "public".migrator_instance (instance, build, baked, stage, epoch, source, legacy_capable, seen_at)
        VALUES (?, ?, ?, ?, ?, ?, false, now())
        ON CONFLICT (instance) DO UPDATE SET build = excluded.build, baked = excluded.baked, stage = excluded.stage,
          epoch = excluded.epoch, source = excluded.source, legacy_capable = excluded.legacy_capable,
          seen_at = excluded.seen_at
        SQL;

    public function __construct(
        private readonly Settings $settings,
        private readonly StateFolder $folder,
        private readonly Counters $counters,
    ) {
    }

    /** After an answer: what is due by now. */
    public function turn(): void
    {
        $this->guarded('heartbeat', fn () => $this->isBeatDue() && $this->beat());
    }

    public function beat(): void
    {
        $facts = $this->settings->facts();
        $this->folder->write('beat', $facts['stage'].' '.$facts['epoch'].' '.$facts['source']);
        $this->side()->statement(self::BEAT, array_values($facts));
    }

    public function side(): ConnectionInterface
    {
        $connections = config('database.connections');
        config(['database.connections.'.self::CONNECTION => $connections[config('database.default')]]);

        return DB::connection(self::CONNECTION);
    }

    private function isBeatDue(): bool
    {
        $path = $this->folder->path('beat');
        clearstatcache(true, $path);
        $isFresh = time() - (int) @filemtime($path) < $this->settings->heartbeat_s;

        return ! $isFresh;
    }

    private function guarded(string $what, callable $write): void
    {
        try {
            $write();
        } catch (Throwable $error) {
            // The code only: a driver's message may quote values.
            $facts = ['event' => 'background_write_failed', 'what' => $what, 'error' => (string) $error->getCode()];
            $this->counters->log($facts);
        }
    }
}
