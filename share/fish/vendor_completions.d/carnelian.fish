# carnelian: completion for fish.

complete -c carnelian -f
complete -c carnelian -n 'not __fish_seen_subcommand_from server sentinel fleet check-rdb check-aof import' -a server -d 'start a server (carnelian-server)'
complete -c carnelian -n 'not __fish_seen_subcommand_from server sentinel fleet check-rdb check-aof import' -a sentinel -d 'start a Sentinel (carnelian-sentinel)'
complete -c carnelian -n 'not __fish_seen_subcommand_from server sentinel fleet check-rdb check-aof import' -a fleet -d 'start a Redis Cluster (carnelian-fleet)'
complete -c carnelian -n 'not __fish_seen_subcommand_from server sentinel fleet check-rdb check-aof import' -a check-rdb -d 'look through a snapshot (carnelian-check-rdb)'
complete -c carnelian -n 'not __fish_seen_subcommand_from server sentinel fleet check-rdb check-aof import' -a check-aof -d 'look through a log (carnelian-check-aof)'
complete -c carnelian -n 'not __fish_seen_subcommand_from server sentinel fleet check-rdb check-aof import' -a import -d 'copy a running Redis into a file'
complete -c carnelian -n 'not __fish_seen_subcommand_from server sentinel fleet check-rdb check-aof import' -s h -l help -d 'Show what there is to say on the command line.'
complete -c carnelian -n 'not __fish_seen_subcommand_from server sentinel fleet check-rdb check-aof import' -l version -d 'Show the version.'

# The completion of the program that a command stands for.
function __fish_carnelian_program
    set -l words (commandline -opc)
    set -l line carnelian-$words[2] $words[3..]
    complete -C "$line "(commandline -ct)
end
complete -c carnelian -n '__fish_seen_subcommand_from server' -a '(__fish_carnelian_program)'
complete -c carnelian -n '__fish_seen_subcommand_from sentinel' -a '(__fish_carnelian_program)'
complete -c carnelian -n '__fish_seen_subcommand_from fleet' -a '(__fish_carnelian_program)'
complete -c carnelian -n '__fish_seen_subcommand_from check-rdb' -a '(__fish_carnelian_program)'
complete -c carnelian -n '__fish_seen_subcommand_from check-aof' -a '(__fish_carnelian_program)'
complete -c carnelian -n '__fish_seen_subcommand_from import' -s h -l help -d 'Show what there is to say on the command line.'
complete -c carnelian -n '__fish_seen_subcommand_from import' -s o -l output -r -F -d 'Where it goes.'
complete -c carnelian -n '__fish_seen_subcommand_from import' -l follow -d 'Go on copying what changes, until Ctrl-C.'
complete -c carnelian -n '__fish_seen_subcommand_from import' -l overwrite -d 'Replace what is in FILE already.'
complete -c carnelian -n '__fish_seen_subcommand_from import' -l timeout -x -d 'Give up when the server has let hear nothing for so long (60).'
