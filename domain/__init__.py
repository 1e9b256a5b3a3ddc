"""The words and the rules that every room shares: values and pure functions, standard library only.

No I/O, no clock of its own (callers hand `now` in), no vendor. To add an intent or a department, add one row in
`taxonomy.INTENTS` or `departments.DEPARTMENTS`; pages, routing and queues follow by themselves.
"""
