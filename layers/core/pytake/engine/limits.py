"""The engine's own limits. Reaching one is an event or a problem, never a crash.

Meta's limits for messages are in `pytake.whatsapp.limits`.
"""

STEPS = 100  # the most nodes that one turn may visit
EFFECTS = 20  # the most API and model calls of one turn
STACK_DEPTH = 16  # the most nested sub-flows
DELAY_SECONDS = 30 * 24 * 3600  # the longest delay and question timeout
SESSION_HOURS = 30 * 24  # the longest time without an answer before a session expires
VALUE_CHARACTERS = 300_000  # the largest value of a variable, as JSON; also the limit of the whole stored state
VALUE_ITEM_CHARACTERS = 16  # counted for each item of a list or object, in addition to its own characters
VALUE_DEPTH = 100  # the deepest nesting of lists and objects in a value; JSON encoders stop at a few hundred levels
LIST_ITEMS = 500  # the most items that `append` and the filter `split` put into a list
EXPRESSION_PARTS = 100  # the most names, numbers and operators of one `{{...}}`
DOCUMENT_DEPTH = 50  # the deepest nesting of lists and objects in a node
LARGEST_NUMBER = 2**53 - 1  # the largest whole number that every JSON parser keeps exactly
NUMBER_CHARACTERS = 40  # a longer answer is not read as a number
FLOW_COMMANDS = 20  # the most commands of one flow
COMMAND_CHARACTERS = 40  # a longer text is not compared with the commands
SENTENCE_CHARACTERS = 4096  # of a text in which a value is looked for
EMAIL_CHARACTERS = 254  # the longest deliverable address (RFC 5321)
PHONE_CHARACTERS = 40  # a longer answer is not read as a phone number
EVENT_NAME_CHARACTERS = 100  # the longest name of an event that a wait_event waits for
EMAIL_RECIPIENTS = 10  # the most addresses that an e-mail is sent to
SUBJECT_CHARACTERS = 200  # of an e-mail
EMAIL_TEXT_CHARACTERS = 20_000  # of an e-mail
LABEL_CHARACTERS = 60  # the longest label of a message
MEMORY_TURNS = 50  # the most earlier prompts and answers that an ai_prompt remembers
MODEL_FIELDS = 20  # the most fields that an ai_prompt asks for
API_TIMEOUT_SECONDS = 20  # the longest timeout of an API call
API_DEFAULT_TIMEOUT_SECONDS = 10  # the timeout of an API call that sets none
API_ATTEMPTS = 3  # the most times that an API call is tried
RANDOM_PATHS = 20  # the most paths of a random node

CONSENT_SOURCE_CHARACTERS = 200
"""How much of the source of consent is kept."""
