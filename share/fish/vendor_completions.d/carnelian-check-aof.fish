# carnelian-check-aof: completion for fish.

complete -c carnelian-check-aof -s h -l help -d 'Show what there is to say on the command line.'
complete -c carnelian-check-aof -s v -l version -d 'Show the version.'
complete -c carnelian-check-aof -l fix -d 'Cut off the end of the last file, after asking.'
complete -c carnelian-check-aof -l truncate-to-timestamp -x -d 'Cut off what was written after that time.'
