"""Every type of event the engine emits, and what its data holds.

Node types and the runner emit them with `Execution.emit`; the use cases map each to what follows from it.
"""

EVENTS: dict[str, str] = {
    "session_started": "A conversation begins.",
    "session_restarted": "The person said the word that begins anew; what was collected is gone.",
    "completed": "The flow has come to its end.",
    "handed_off": "A person is to take over: `node_id` and what the handoff node holds (`department`, `priority`, "
    "`note`), or `reason` `command` when the person asked for it.",
    "opted_out": "The person said the word that stops everything.",
    "variable_reported": "A variable that the document marks for reporting was set: `name`, `value`.",
    "contact_saved": "A field of the contact is to be kept: `field`, `value`.",
    "tag_added": "The contact is to get a `tag`.",
    "tag_removed": "The contact is to lose a `tag`.",
    "event_emitted": "An emit_event action: `name`, `data`.",
    "attempts_exceeded": "A question got too many invalid answers: `node_id`, `attempts`.",
    "timed_out": "A question got no answer in time: `node_id`.",
    "stale_reply": "A button of an older message was tapped: the waiting `node_id`, the `reply_id`.",
    "input_ignored": "Something came that changes nothing now (a timer too early, a message during a delay): `type`.",
    "effect_failed": "An API call or a model failed: `node_id`, `error`.",
    "step_budget_exceeded": "The turn was stopped as a runaway: `flow_id`, `node_id`, `limit`.",
    "stack_limit_exceeded": "Too many sub-flows wait for one another: `flow_id`, `node_id`, `limit`.",
    "value_too_large": "A value or text grew beyond what may be kept or sent, and was not: `limit`, and `name` if it has one.",
    "address_missing": "A link or a file had nowhere to lead to when it was to be sent, and was left out: `node_id`.",
    "state_invalid": "The state names a node the flow does not have: `flow_id`, `node_id`.",
    "engine_error": "A defect of the engine: `error`.",
}
