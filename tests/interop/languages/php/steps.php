<?php
// What the programs of the scenario share: how they tell what they have done.
declare(strict_types=1);

const TEXT = "grüße\r\n€";
const SCRIPT = "return {KEYS[1], ARGV[1], 7, {'x'}}";
const INCREMENT = "return redis.call('INCRBY', KEYS[1], ARGV[1])";
const OWN_ERROR = "return redis.error_reply('MINE own words')";
const BOTH = "return redis.call('MGET', KEYS[1], KEYS[2])";

define('PORT', (int) getenv('REDIS_PORT'));
define('TLS_PORT', (int) getenv('REDIS_TLS_PORT'));
define('CLUSTER_PORT', (int) getenv('REDIS_CLUSTER_PORT'));
define('ODD', implode('', array_map('chr', range(0, 255))));

set_error_handler(function (int $level, string $text, string $file, int $line) {
    if (error_reporting() & $level) {
        throw new ErrorException($text, 0, $level, $file, $line);
    }
});

class NotHere extends Exception
{
}

function same(mixed $got, mixed $wanted): void
{
    if ($got !== $wanted) {
        throw new Exception(substr(json_encode($got, JSON_PARTIAL_OUTPUT_ON_ERROR), 0, 200)
            . ' instead of ' . substr(json_encode($wanted, JSON_PARTIAL_OUTPUT_ON_ERROR), 0, 200));
    }
}

function fails(string $part, callable $call): void
{
    try {
        $got = $call();
    } catch (Exception $error) {
        if (!str_contains($error->getMessage(), $part)) {
            throw new Exception("{$error->getMessage()} instead of $part");
        }
        return;
    }
    throw new Exception(json_encode($got) . " instead of an error with $part");
}

// A PHP program does one thing at a time: something else is done by another process meanwhile.
function meanwhile(string $code): mixed
{
    $program = 'require ' . var_export($_SERVER['SCRIPT_FILENAME'], true) . '; usleep(300000); ' . $code;
    return proc_open([PHP_BINARY, '-r', $program], [], $pipes, null, ['ONLY_DEFINE' => '1'] + getenv());
}

function run(string $name, string $version, array $steps): void
{
    echo "version $name $version\n";
    $failed = 0;
    foreach ($steps as $step => $do) {
        try {
            $do();
            echo "ok $step\n";
        } catch (NotHere $error) {
            echo "none $step: {$error->getMessage()}\n";
        } catch (Throwable $error) {
            $failed++;
            fwrite(STDERR, "$error\n");
            $text = get_class($error) . ' ' . $error->getMessage();
            echo "fail $step: " . preg_replace('/\s+/', ' ', substr($text, 0, 300)) . "\n";
        }
    }
    exit($failed ? 1 : 0);
}
