"""`mycelia audit`: the records of a home gone through, and what came out told in three ways.

stacks     the records of a home, read when they are looked at
reading    an audit of a home, beside a daemon or without one; a policy by name or file
view       what came out, as JSON
told       the same as lines for a terminal
page       the same as one HTML page that needs nothing else
"""
