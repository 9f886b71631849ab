"""Users (ACL): who may log in, and what each may run, on which keys and channels.

``rules`` reads and writes the words of rules and knows no engine. ``command_names`` is what they
need to know of commands, ``permissions`` the compiled form that commands are judged by, and
``user_check`` asks it for every command of a session whose user has limits. ``users`` is the part
of the engine that has the users and the sessions together, ``denial_log`` what ACL LOG shows, and
``acl_files`` the texts that users are kept in.

See https://redis.io/docs/latest/operate/oss_and_stack/management/security/acl/
"""
