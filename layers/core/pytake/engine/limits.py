"""The engine's own limits, in one place. Reaching one is an event or a problem, never a crash.

Meta's limits for messages are in `pytake.whatsapp.limits`.
"""

STEPS = 100  # nodes one turn may visit before it is stopped as a runaway
STACK_DEPTH = 16  # sub-flows that may wait for one another
DELAY_SECONDS = 30 * 24 * 3600  # the longest delay and question timeout
SESSION_HOURS = 30 * 24  # the longest silence after which a conversation is forgotten
VALUE_CHARACTERS = 300_000  # one value of a variable, written out as JSON: what a whole stored state may have
VALUE_ITEM = 16  # what an item of a list or an object counts besides its own characters
VALUE_DEPTH = 100  # lists and objects in one another within a value; JSON writers stop at a few hundred
DOCUMENT_DEPTH = 50  # lists and objects in one another within a node; no message or request needs more
NUMBER = 2**53 - 1  # the largest whole number every JSON reader keeps exactly
NUMBER_CHARACTERS = 40  # a longer answer is no number
COMMAND_CHARACTERS = 40  # a longer text is never compared with the words that always work
EMAIL_CHARACTERS = 254  # RFC 5321, the longest address that can be delivered to
PHONE_CHARACTERS = 40
API_TIMEOUT_SECONDS = 20  # the longest a flow may ask an API call to take
API_DEFAULT_TIMEOUT_SECONDS = 10
PATHS = 20  # ways out of one random node
