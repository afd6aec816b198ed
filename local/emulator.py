"""The process of the embedded AWS: MiniStack with patches where it differs from AWS.

This module, `emulator_speed` and `function_sandbox` contain every patch of a private name, with its reason. A test checks
`PATCHED_NAMES` and fails when a new MiniStack renames one. docs/upstream.md has the bug reports. `local.embedded_aws` starts
this module: `python -m local.emulator PORT RUN_FOLDER LOGS_FOLDER`, with MiniStack's settings in the environment.

The process ends when its standard input closes. So it saves its state and ends when the process that started it ends,
for whatever reason.
"""

import asyncio
import faulthandler
import json
import logging
import os
import shutil
import signal
import sys
import threading
import time
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import uvicorn
from ministack import app as ministack  # type: ignore[import-untyped]
from ministack.core import iam_actions, iam_evaluator, lambda_runtime, persistence  # type: ignore[import-untyped]
from ministack.services import apigateway, athena, eventbridge, lambda_svc, scheduler  # type: ignore[import-untyped]
from ministack.services.cloudformation import provisioners  # type: ignore[import-untyped]

from local import emulator_speed
from local.access_guard import OwnClientsOnly
from local.athena.endpoint import AthenaEndpoint
from local.function_sandbox import FunctionSandbox

MAX_WAIT_SECONDS = 25.0
"""How long a call waits for a free process; an HTTP API gives up after 30 seconds."""

ATHENA_PRELOAD_SECONDS = 20.0
"""Athena's libraries are imported after this time, when everything else has started, so that the first report is fast."""

DENIED_PREFIX = "Refused:"
"""The start of a log line about a missing permission."""

PATCHED_NAMES = (
    (lambda_runtime, "acquire_worker"),
    (lambda_runtime, "release_worker"),
    (lambda_runtime, "_worker_class_for"),
    (lambda_runtime, "_PYTHON_WORKER_SCRIPT"),
    (lambda_runtime, "_account_region_from_function_config"),
    (lambda_runtime.Worker, "_spawn"),
    (lambda_runtime.Worker, "_drain_stderr"),
    (lambda_runtime.Worker, "_drain_stderr_bounded"),
    (lambda_svc, "acquire_worker"),
    (lambda_svc, "release_worker"),
    (lambda_svc, "_resolve_layer_zip"),
    (lambda_svc, "_execute_function_with_config_scope"),
    (eventbridge, "_invoke_target"),
    (provisioners, "_cw_metric_alarm_record"),
    (provisioners, "_RESOURCE_HANDLERS"),
    (athena, "_named_queries"),
    (scheduler, "_SCHEDULE_TICK_INTERVAL"),
    (apigateway, "_cors_response_headers"),
    (apigateway, "_cors_preflight_response"),
    (apigateway, "_validate_jwt_authorizer"),
    (apigateway, "_get_stage_variables"),
    (apigateway, "_jwt_unauthorized"),
    (apigateway, "_b64url_decode"),
    (apigateway, "_extract_token_from_identity_source"),
    (ministack, "_build_persistence_save_dict"),
    (ministack, "pin_request_origin"),
    (iam_actions, "extract_iam_action"),
    (iam_actions, "_s3_batch_delete_targets"),
    (iam_evaluator, "enforce"),
    *emulator_speed.PATCHED_NAMES,
)


def use_function_sandboxes(sandbox: type[FunctionSandbox]) -> None:
    """Run every function in a `FunctionSandbox`, which documents how MiniStack's worker differs."""
    lambda_runtime._worker_class_for = lambda _config: sandbox


def limit_sandboxes(max_processes: int) -> None:
    """Make a call wait while `max_processes` processes of its function are busy, instead of starting another one.

    Like AWS, MiniStack starts a process for every concurrent call. A start takes half a second of CPU time, and all
    processes share the few cores of this machine: each further process would slow a burst down.
    """
    acquire, release, changed = lambda_svc.acquire_worker, lambda_svc.release_worker, threading.Condition()

    def acquire_or_wait(*function: Any, **options: Any) -> Any:
        end = time.monotonic() + MAX_WAIT_SECONDS
        with changed:
            while True:
                worker, reason = acquire(*function, **options, max_concurrency=max_processes)
                left = end - time.monotonic()
                if worker is not None or left <= 0:
                    return worker, reason  # without a worker, MiniStack answers with a throttling error, like AWS
                changed.wait(left)

    def release_and_notify(worker: Any) -> None:
        with changed:
            release(worker)
            changed.notify_all()

    lambda_svc.acquire_worker, lambda_svc.release_worker = acquire_or_wait, release_and_notify


def check_schedules_every_second() -> None:
    """Check for due schedules every second; MiniStack checks every ten, so a flow's timer could be ten seconds late."""
    scheduler._SCHEDULE_TICK_INTERVAL = 1


def resolve_schedule_placeholders() -> None:
    """Replace the context attributes in a schedule's input, such as the scheduled time; MiniStack leaves them as they are.

    Otherwise, a job that runs once per scheduled time would run only once.
    """
    original = eventbridge._invoke_target

    def invoke_target(target: dict[str, Any], event: dict[str, Any], *more: Any, **options: Any) -> Any:
        if event.get("Source") == "aws.scheduler" and "Input" in target:
            target = {**target, "Input": with_schedule_attributes(target["Input"], event)}
        return original(target, event, *more, **options)

    eventbridge._invoke_target = invoke_target


def accept_metric_math_alarms() -> None:
    """Deploy a metric math alarm as an alarm on its first metric; MiniStack rejects the stack.

    This loses nothing: no alarm can fire here, because no metrics are recorded.
    """
    original = provisioners._cw_metric_alarm_record

    def record(name: str, properties: dict[str, Any]) -> Any:
        queries = properties.get("Metrics") or []
        plain = {key: value for key, value in properties.items() if key != "Metrics"}
        for query in queries:
            if "MetricStat" in query:
                plain |= {**query["MetricStat"]["Metric"], "Statistic": query["MetricStat"]["Stat"]}
                break
        return original(name, plain)

    provisioners._cw_metric_alarm_record = record


def support_named_queries() -> None:
    """Support named queries of Athena in templates: MiniStack supports them only in Athena's API and rejects the stack.

    Their ids are derived from the stack and the resource, so that the next deployment updates them in place.
    """

    def put(name: str, properties: dict[str, Any]) -> tuple[str, dict[str, str]]:
        given = {key: properties.get(key, "") for key in ("Name", "Description", "Database", "QueryString")}
        work_group = properties.get("WorkGroup", "primary")
        athena._named_queries[name] = {"NamedQueryId": name, "WorkGroup": work_group, **given}
        return name, {"NamedQueryId": name}

    def create(logical_id: str, properties: dict[str, Any], stack_name: str) -> tuple[str, dict[str, str]]:
        return put(str(uuid.uuid5(uuid.NAMESPACE_URL, f"{stack_name}/{logical_id}")), properties)

    def update(
        physical_id: str, _old: dict[str, Any], new: dict[str, Any], _stack_name: str
    ) -> tuple[str, dict[str, str]]:
        return put(physical_id, new)

    def delete(physical_id: str, _properties: dict[str, Any]) -> None:
        athena._named_queries.pop(physical_id, None)

    provisioners._RESOURCE_HANDLERS["AWS::Athena::NamedQuery"] = {"create": create, "update": update, "delete": delete}


def deploy_at_once() -> None:
    """Accept CodeDeploy's resources in templates: MiniStack has no CodeDeploy, and it moves an alias at once."""

    def create(logical_id: str, _properties: dict[str, Any], stack_name: str) -> tuple[str, dict[str, str]]:
        return f"{stack_name}-{logical_id}", {}

    def update(
        physical_id: str, _old: dict[str, Any], _new: dict[str, Any], _stack_name: str
    ) -> tuple[str, dict[str, str]]:
        return physical_id, {}

    for kind in ("Application", "DeploymentGroup"):
        handlers = {"create": create, "update": update, "delete": lambda *_: None}
        provisioners._RESOURCE_HANDLERS[f"AWS::CodeDeploy::{kind}"] = handlers


def with_schedule_attributes(text: str, event: dict[str, Any]) -> str:
    """Return a schedule's input with the context attributes that EventBridge Scheduler documents."""
    scheduled = datetime.fromtimestamp(int(event["Time"]), tz=UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    context = {
        "scheduled-time": scheduled,
        "schedule-arn": event["Resources"][0],
        "execution-id": event["EventId"],
        "attempt-number": "1",
    }
    for name, value in context.items():
        text = text.replace(f"<aws.scheduler.{name}>", value)
    return text


def accept_template_cors_keys() -> None:
    """Apply a template's CORS configuration: MiniStack stores its keys (`AllowOrigins`) and reads the API's (`allowOrigins`)."""
    for name in ("_cors_response_headers", "_cors_preflight_response"):
        original = getattr(apigateway, name)

        def with_cors(configuration: dict[str, Any], origin: str, original: Any = original) -> Any:
            return original(_with_api_keys(configuration), origin)

        setattr(apigateway, name, with_cors)


def _with_api_keys(configuration: dict[str, Any]) -> dict[str, Any]:
    return {
        name[:1].lower() + name[1:]: value.split(",") if name == "AllowOrigins" and isinstance(value, str) else value
        for name, value in configuration.items()
    }


def treat_loopback_as_tls() -> None:
    """Let policies that require TLS accept requests from this machine, because they never leave it."""
    original = ministack.pin_request_origin
    ministack.pin_request_origin = lambda source_ip, _secure: original(source_ip, True)


def map_batch_permissions() -> None:
    """Check the permissions that AWS checks: SQS batches have none of their own (`sqs:SendMessage` allows
    `SendMessageBatch`), and DeleteObjects needs `s3:DeleteObjectVersion` for the first version too."""
    original = iam_actions.extract_iam_action

    def action(service: str, method: str, path: str, headers: Any, body: bytes, query: dict[str, Any]) -> str | None:
        found: str | None = original(service, method, path, headers, body, query)
        if found is not None and service == "sqs":
            return found.removesuffix("Batch")
        if found == "s3:DeleteObject" and "delete" in query:
            targets = iam_actions._s3_batch_delete_targets("", body)
            return "s3:DeleteObjectVersion" if targets and targets[0][1] else found
        return found

    iam_actions.extract_iam_action = action


def log_denied_requests() -> None:
    """Log which role lacks which permission: the function only sees AccessDenied."""
    original = iam_evaluator.enforce

    def enforce(access_key: str, action: str, service: str, region: str, resource_arn: str = "*", **more: Any) -> Any:
        refused = original(access_key, action, service, region, resource_arn, **more)
        if refused is not None:
            who = getattr(refused, "principal_arn", "") or "a caller with unknown credentials"
            logging.getLogger("local.permissions").warning(
                "%s %s may not %s on %s", DENIED_PREFIX, who, action, resource_arn
            )
        return refused

    iam_evaluator.enforce = enforce


def refuse_endless_tokens() -> None:
    """Refuse tokens without `exp`, which API Gateway compares with the current time, and tokens with `crit`: a recipient
    must refuse extensions that it does not know (RFC 7515, section 4.1.11), and JWT authorizers have none."""
    original = apigateway._validate_jwt_authorizer

    async def validate(route: Any, authorizer: Any, headers: Any, query: Any) -> Any:
        claims, scopes, refused = await original(route, authorizer, headers, query)
        if refused is None:
            token = apigateway._extract_token_from_identity_source(authorizer.get("identitySource", []), headers, query)
            header = json.loads(apigateway._b64url_decode(token.split(".")[0]))
            if "crit" in header or not isinstance(claims.get("exp"), int | float):
                return None, None, apigateway._jwt_unauthorized()
        return claims, scopes, refused

    apigateway._validate_jwt_authorizer = validate


def pass_stage_variables() -> None:
    """Give functions behind an HTTP API the stage's variables, which MiniStack only uses in mappings of parameters."""
    original = lambda_svc._execute_function_with_config_scope

    def execute(record: Any, event: Any, *more: Any, **options: Any) -> Any:
        context = event.get("requestContext") if isinstance(event, dict) else None
        if isinstance(context, dict) and event.get("version") == "2.0" and "apiId" in context:
            variables = apigateway._get_stage_variables(context["apiId"], context["stage"])
            event = {**event, "stageVariables": variables} if variables else event
        return original(record, event, *more, **options)

    lambda_svc._execute_function_with_config_scope = execute


def save_state() -> None:
    """Save the state now, so that a killed emulator loses only later changes."""
    persistence.save_all(ministack._build_persistence_save_dict())


def with_athena(port: int, run_folder: Path, owner_key: str) -> AthenaEndpoint:
    """Let `local.athena` run Athena's queries; MiniStack passes them to DuckDB without translation."""

    def open_service() -> Any:
        from local.athena.service import AthenaService  # half a second of imports that short runs do not need

        return AthenaService(f"http://127.0.0.1:{port}", run_folder / "tmp" / "athena", owner_key)

    return AthenaEndpoint(ministack.app, open_service, ATHENA_PRELOAD_SECONDS)


async def serve(port: int, app: Any) -> None:
    """Serve on the loopback interface until SIGTERM or until standard input closes; SIGUSR1 saves the state."""
    config = uvicorn.Config(
        app,
        host="127.0.0.1",
        port=port,
        timeout_keep_alive=75,  # like AWS, so that clients reuse their connections
        timeout_graceful_shutdown=1,
        server_header=False,
        date_header=False,  # MiniStack sets it
        access_log=False,
        log_level="warning",
        ws="none",
    )
    server = uvicorn.Server(config)
    loop = asyncio.get_running_loop()

    def stop() -> None:
        server.should_exit = True

    def stop_at_end_of_stdin() -> None:
        while os.read(0, 1024):
            pass
        loop.call_soon_threadsafe(stop)

    threading.Thread(target=stop_at_end_of_stdin, daemon=True).start()
    loop.add_signal_handler(signal.SIGUSR1, save_state)
    await server.serve()  # handles SIGTERM itself; MiniStack saves its state when its lifespan ends


def main() -> None:
    """Apply the patches, serve, and clean up."""
    faulthandler.register(signal.SIGUSR2)  # `EmbeddedAws.stop` requests the stacks before it kills a hanging process
    port, run_folder, logs_folder = int(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3])
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s", stream=sys.stderr)
    sandbox = FunctionSandbox.configured(run_folder, logs_folder)
    use_function_sandboxes(sandbox)
    limit_sandboxes(max_processes=max(2, os.cpu_count() or 2))
    emulator_speed.run_fifo_groups_in_parallel()
    emulator_speed.poll_queues_immediately()
    emulator_speed.pass_over_waiting_messages()
    emulator_speed.remember_what_texts_mean()
    emulator_speed.authorize_without_repetition()
    check_schedules_every_second()
    resolve_schedule_placeholders()
    accept_metric_math_alarms()
    support_named_queries()
    deploy_at_once()
    accept_template_cors_keys()
    treat_loopback_as_tls()
    map_batch_permissions()
    log_denied_requests()
    refuse_endless_tokens()
    pass_stage_variables()
    owner_key = os.environ.pop("PYTAKE_OWNER_KEY")
    athena = with_athena(port, run_folder, owner_key)
    try:
        asyncio.run(serve(port, OwnClientsOnly(athena, port, owner_key)))
    finally:
        athena.close()
        lambda_runtime.reset()
        sandbox.code_store.discard_unused()
        shutil.rmtree(os.environ["TMPDIR"], ignore_errors=True)
    os._exit(0)  # otherwise Python joins the executor's threads, which may wait for a killed function


if __name__ == "__main__":
    main()
