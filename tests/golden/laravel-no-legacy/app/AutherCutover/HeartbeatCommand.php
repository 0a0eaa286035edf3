<?php

namespace App\AutherCutover;

use Illuminate\Console\Command;

/** Says that this instance is there while nobody asks it anything: `$schedule->command('auther:heartbeat')->everyMinute()`. */
final class HeartbeatCommand extends Command
{
    private const MINUTE_S = 60;

    protected $signature = 'auther:heartbeat {--once : Report now and end}';
    protected $description = "Reports this instance for the coming minute";

    public function handle(Background $background, Settings $settings): void
    {
        for ($atS = 0; $atS < self::MINUTE_S; $atS += $settings->heartbeat_s) {
            $background->beat();
            if ($this->option('once')) {
                return;
            }
            sleep($settings->heartbeat_s);
        }
    }
}
