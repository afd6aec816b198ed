"""Every type of event that the engine emits, and the data of each.

The use cases decide what follows from an event.
"""

EVENTS: dict[str, str] = {
    "session_started": "A conversation begins.",
    "session_restarted": "The person used the `restart` command; the collected values are discarded.",
    "completed": "The flow has ended.",
    "handed_off": "A human agent must take over: `node_id` and the handoff node's `department`, `priority` and `note`, "
    "or `reason` `command` if the person used the `human` command.",
    "opted_out": "The person used the `stop` command.",
    "variable_reported": "A variable listed in `report_variables` was set: `name`, `value`.",
    "contact_saved": "A field of the contact was saved: `field`, `value`.",
    "tag_added": "The contact got a `tag`.",
    "tag_removed": "The contact lost a `tag`.",
    "message_labeled": "The person's message of this turn got a `label`.",
    "language_set": "The contact got a `language` (the action `set_language`).",
    "consent_set": "The contact granted or withdrew consent: `purpose`, `state`, `source` (the action `set_consent`).",
    "event_emitted": "An emit_event action: `name`, `data`.",
    "attempts_exceeded": "A question received too many invalid answers: `node_id`, `attempts`.",
    "timed_out": "A question received no answer in time: `node_id`.",
    "stale_reply": "A button of an older message was tapped: the waiting node's `node_id`, the `reply_id`.",
    "input_ignored": "An input that changes nothing at this point (an early timer, a message during a delay): `type`.",
    "effect_failed": "An API call or a model failed: `node_id`, `error`.",
    "step_budget_exceeded": "The turn was stopped because it visited too many nodes: `flow_id`, `node_id`, `limit`.",
    "effect_budget_exceeded": "The turn was stopped because it made too many calls: `flow_id`, `node_id`, `limit`.",
    "stack_limit_exceeded": "Too many sub-flows are nested: `flow_id`, `node_id`, `limit`.",
    "value_too_large": "A value or text was too large to be stored or sent: `limit`, and `name` if it has one.",
    "calculation_failed": "A value could not be computed, so it is empty: `node_id`, `field`, and the `reason`: "
    "`division_by_zero`, `not_a_number`, `not_a_date`, `too_large`.",
    "timetable_missing": "The organization has no timetable of this `name`, so it counts as closed: `node_id`.",
    "address_missing": "A link or file was left out because its address was empty or not one that Meta takes: `node_id`.",
    "content_missing": "A part of a message was left out because it was empty or not valid: `node_id`, `field`.",
    "state_invalid": "The state refers to a node that the flow does not have: `flow_id`, `node_id`.",
    "engine_error": "A defect in the engine: the class of the exception (`error`) and its place (`module`, `function`, `line`).",
}
