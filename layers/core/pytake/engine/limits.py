"""The engine's own limits. Reaching one is an event or a problem, never a crash.

Meta's limits for messages are in `pytake.whatsapp.limits`.
"""

STEPS = 100  # nodes that one turn may visit
STACK_DEPTH = 16  # nested sub-flows
DELAY_SECONDS = 30 * 24 * 3600  # of a delay and of a question's timeout
SESSION_HOURS = 30 * 24  # without an answer, after which a session expires
VALUE_CHARACTERS = 300_000  # of one variable's value as JSON, which is also the limit of the whole stored state
VALUE_ITEM_CHARACTERS = 16  # that each item of a list or object counts in addition to its own
VALUE_DEPTH = 100  # nested lists and objects in a value; JSON encoders stop at a few hundred
DOCUMENT_DEPTH = 50  # nested lists and objects in a node
LARGEST_NUMBER = 2**53 - 1  # the largest whole number that every JSON parser keeps exactly
NUMBER_CHARACTERS = 40  # of an answer that is read as a number
COMMAND_CHARACTERS = 40  # of a text that is compared with the commands
EMAIL_CHARACTERS = 254  # the longest deliverable address (RFC 5321)
PHONE_CHARACTERS = 40  # of an answer that is read as a phone number
API_TIMEOUT_SECONDS = 20  # the longest timeout of an API call
API_DEFAULT_TIMEOUT_SECONDS = 10  # of an API call that sets none
RANDOM_PATHS = 20  # of a random node
