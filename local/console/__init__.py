"""The console: see the bot, try it, watch it, in a browser.

The pages are thin. What they show comes from modules beside them that know no browser: `api` (the REST API), `flow_graph`
(a flow as a drawing), `bubbles` (messages as a phone shows them), `turns` (audit records as a person reads them).
"""
