"""Rules that no linter knows: secrets are compared in constant time, SQL is bound, logs hold no texts and no phones."""

from functools import cache

import pytest

from tests.security.source import RULES, Module, product

MODULES = product()

ALLOWED = {
    # Both sides are stored secrets; no outsider chooses either, and no outsider sees the time.
    ("layers/core/pytake/conversation/number_setup.py", "compares change.app_secret != stored.app_secret"),
    ("layers/core/pytake/conversation/number_setup.py", "compares secrets != stored"),
    ("layers/core/pytake/aws/tenants.py", "compares old_token != token"),
    # Digests of a file's contents, of a query, of a place in a list: made without a key, no secrets.
    (
        "functions/api/rest/cursor.py",
        "compares cursor.check != digest('list', list_name, organization_id, cursor.mark)[:16]",
    ),
    ("layers/core/pytake/aws/athena.py", "compares token not in self._kept"),
    # Files of the package around one another; values are bound to the whole.
    (
        "layers/core/pytake/analytics/audiences.py",
        "builds SQL: f\"WITH merges AS (\\n{statement('merges')}),\\n\\nrenamed AS (\\n{statement('renamed",
    ),
}


@cache
def findings(rule: str) -> list[str]:
    return [finding for module in MODULES for finding in RULES[rule](module)]


def bare(finding: str) -> tuple[str, str]:
    path, _, what = finding.split(":", 2)
    return path, what.strip()


@pytest.mark.parametrize("rule", RULES)
def test_the_product_keeps_the_rule(rule: str) -> None:
    assert [finding for finding in findings(rule) if bare(finding) not in ALLOWED] == []


def test_every_exception_is_still_needed() -> None:
    assert {bare(finding) for rule in RULES for finding in findings(rule)} >= ALLOWED


BROKEN = [
    ("compared_secrets", "if header == signature: pass"),
    ("compared_secrets", "ok = event['headers'] == sign(secret, body).digest()"),
    ("compared_secrets", "ok = sign(secret, body).encode() == given"),
    ("compared_secrets", "if given in secrets.app_secrets: pass"),
    ("formatted_sql", "q = f\"SELECT * FROM events WHERE flow_id = '{flow_id}'\""),
    ("formatted_sql", "q = 'select a from events where b = %s' % b"),
    ("formatted_sql", "q = 'DELETE FROM ' + table"),
    ("formatted_sql", "q = 'select a from {t}'.format(t=t)"),
    ("told_in_logs", "logger().info('turn.taken', text=item.message)"),
    ("told_in_logs", "log.info('turn.taken', who=item.contact_id)"),
    ("told_in_logs", "self._logger.warning(f'no flow for {contact}')"),
    ("told_in_logs", "logger().info('received %s', body)"),
    ("told_to_operators", "self._tell('x', item, 0, phone=item.contact_id)"),
    ("told_to_operators", "events.publish(OperatorEvent('x', org, {'contact_id': key.contact_id}))"),
    ("told_to_operators", "events.publish(OperatorEvent('x', org, {'key': key.contact_id}))"),
    ("swallowed_errors", "try:\n    go()\nexcept Exception:\n    pass"),
    ("swallowed_errors", "try:\n    go()\nexcept:\n    done = False"),
    ("swallowed_errors", "with contextlib.suppress(Exception):\n    go()"),
    ("dangerous_calls", "eval(text)"),
    ("dangerous_calls", "import pickle"),
    ("dangerous_calls", "from yaml import load"),
    ("dangerous_calls", "httpx.Client(verify=False)"),
]


@pytest.mark.parametrize(("rule", "text"), BROKEN)
def test_a_rule_finds_what_breaks_it(rule: str, text: str) -> None:
    assert list(RULES[rule](Module.of(text)))


FINE = [
    ("compared_secrets", "if hmac.compare_digest(signature, given): pass"),
    ("compared_secrets", "if error_class is ErrorClass.FATAL_TOKEN: pass"),
    ("formatted_sql", "text = f'selected {n} from the list'"),
    ("formatted_sql", "client.start_query_execution(QueryString=sql, ExecutionParameters=[flow_id])"),
    ("told_in_logs", "logger().info('turn.taken', organization_id=item.organization_id, turn=turn.seq)"),
    ("swallowed_errors", "try:\n    go()\nexcept Exception:\n    log.exception('failed')"),
    ("swallowed_errors", "def f():\n    try:\n        go()\n    except Exception as error:\n        return error"),
    ("dangerous_calls", "re2.compile(pattern)"),
]


@pytest.mark.parametrize(("rule", "text"), FINE)
def test_a_rule_leaves_alone_what_keeps_it(rule: str, text: str) -> None:
    assert list(RULES[rule](Module.of(text))) == []
