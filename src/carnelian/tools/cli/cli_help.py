"""The text of ``carnelian-cli --help``."""

from __future__ import annotations

USAGE = """\
Usage: carnelian-cli [OPTIONS] [COMMAND [ARGUMENT ...]]
       carnelian-cli [OPTIONS] FILE [COMMAND [ARGUMENT ...]]

Sends a command to a Redis server, or opens a file as if it were one, and shows the reply.
Without a command it reads commands: from a person, or a line each from standard input.

Where to
  -h HOST               server (127.0.0.1)
  -p PORT               its port (6379)
  -s PATH               its UNIX socket, instead of both
  -u URL                redis://[[user]:password@]host[:port][/db], rediss:// for TLS,
                        unix://path[?db=N]
  FILE, --file FILE     a snapshot (app.db, dump.rdb) and the log beside it, opened here. A first
                        word is a file if it has a slash, ends in .db or .rdb, or has a dot and is
                        one. Nothing of it is changed
  --write               open the file for changes; it is made where there is none
  --loadmodule PATH     a module with commands that its log holds, loaded before; may be repeated
  -t SECONDS            give up connecting after so long
  -n DB                 database
  -c                    follow the redirections of a cluster
  -2, -3                speak RESP2 or RESP3

As whom
  -a, --pass PASSWORD   password; the environment variable REDISCLI_AUTH does not show it to others
  --user NAME           with a password, as this user
  --askpass             ask for the password
  --no-auth-warning     do not warn of passwords on the command line

TLS
  --tls                 encrypt
  --sni HOST            ask for the certificate of this host
  --cacert FILE         trust this certificate; --cacertdir DIR for a directory of them
  --insecure            take any certificate
  --cert FILE           show this certificate, with --key FILE
  --tls-ciphers LIST    ciphers up to TLS 1.2; --tls-ciphersuites LIST from TLS 1.3 on

What goes in
  -r N                  run the command N times, -1 without end
  -i SECONDS            wait so long between two; also between two steps of the tasks below
  -x                    the last argument is what comes from standard input
  -X TAG                the argument TAG is what comes from standard input
  --quoted-input        arguments are in quotes, with escapes
  --eval FILE KEY ... , ARGUMENT ...
                        run a Lua script; --ldb steps through it, --ldb-sync-mode does so with the
                        server waiting and keeps what it changes

What comes out
  --raw, --no-raw       replies for programs (unless on a terminal), or for people
  --csv, --json         in these forms; JSON asks for RESP3
  --quoted-json         JSON with all that is not ASCII escaped
  -d TEXT, -D TEXT      between the elements of a raw list, and after a raw reply (a new line)
  -e                    end with status 1 if the command fails
  --show-pushes YN      show messages of RESP3 that come between replies (on a terminal)
  --verbose             tell more of what is done

Tasks
  --stat                figures of the server, a line a second
  --latency             round trips; --latency-history for each 15 seconds, --latency-dist as
                        colours
  --intrinsic-latency SECONDS
                        how long this machine lets a program wait; needs no server
  --scan                all keys, with --pattern GLOB, --quoted-pattern GLOB, --count N
  --bigkeys, --memkeys  the largest keys, by elements or by memory (--memkeys-samples N)
  --keystats            both, with their distribution and the largest (--top N)
  --hotkeys             the most used keys, if a policy of LFU counts
  --pipe                send requests from standard input as fast as it goes; --pipe-timeout SECONDS
                        to wait for the last reply (30)
  --rdb FILE            fetch a snapshot; --functions-rdb FILE one of functions only; - is standard
                        output
  --replica             show what a replica gets
  --lru-test KEYS       a load with misses, for a server that evicts
  --cluster WORDS       what redis-cli does with clusters, if it is installed; see carnelian-fleet

  --plain-prompt        no colours and completion while reading commands
  --help, --version

Examples
  carnelian-cli -x set picture < cat.png
  carnelian-cli -r 100 -i 1 info memory | grep used_memory_human:
  carnelian-cli --eval script.lua key1 key2 , argument1
  carnelian-cli --scan --pattern 'session:*' | head
  carnelian-cli app.db hgetall user:1
"""
