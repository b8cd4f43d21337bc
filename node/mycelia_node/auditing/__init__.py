"""`mycelia audit`: the records of a home gone through, and what came out told in three ways.

reading    the records of a home, beside a daemon or without one; a policy by name or file
view       what came out, as JSON
told       the same as lines for a terminal
page       the same as one HTML page that needs nothing else
"""
