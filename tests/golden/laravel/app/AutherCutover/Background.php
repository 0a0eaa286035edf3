<?php

namespace App\AutherCutover;

use Illuminate\Database\ConnectionInterface;
use Illuminate\Support\Facades\DB;
use Throwable;

/**
 * What no answer waits for, best effort and on a connection of its own: the heartbeat, and when somebody was last seen with
 * a legacy session. It runs behind requests (and `php artisan auther:heartbeat` in quiet times).
 */
final class Background
{
    private const CONNECTION = 'auther_side';

    private const BEAT = <<<'SQL'
        INSERT INTO "public".migrator_instance (instance, build, baked, stage, epoch, source, legacy_capable, seen_at)
        VALUES (?, ?, ?, ?, ?, ?, true, now())
        ON CONFLICT (instance) DO UPDATE SET build = excluded.build, baked = excluded.baked, stage = excluded.stage,
          epoch = excluded.epoch, source = excluded.source, legacy_capable = excluded.legacy_capable,
          seen_at = excluded.seen_at
        SQL;
    private const SEEN = <<<'SQL'
        UPDATE "public".migrator_identity SET last_legacy_at = now() WHERE source = ? AND user_pk = ?
        SQL;

    private ?string $seen = null;

    public function __construct(
        private readonly Settings $settings,
        private readonly StateFolder $folder,
        private readonly StageReader $stage,
        private readonly Counters $counters,
    ) {
    }

    /** Has a legacy user's time noted; its caller says how often. */
    public function saw(string $userId): void
    {
        $this->seen = $userId;
    }

    /** After an answer: what is due by now. */
    public function turn(): void
    {
        $this->guarded('last_seen', fn () => $this->note());
        $this->guarded('heartbeat', fn () => $this->isBeatDue() && $this->beat());
    }

    public function beat(): void
    {
        $facts = $this->facts();
        $this->folder->write('beat', $facts['stage'].' '.$facts['epoch'].' '.$facts['source']);
        $this->side()->statement(self::BEAT, array_values($facts));
    }

    /** @return array<string, mixed> What `migrator_shim_info` and the heartbeat say. */
    public function facts(): array
    {
        $view = $this->stage->now();

        return $this->own() + ['stage' => $view->stage, 'epoch' => $view->epoch, 'source' => $view->origin];
    }

    /** @return array<string, string> What is known without a stage. */
    public function own(): array
    {
        return [
            'instance' => $this->settings->instance, 'build' => $this->settings->build,
            'baked' => $this->settings->baked_stage,
        ];
    }

    public function side(): ConnectionInterface
    {
        $connections = config('database.connections');
        config(['database.connections.'.self::CONNECTION => $connections[config('database.default')]]);

        return DB::connection(self::CONNECTION);
    }

    /** Another stage is reported at once. */
    private function isBeatDue(): bool
    {
        $view = $this->stage->now();
        $path = $this->folder->path('beat');
        clearstatcache(true, $path);
        $isFresh = time() - (int) @filemtime($path) < $this->settings->heartbeat_s;

        return ! $isFresh || $this->folder->read('beat') !== "{$view->stage} {$view->epoch} {$view->origin}";
    }

    private function note(): void
    {
        if ($this->seen !== null) {
            $this->side()->update(self::SEEN, [$this->settings->source, $this->seen]);
            $this->seen = null;
        }
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
