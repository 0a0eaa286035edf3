<?php

return [
    'defaults' => ['guard' => 'web'],
    'guards' => ['web' => ['driver' => 'auther', 'provider' => 'users']],
    'providers' => ['users' => ['driver' => 'club', 'model' => App\Models\User::class]],
];
