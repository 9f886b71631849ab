"""What the debugger says when it is asked for help."""

HELP = [
    line.encode()
    for line in (
        "Commands of the Lua debugger; the letter in brackets will do:",
        "[h]elp               What you are reading.",
        "[s]tep               Go on to the next line, and stop there.",
        "[n]ext               The same as step.",
        "[c]ontinue           Go on to the next breakpoint, or to the end.",
        "[l]ist               The lines around the current one.",
        "[l]ist <line>        The lines around another one; 0 is the current one.",
        "[l]ist <line> <n>    So many lines before and after it.",
        "[w]hole              All lines of the script.",
        "[p]rint              The local variables of the function that runs, with values.",
        "[p]rint <var>        One variable, of its callers as well; also KEYS and ARGV.",
        "[b]reak              The breakpoints that are set.",
        "[b]reak <line>       Stop whenever this line is reached.",
        "[b]reak -<line>      Do not stop there any more.",
        "[b]reak 0            Stop at no line any more.",
        "[t]race              Who called whom, the innermost function first.",
        "[e]val <code>        Run Lua code, which sees no local variables.",
        "[r]edis <cmd>        Run a command of Redis as the script would.",
        "[m]axlen [n]         Show at most n bytes of a value or a reply; 0: all of it.",
        "[a]bort              End the script with an error. What it has written in a sync",
        "                     session stays.",
        "",
        "For scripts that are being debugged:",
        "redis.debug(...)     Show values, without stopping.",
        "redis.breakpoint()   Stop at the next line.",
    )
]
