# carnelian: completion for fish.

complete -c carnelian -f
complete -c carnelian -n 'not __fish_seen_subcommand_from server sentinel fleet cli check-rdb check-aof import console' -a server -d 'start a server (carnelian-server)'
complete -c carnelian -n 'not __fish_seen_subcommand_from server sentinel fleet cli check-rdb check-aof import console' -a sentinel -d 'start a Sentinel (carnelian-sentinel)'
complete -c carnelian -n 'not __fish_seen_subcommand_from server sentinel fleet cli check-rdb check-aof import console' -a fleet -d 'start a Redis Cluster (carnelian-fleet)'
complete -c carnelian -n 'not __fish_seen_subcommand_from server sentinel fleet cli check-rdb check-aof import console' -a cli -d 'send commands, open files (carnelian-cli)'
complete -c carnelian -n 'not __fish_seen_subcommand_from server sentinel fleet cli check-rdb check-aof import console' -a check-rdb -d 'look through a snapshot (carnelian-check-rdb)'
complete -c carnelian -n 'not __fish_seen_subcommand_from server sentinel fleet cli check-rdb check-aof import console' -a check-aof -d 'look through a log (carnelian-check-aof)'
complete -c carnelian -n 'not __fish_seen_subcommand_from server sentinel fleet cli check-rdb check-aof import console' -a import -d 'copy a running Redis into a file'
complete -c carnelian -n 'not __fish_seen_subcommand_from server sentinel fleet cli check-rdb check-aof import console' -a console -d 'look at a Redis in the browser'
complete -c carnelian -n 'not __fish_seen_subcommand_from server sentinel fleet cli check-rdb check-aof import console' -s h -l help -d 'Show what there is to say on the command line.'
complete -c carnelian -n 'not __fish_seen_subcommand_from server sentinel fleet cli check-rdb check-aof import console' -l version -d 'Show the version.'

# The completion of the program that a command stands for.
function __fish_carnelian_program
    set -l words (commandline -opc)
    set -l line carnelian-$words[2] $words[3..]
    complete -C "$line "(commandline -ct)
end
complete -c carnelian -n '__fish_seen_subcommand_from server' -a '(__fish_carnelian_program)'
complete -c carnelian -n '__fish_seen_subcommand_from sentinel' -a '(__fish_carnelian_program)'
complete -c carnelian -n '__fish_seen_subcommand_from fleet' -a '(__fish_carnelian_program)'
complete -c carnelian -n '__fish_seen_subcommand_from cli' -a '(__fish_carnelian_program)'
complete -c carnelian -n '__fish_seen_subcommand_from check-rdb' -a '(__fish_carnelian_program)'
complete -c carnelian -n '__fish_seen_subcommand_from check-aof' -a '(__fish_carnelian_program)'
complete -c carnelian -n '__fish_seen_subcommand_from import' -s h -l help -d 'Show what there is to say on the command line.'
complete -c carnelian -n '__fish_seen_subcommand_from import' -s o -l output -r -F -d 'Where it goes.'
complete -c carnelian -n '__fish_seen_subcommand_from import' -l follow -d 'Go on copying what changes, until Ctrl-C.'
complete -c carnelian -n '__fish_seen_subcommand_from import' -l overwrite -d 'Replace what is in FILE already.'
complete -c carnelian -n '__fish_seen_subcommand_from import' -l timeout -x -d 'Give up when the server has let hear nothing for so long (60).'
complete -c carnelian -n '__fish_seen_subcommand_from console' -s h -l help -d 'Show what there is to say on the command line.'
complete -c carnelian -n '__fish_seen_subcommand_from console' -l port -x -d 'Where the page is (8001).'
complete -c carnelian -n '__fish_seen_subcommand_from console' -l bind -x -d 'Address to listen on (127.0.0.1: this machine alone).'
complete -c carnelian -n '__fish_seen_subcommand_from console' -l allow-host -x -d 'A name under which browsers may call this console, such as that of a proxy.'
complete -c carnelian -n '__fish_seen_subcommand_from console' -l https-cert -r -F -d 'Certificate to serve the page with HTTPS.'
complete -c carnelian -n '__fish_seen_subcommand_from console' -l https-key -r -F -d 'Its key.'
complete -c carnelian -n '__fish_seen_subcommand_from console' -l cacert -r -F -d 'Authority of the server.'
complete -c carnelian -n '__fish_seen_subcommand_from console' -l cacertdir -r -F -d 'A directory of these.'
complete -c carnelian -n '__fish_seen_subcommand_from console' -l cert -r -F -d 'Certificate to show.'
complete -c carnelian -n '__fish_seen_subcommand_from console' -l key -r -F -d 'Its key.'
