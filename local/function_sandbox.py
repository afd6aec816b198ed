"""One execution environment of a Python function: a process with the function, its layers and nothing else.

MiniStack's own worker extracts the function and its layers for every process, gives the process the emulator's
site-packages and environment, waits 50 ms after each call for log lines, and leaves its folder in the temporary
directory. This worker differs only in these points:

- code and layers are extracted once per content and shared by all processes, so that a burst starts fast;
- the interpreter runs isolated and without site-packages (`-I -S`), so that a dependency missing in the layer is noticed;
- the environment contains only what Lambda guarantees and what the template sets;
- standard error goes to a log file per function, so that nothing waits for it;
- the process ends when the emulator ends, for whatever reason.
"""

import json
import os
import shutil
import subprocess
import sys
import threading
import time
import uuid
import zipfile
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import IO, Any

from ministack.core import lambda_runtime  # type: ignore[import-untyped]

RUNTIME = f"python{sys.version_info.major}.{sys.version_info.minor}"
"""The runtime of these processes. A function with another runtime fails to start."""

INHERITED_VARIABLES = (
    "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT_URL_BEDROCK_RUNTIME",
    "AWS_ENDPOINT_URL_SESV2",
    "API_CALL_ALLOW_PRIVATE",
)
"""The variables of the emulator that functions get: the AWS endpoints and the flags of `pytake local`."""

# Runs before MiniStack's own worker script. The emulator keeps the write end of the pipe open while it runs, so reading
# from it returns when the emulator has ended, for whatever reason. A function that hangs in a call ends too.
END_WITH_THE_EMULATOR = """
import os, sys, threading
def _end_with_the_emulator(lifeline=int(sys.argv[1])):
    os.read(lifeline, 1)
    os._exit(0)
threading.Thread(target=_end_with_the_emulator, daemon=True).start()
"""


class Lifeline:
    """A pipe whose write end only this process has: children that read from it notice the end of this process."""

    def __init__(self) -> None:
        self.read_end, self._write_end = os.pipe()


class CodeStore:
    """Extracted functions and layers: one folder per content, shared by all processes."""

    def __init__(self, folder: Path) -> None:
        """Use `folder`. Folders of earlier runs stay valid, because their names are digests of the content."""
        self._folder = folder
        self._lock = threading.Lock()
        self._used: set[Path] = set()
        folder.mkdir(parents=True, exist_ok=True)

    def extract(self, archive: bytes) -> Path:
        """Return the folder with the files of a zip archive; extract the archive if it is new."""
        target = self._folder / sha256(archive).hexdigest()[:24]
        with self._lock:
            self._used.add(target)
            if not target.exists():
                partial = target.with_suffix(".partial")
                shutil.rmtree(partial, ignore_errors=True)
                with zipfile.ZipFile(BytesIO(archive)) as files:
                    files.extractall(partial)  # zipfile does not extract outside of the folder
                partial.rename(target)
        return target

    def discard_unused(self) -> None:
        """Delete the folders that this run did not use: the code of earlier deployments."""
        for entry in self._folder.iterdir():
            if entry not in self._used:
                shutil.rmtree(entry, ignore_errors=True)


class FunctionSandbox(lambda_runtime.Worker):  # type: ignore[misc]
    """MiniStack's worker with another way to start and to log; calls, time limits and pooling are MiniStack's."""

    code_store: CodeStore
    logs_folder: Path
    bootstrap: Path
    lifeline: Lifeline

    @classmethod
    def configured(cls, run_folder: Path, logs_folder: Path) -> type["FunctionSandbox"]:
        """Return the class bound to the folders of one local cloud; MiniStack creates the instances."""
        run_folder.mkdir(parents=True, exist_ok=True)
        logs_folder.mkdir(parents=True, exist_ok=True)
        bootstrap = run_folder / "bootstrap" / "worker.py"  # in its own folder, because a script's folder is importable
        bootstrap.parent.mkdir(exist_ok=True)
        bootstrap.write_text(END_WITH_THE_EMULATOR + lambda_runtime._PYTHON_WORKER_SCRIPT)
        members = {
            "code_store": CodeStore(run_folder / "code"),
            "logs_folder": logs_folder,
            "bootstrap": bootstrap,
            "lifeline": Lifeline(),
        }
        return type("ConfiguredFunctionSandbox", (cls,), members)

    def __init__(self, func_name: str, config: dict[str, Any], code_zip: bytes) -> None:
        """Take MiniStack's arguments; a time limit from a template parameter is a string."""
        super().__init__(func_name, {**config, "Timeout": int(config.get("Timeout", 3))}, code_zip)

    def _spawn(self) -> None:
        runtime = self.config.get("Runtime", "")
        if runtime != RUNTIME:
            raise RuntimeError(f"This machine runs only {RUNTIME} functions, not {runtime!r}")
        code = self.code_store.extract(self.code_zip)
        layers = [self.code_store.extract(archive) for archive in self._layer_archives()]
        variables: dict[str, str] = self.config.get("Environment", {}).get("Variables", {})
        with self._open_log() as log:
            process = subprocess.Popen(  # noqa: S603  our interpreter, our script
                [sys.executable, "-I", "-S", str(self.bootstrap), str(self.lifeline.read_end)],
                cwd=code,
                env=self._environment(code, layers, variables),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                pass_fds=(self.lifeline.read_end,),
                text=True,
                bufsize=1,
            )
        module, handler = self.config["Handler"].rsplit(".", 1)
        greeting = {
            "code_dir": str(code),
            "module": module.replace("/", "."),
            "handler": handler,
            "env": variables,
            "function_name": self.func_name,
            "memory": self.config.get("MemorySize", 128),
            "arn": self.config.get("FunctionArn", ""),
        }
        self._proc = process
        if process.stdin is None or process.stdout is None:
            raise RuntimeError("The process has no pipes")
        process.stdin.write(json.dumps(greeting) + "\n")
        process.stdin.flush()
        answer = process.stdout.readline()
        if not answer:
            raise RuntimeError(f"The process of {self.func_name} ended while starting; see {self._log_path()}")
        status = json.loads(answer)
        if status["status"] != "ready":
            self._log(f"INIT FAILED {status['error']}")
            raise RuntimeError(f"Runtime.ImportModuleError: {status['error']}")
        self._start_time = time.time()

    def invoke(self, event: Any, request_id: str, **context: Any) -> dict[str, Any]:
        """Call the function as MiniStack does, and write the stack trace of a failure to the function's log."""
        result: dict[str, Any] = super().invoke(event, request_id, **context)
        if result.get("status") == "error":
            self._log(f"{request_id} {result.get('trace') or result.get('error')}")
        return result

    def _environment(self, code: Path, layers: list[Path], variables: dict[str, str]) -> dict[str, str]:
        _, region = lambda_runtime._account_region_from_function_config(self.config)
        return {
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "LANG": "en_US.UTF-8",
            "TZ": ":UTC",
            "HOME": str(self.bootstrap.parent),  # a folder without AWS profiles and user configuration
            **{name: os.environ[name] for name in INHERITED_VARIABLES if name in os.environ},
            **variables,
            "AWS_REGION": region,
            "AWS_DEFAULT_REGION": region,
            "AWS_EXECUTION_ENV": f"AWS_Lambda_{RUNTIME}",
            "AWS_LAMBDA_FUNCTION_NAME": self.func_name,
            "AWS_LAMBDA_FUNCTION_VERSION": self.config.get("Version", "$LATEST"),
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(self.config.get("MemorySize", 128)),
            "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{self.func_name}",
            "AWS_LAMBDA_LOG_STREAM_NAME": uuid.uuid4().hex,
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "LAMBDA_TASK_ROOT": str(code),
            "_HANDLER": self.config["Handler"],
            "_LAMBDA_FUNCTION_ARN": self.config.get("FunctionArn", ""),
            "_LAMBDA_LAYERS_DIRS": os.pathsep.join(map(str, layers)),
            "_LAMBDA_TIMEOUT": str(self.config["Timeout"]),
            **lambda_runtime.execution_credentials(self.config),
        }

    def _layer_archives(self) -> list[bytes]:
        from ministack.services import lambda_svc  # type: ignore[import-untyped]

        return [lambda_svc._resolve_layer_zip(layer) for layer in self.config.get("Layers", [])]

    def _log_path(self) -> Path:
        return self.logs_folder / f"{self.func_name}.log"

    def _open_log(self) -> IO[bytes]:
        return self._log_path().open("ab", buffering=0)

    def _log(self, text: str) -> None:
        with self._open_log() as log:
            log.write(text.rstrip().encode() + b"\n")

    def _drain_stderr(self) -> str:
        return ""

    def _drain_stderr_bounded(self, **_waits: float) -> str:
        return ""
