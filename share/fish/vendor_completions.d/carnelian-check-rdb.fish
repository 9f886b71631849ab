# carnelian-check-rdb: completion for fish.

complete -c carnelian-check-rdb -s h -l help -d 'Show what there is to say on the command line.'
complete -c carnelian-check-rdb -s v -l version -d 'Show the version.'
